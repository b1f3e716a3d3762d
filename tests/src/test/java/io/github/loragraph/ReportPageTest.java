package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.trainer.RunRecord;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/**
 * The pages of runs: one file each, well-formed whatever stands in the data, read from whatever a
 * run has left. They are held to the stricter rules of XML, which a parser of the JDK knows.
 */
class ReportPageTest {
  /** What a page may weigh, however long the run was. */
  private static final int MOST_BYTES = 1_100_000;

  private static final Pattern CODE = Pattern.compile("(?s)<(script|style)>.*?</\\1>");

  /** Outside of what is shown to the eye alone: nothing is asked of another place. */
  private static final Pattern ELSEWHERE =
      Pattern.compile("(?i)(src|href|action)=\"(?!#)[a-z]+:|url\\(|@import|//[a-z]");

  @TempDir Path folder;
  private Trainings trainings;

  @BeforeEach
  void prepare() throws IOException {
    trainings = new Trainings(folder);
  }

  private Path run(String name, Object... more) {
    List<Object> words =
        new ArrayList<>(List.of("train", trainings.model(), "--data", trainings.data(), "--eval"));
    words.addAll(List.of(trainings.data(), "--eval-every", 4, "--steps", 24, "--log-every", 1));
    words.addAll(List.of("--threads", 1, "-o", folder.resolve(name)));
    words.addAll(List.of(more));
    Cli.json(words.toArray());
    return folder.resolve(name);
  }

  /** The page as a tree; it fails where a tag, an entity or a character is not as it should be. */
  private static Document parsed(Path html) throws Exception {
    String page = Files.readString(html);
    assertTrue(page.startsWith("<!DOCTYPE html>"), "a page of HTML 5");
    assertFalse(ELSEWHERE.matcher(CODE.matcher(page).replaceAll("")).find(), "one file");
    assertTrue(page.getBytes(StandardCharsets.UTF_8).length < MOST_BYTES, "small");
    String markup = CODE.matcher(page).replaceAll("<$1></$1>");
    DocumentBuilder builder = DocumentBuilderFactory.newInstance().newDocumentBuilder();
    builder.setErrorHandler(null);
    Document document = builder.parse(new InputSource(new StringReader(markup)));
    assertEquals(1, document.getElementsByTagName("script").getLength(), "our script alone");
    for (Element svg : elements(document, "svg")) {
      assertTrue(
          svg.getAttribute("aria-hidden").equals("true")
              || svg.getElementsByTagName("title").getLength() > 0
                  && svg.getElementsByTagName("desc").getLength() == 1,
          "a picture says what it is");
    }
    return document;
  }

  private static List<Element> elements(Document document, String tag) {
    NodeList found = document.getElementsByTagName(tag);
    List<Element> elements = new ArrayList<>();
    for (int i = 0; i < found.getLength(); i++) {
      elements.add((Element) found.item(i));
    }
    return elements;
  }

  private static List<String> headings(Document document) {
    return elements(document, "h2").stream().map(Element::getTextContent).toList();
  }

  @Test
  void eachTrainingWritesItsPage() throws Exception {
    Path run = run("run");
    Document page = parsed(run.resolve("report.html"));
    assertEquals(
        List.of(
            "Curves",
            "Last evaluation",
            "Confusion matrix",
            "Worst mistakes",
            "Lengths",
            "Trained parameters",
            "Configuration",
            "Machine"),
        headings(page));
    RunRecord record = RunRecord.read(run).orElseThrow();
    String accuracy = String.format(Locale.ROOT, "%.4f", record.figures().get("accuracy"));
    assertTrue(
        elements(page, "dd").stream().anyMatch(dd -> dd.getTextContent().startsWith(accuracy)));
    // Written again, it says the same but for when.
    String before = Files.readString(run.resolve("report.html"));
    Cli.json("report", run);
    assertEquals(
        before.replaceFirst("Written \\S+", ""),
        Files.readString(run.resolve("report.html")).replaceFirst("Written \\S+", ""));
  }

  @Test
  void mistakesAreThoseThatAnEvaluationLists() throws Exception {
    Path run = run("run");
    JsonNode listed = Cli.json("eval", run, "--data", trainings.data(), "--errors", 50);
    JsonNode kept = RunRecord.read(run).orElseThrow().tree().path("mistakes");
    assertEquals(listed.get("errors").size(), kept.size());
    for (int i = 0; i < kept.size(); i++) {
      JsonNode expected = listed.get("errors").get(i);
      assertEquals(expected.get("loss").asDouble(), kept.get(i).get("loss").asDouble(), 1e-5);
      assertEquals(expected.get("label").asText(), kept.get(i).get("label").asText());
      assertEquals(expected.get("answer").asText(), kept.get(i).get("answer").asText());
    }
  }

  @Test
  void aHostileTextIsATextNothingElse() throws Exception {
    Path run = run("run");
    String text =
        "<script>alert(1)</script><img src=x onerror=alert(2)> \u202eevil\u202c \u0000 \ud83d \u0007"
            + " </td></table> &amp; \"'` "
            + "w".repeat(400);
    Path file = run.resolve(RunRecord.FILE);
    ObjectMapper json = new ObjectMapper();
    ObjectNode tree = (ObjectNode) json.readTree(file.toFile());
    ObjectNode mistake = tree.putArray("mistakes").addObject();
    for (String name : List.of("text", "textPair", "label", "answer", "place")) {
      mistake.put(name, text);
    }
    ((ObjectNode) tree.get("classes").get(0)).put("name", text);
    tree.put("failure", text);
    Files.writeString(
        file, json.writer().with(JsonWriteFeature.ESCAPE_NON_ASCII).writeValueAsString(tree));
    Cli.json("report", run);
    Document page = parsed(run.resolve("report.html"));
    String shown =
        text.replace("\u202e", "\\u202e")
            .replace("\u202c", "\\u202c")
            .replace("\u0000", "\\u0000")
            .replace("\u0007", "\\u0007")
            .replace("\ud83d", "\\ud83d");
    assertTrue(
        elements(page, "bdi").stream().filter(e -> e.getTextContent().equals(shown)).count() >= 5);
    assertEquals(0, page.getElementsByTagName("img").getLength());
  }

  @Test
  void textsMayBeLeftOut() throws Exception {
    Path data = folder.resolve("texts.jsonl");
    Files.copy(trainings.data(), data);
    Path run = run("run", "--no-report-texts");
    JsonNode mistakes = RunRecord.read(run).orElseThrow().tree().path("mistakes");
    assertTrue(mistakes.size() > 0);
    mistakes.forEach(mistake -> assertFalse(mistake.has("text")));
    assertTrue(Files.readString(run.resolve("config.yaml")).contains("noReportTexts: true"));
    assertTrue(headings(parsed(run.resolve("report.html"))).contains("Worst mistakes"));
  }

  @Test
  void aRunThatGoesOnOrIsOfAnOlderVersion() throws Exception {
    Path run = run("run");
    Files.delete(run.resolve(RunRecord.FILE));
    Path metrics = run.resolve("metrics.jsonl");
    Files.writeString(metrics, Files.readString(metrics) + "{\"step\":25,\"lo");
    Path html = folder.resolve("page.html");
    Cli.json("report", run, "-o", html);
    assertEquals(List.of("Curves", "Last evaluation", "Configuration"), headings(parsed(html)));
    Files.writeString(metrics, "");
    Cli.json("report", run, "-o", html);
    assertEquals(List.of("Curves", "Configuration"), headings(parsed(html)));
    Files.writeString(run.resolve(RunRecord.FILE), "{\"status\":");
    Cli.json("report", run, "-o", html);
    assertTrue(Files.readString(html).contains("run.json is not the record of a run"));
  }

  @Test
  void aLongRunIsASmallPage() throws Exception {
    Path run = run("run");
    StringBuilder lines = new StringBuilder();
    for (int step = 1; step <= 100_000; step++) {
      double loss = step == 61_234 ? 9.75 : 0.5 + 0.1 * Math.sin(step);
      lines.append(
          "{\"step\":%d,\"epoch\":%s,\"loss\":%s,\"learningRate\":%s,\"gradientNorm\":%s}\n"
              .formatted(step, step / 1e3, loss, 1e-3, Math.abs(Math.cos(step))));
    }
    Files.writeString(run.resolve("metrics.jsonl"), lines);
    Cli.json("report", run);
    Path html = run.resolve("report.html");
    parsed(html);
    String page = Files.readString(html);
    assertTrue(page.contains("100,000 lines of the log are drawn by the smallest and the largest"));
    // The one line that stands out of 100,000 is still there.
    assertTrue(page.contains("highest 9.7500"), "the highest loss");
  }

  @Test
  void runsBesideEachOther() throws Exception {
    Path one = run("lora-seed1", "--seed", 1);
    Path two = run("lora-seed2", "--seed", 2);
    Path other = run("fast", "--lr", "5e-3");
    Path html = folder.resolve("compare.html");
    Cli.json("report", one, two, other, "-o", html);
    Document page = parsed(html);
    List<String> cells = elements(page, "th").stream().map(Element::getTextContent).toList();
    assertTrue(cells.contains("lr"), "what differs is a column");
    assertFalse(cells.contains("batchSize"), "what does not differ is none");
    double first = RunRecord.read(one).orElseThrow().figures().get("loss");
    double second = RunRecord.read(two).orElseThrow().figures().get("loss");
    String spread =
        String.format(
            Locale.ROOT,
            "%.4f \u00b1 %.4f",
            (first + second) / 2,
            Math.abs(first - second) / Math.sqrt(2));
    assertTrue(
        elements(page, "td").stream().anyMatch(td -> td.getTextContent().equals(spread)), spread);
    assertEquals(
        3, elements(page, "a").stream().filter(a -> a.hasAttribute("href")).count(), "links");
  }

  /** A run with other entries in its configuration, and its figures. */
  private Path with(Path run, String name, Map<String, String> entries) throws IOException {
    Path other = Files.createDirectories(folder.resolve(name));
    for (String file : List.of("run.json", "metrics.jsonl")) {
      Files.copy(run.resolve(file), other.resolve(file));
    }
    String config = Files.readString(run.resolve("config.yaml"));
    for (Map.Entry<String, String> entry : entries.entrySet()) {
      String line = entry.getKey() + ": " + entry.getValue();
      Matcher there = Pattern.compile("(?m)^( *)" + entry.getKey() + ": .*$").matcher(config);
      config =
          there.find()
              ? there.replaceFirst("$1" + Matcher.quoteReplacement(line))
              : line + "\n" + config;
    }
    Files.writeString(other.resolve("config.yaml"), config);
    return other;
  }

  /** What changes what comes out is another configuration, and nothing else is one. */
  @Test
  void configurationsAreToldByWhatComesOutOfThem() throws Exception {
    Path run = run("run");
    List<Map<String, String>> same =
        List.of(
            Map.of("seed", "7"),
            Map.of("logEvery", "3", "checkpointEvery", "9", "threads", "8", "stepsPerCall", "4"),
            Map.of("tensorboard", "true", "streaming", "true", "writeModel", "true"),
            Map.of("data", "/elsewhere/train.jsonl", "eval", "/elsewhere/dev.jsonl"),
            Map.of("model", "/elsewhere/model.onnx"),
            Map.of("evalCorpus", "/elsewhere/corpus.tsv", "evalQrels", "/elsewhere/qrels.tsv"));
    List<Map<String, String>> others =
        List.of(
            Map.of("evalEvery", "6"),
            Map.of("saveBest", "loss"),
            Map.of("patience", "3"),
            Map.of("evalEvery", "0"),
            Map.of("batchSize", "4"),
            Map.of("maxLength", "7"),
            Map.of("data", "0123456789abcdef"),
            Map.of("model", "0123456789abcdef"),
            Map.of("eval", "0123456789abcdef"));
    List<Object> arguments = new ArrayList<>(List.of("report", run));
    for (Map<String, String> entries : same) {
      arguments.add(with(run, "same" + arguments.size(), entries));
    }
    for (Map<String, String> entries : others) {
      boolean content = entries.containsValue("0123456789abcdef");
      Path other = with(run, "other" + arguments.size(), content ? Map.of() : entries);
      if (content) {
        Path config = other.resolve("config.yaml");
        String name = entries.keySet().iterator().next();
        Files.writeString(
            config,
            Files.readString(config)
                .replaceFirst("(?m)^  " + name + ": .*$", "  " + name + ": 0123456789abcdef"));
      }
      arguments.add(other);
    }
    Path html = folder.resolve("compare.html");
    arguments.addAll(List.of("-o", html));
    Cli.json(arguments.toArray());
    String sub = elements(parsed(html), "p").get(0).getTextContent();
    assertTrue(
        sub.startsWith(
            "%d runs of %d configurations"
                .formatted(1 + same.size() + others.size(), 1 + others.size())),
        sub);

    // What is said of evaluations on the way means nothing where there are none.
    Path once = with(run, "once", Map.of("evalEvery", "0"));
    Path lastOnes = with(run, "last", Map.of("evalEvery", "0", "saveBest", "none"));
    Cli.json("report", once, lastOnes, "-o", html);
    sub = elements(parsed(html), "p").get(0).getTextContent();
    assertTrue(sub.startsWith("2 runs of 1 configuration:"), sub);
  }

  /** Texts of the held-out data are longer: bins of four tokens stand beside bins of one. */
  @Test
  void lengthsAreComparedInTheSameBins() throws Exception {
    Path run = run("run");
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode record = (ObjectNode) mapper.readTree(run.resolve("run.json").toFile());
    ObjectNode data = (ObjectNode) record.path("data");
    data.set("lengths", mapper.readTree("{\"width\":1,\"counts\":[0,0,0,0,0,3,1]}"));
    data.set("lengthsEval", mapper.readTree("{\"width\":4,\"counts\":[0,1,0,1]}"));
    mapper.writeValue(run.resolve("run.json").toFile(), record);
    Path html = folder.resolve("page.html");
    Cli.json("report", run, "-o", html);
    String page = Files.readString(html);
    assertTrue(page.contains("4 to 7 tokens: 100.0%"), "all of the training");
    assertTrue(page.contains("12 to 15 tokens: 50.0%"), "half of what is held out");
  }

  @Test
  void whatIsNoRunIsRefused() throws Exception {
    Path none = Files.createDirectory(folder.resolve("none"));
    Cli cli = Cli.run("report", none);
    assertEquals(1, cli.exitCode());
    assertTrue(cli.err().contains(none + " is not the folder of a run"), cli.err());
    Path run = run("run");
    Path notes = Files.writeString(folder.resolve("notes.txt"), "mine");
    Cli refused = Cli.run("report", run, "-o", notes);
    assertEquals(1, refused.exitCode());
    assertEquals("mine", Files.readString(notes));
  }

  /** Screenshots to look at, of a browser that is here; they are no part of what is kept. */
  @Test
  void aBrowserShowsThem() throws Exception {
    Path browser =
        Stream.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
            .map(Path::of)
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(null);
    assumeTrue(browser != null, "no browser here: the pages are not looked at");
    Path run = run("run");
    Path artifacts = Files.createDirectories(Path.of("target", "screenshots").toAbsolutePath());
    for (String size : List.of("1600,2400", "360,3200")) {
      Path png = artifacts.resolve("report-" + size.replace(',', 'x') + ".png");
      Files.deleteIfExists(png);
      Process process =
          new ProcessBuilder(
                  browser.toString(),
                  "--headless",
                  "--no-sandbox",
                  "--disable-gpu",
                  "--hide-scrollbars",
                  "--user-data-dir=" + folder.resolve("browser"),
                  "--window-size=" + size,
                  "--screenshot=" + png,
                  run.resolve("report.html").toUri().toString())
              .redirectErrorStream(true)
              .redirectOutput(folder.resolve("browser.log").toFile())
              .start();
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the browser ends");
      assertTrue(Files.size(png) > 10_000, Files.readString(folder.resolve("browser.log")));
    }
  }
}
