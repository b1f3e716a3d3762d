package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.airlift.compress.zstd.ZstdOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataCheckTest {
  @TempDir Path folder;

  /** Of several labels each is counted, and of words each tag: combinations say nothing. */
  @Test
  void labelsOfListsAreCountedOneByOne() throws IOException {
    Path several =
        Files.writeString(
            folder.resolve("several.jsonl"),
            """
            {"text": "a", "labels": ["x", "y"]}
            {"text": "b", "labels": ["x"]}
            {"text": "c", "labels": []}
            """);
    JsonNode counts = Cli.json("data", "check", several, "--task", "multilabel").get("labels");
    assertEquals("{\"x\":2,\"y\":1}", counts.toString());
    Cli plain = Cli.run("data", "check", several);
    assertTrue(plain.err().contains("which the task multilabel learns"), plain.err());
    assertTrue(plain.out().startsWith("3 rows, 2 labels"), plain.out());
    assertTrue(plain.out().contains("  x: 2 (66.7 of 100 labels)"), plain.out());
    assertTrue(plain.out().contains("1 row is of none of the classes: line 3"), plain.out());
    Path flags = Files.writeString(folder.resolve("flags.tsv"), "text\tlabels\na\t0,1\nb\t1,1\n");
    counts = Cli.json("data", "check", flags, "--task", "multilabel").get("labels");
    assertEquals("{\"0,1\":1,\"1,1\":1}", counts.toString());
    Path words =
        Files.writeString(
            folder.resolve("words.conll"), "Ann B-PER\nLee I-PER\nran O\n\nRome B-LOC\nran O\n");
    counts = Cli.json("data", "check", words).get("labels");
    assertEquals("{\"O\":2,\"B-PER\":1,\"I-PER\":1,\"B-LOC\":1}", counts.toString());
    Path spans =
        Files.writeString(
            folder.resolve("spans.jsonl"),
            """
            {"text": "Ann ran", "spans": [{"start": 0, "end": 3, "label": "PER"}]}
            {"text": "Bo ran", "spans": [{"start": 0, "end": 2, "label": "PER"}]}
            """);
    counts = Cli.json("data", "check", spans).get("labels");
    assertEquals("{\"PER\":2}", counts.toString());
  }

  @Test
  void everyFaultIsCounted() throws IOException {
    Path data =
        Files.write(
            folder.resolve("train.tsv"),
            List.of(
                "text\tlabel",
                "good film\tpos",
                "bad film\tneg",
                "good film\tpos",
                "good film\tneg",
                "held out\tpos",
                "\u00c3\u00a4rger\tneg",
                "broken \ufffd\tneg",
                "zero\u200bwidth\tPos",
                "bell\u0007\tneg",
                "\tneg",
                "no label\t"));
    Path heldOut = Files.writeString(folder.resolve("dev.tsv"), "text\tlabel\nheld out\tpos\n");
    DataCommandsTest.makeModel(folder.resolve("model"));
    Cli cli =
        Cli.run(
            "data", "check", data, "--eval", heldOut, "--model", folder.resolve("model"), "--json");
    assertEquals(1, cli.exitCode(), cli::err);
    JsonNode said = new ObjectMapper().readTree(cli.out());
    assertEquals(11, said.get("rows").asInt());
    assertEquals(6, said.get("labels").get("neg").asInt());
    assertEquals(1, said.get("unlabelled").asInt());
    assertEquals(1, said.get("emptyTexts").asInt());
    assertEquals(2, said.get("duplicates").asInt());
    assertEquals(1, said.get("contradictions").asInt());
    assertEquals(1, said.get("leaked").asInt());
    assertEquals(4, said.get("oddTexts").size(), said::toString);
    assertEquals("'pos' and 'Pos'", said.get("likeLabels").get(0).asText());
    assertTrue(said.get("tokens").get("median").asInt() > 0);
    String text = Cli.run("data", "check", data, "--eval", heldOut).out();
    assertTrue(text.startsWith("11 rows, 3 labels"), text);
    for (String line :
        List.of(
            "1 row has no label: line 12",
            "1 row has no text: line 11",
            "2 rows have a text that came before: lines 4, 5",
            "1 of them has another label than it had: line 5",
            "1 row stands in the held-out data, too: line 6",
            "1 text has replacement characters: line 8",
            "1 text has UTF-8 that was read as Latin-1: line 7")) {
      assertTrue(text.lines().anyMatch(line::equals), line + "\n" + text);
    }
    assertEquals(data + ":5", said.get("places").get("contradictions").get(0).asText());
  }

  /** Of many rows the first are named; of several files, with their names. */
  @Test
  void theFirstRowsAreNamed() throws IOException {
    Path one = Files.writeString(folder.resolve("one.tsv"), "text\tlabel\nfilm\tpos\n");
    Path many =
        Files.writeString(
            folder.resolve("many.tsv"), "text\tlabel\n" + "film a b c\tpos\n".repeat(9));
    DataCommandsTest.makeModel(folder.resolve("model"));
    for (Object model : List.of(folder.resolve("model"), "all-minilm-l6-v2")) {
      Cli check =
          Cli.run(
              "data",
              "check",
              many,
              "--max-length",
              4,
              "--model",
              model,
              "--label-column",
              "label");
      String cut = "; 9 are cut at 4: lines 2, 3, 4, 5, 6 and 4 more";
      assertTrue(check.out().contains(cut), check.out() + check.err());
      assertTrue(check.out().contains("came before: lines 3, 4, 5, 6, 7 and 3 more"), check.out());
    }
    String both = Cli.run("data", "check", one, many, "--eval", one).out();
    assertTrue(both.contains("held-out data, too: " + one + ":2" + System.lineSeparator()), both);
    assertTrue(both.contains("came before: " + many + ":3, " + many + ":4, "), both);
    String only = Cli.run("data", "check", one).out();
    assertTrue(only.startsWith("1 row, 1 label" + System.lineSeparator()), only);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] packed(String text, int cut, boolean zstd) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream out = zstd ? new ZstdOutputStream(bytes) : new GZIPOutputStream(bytes)) {
      out.write(bytes(text));
    }
    return Arrays.copyOf(bytes.toByteArray(), bytes.size() - cut);
  }

  private static final String ROWS = "text\tlabel\ngood film\tpos\nbad film\tneg\n";

  /** Names of files and what is in them, of which most end a training. */
  private static Map<String, byte[]> files() throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    String rows = ROWS;
    String json = "{\"text\":\"good film\",\"label\":\"pos\"}\n";
    files.put("cut.tsv.gz", packed(rows, 9, false));
    files.put("cut.tsv.zst", packed(rows, 9, true));
    files.put("other.tsv.bz2", bytes("BZh91"));
    files.put("empty-label.tsv", bytes(rows + "film\t\n"));
    files.put("no-label.tsv", bytes("text\nfilm\n"));
    files.put("other-label.tsv", bytes(rows + "film\tmiddle\n"));
    files.put("other-case.tsv", bytes(rows + "film\tPos\n"));
    files.put("number.tsv", bytes(rows + "film\t7\n"));
    files.put("empty-text.tsv", bytes(rows + " \tpos\n"));
    files.put("columns.tsv", bytes(rows + "film\n"));
    files.put("nul.tsv", bytes(rows + "a\0b\tpos\n"));
    files.put("latin.tsv", (rows + "\u00e4\tpos\n").getBytes(StandardCharsets.ISO_8859_1));
    files.put("utf16.tsv", rows.getBytes(StandardCharsets.UTF_16));
    files.put("gap.tsv", bytes(rows + "\nfilm\tpos\n"));
    files.put("twice.tsv", bytes("text\ttext\tlabel\na\tb\tpos\n"));
    files.put("heading.tsv", bytes("text\tlabel\n"));
    files.put("nothing.tsv", new byte[0]);
    files.put("pair.tsv", bytes("sentence1\tsentence2\tlabel\ngood\tfilm\tpos\nbad\t\tneg\n"));
    files.put("quote.csv", bytes("text,label\n\"good,pos\n"));
    files.put("text.txt", bytes("good film\n"));
    files.put("rows.xlsx", bytes(rows));
    files.put("broken.jsonl", bytes(json + "{\"text\":\n"));
    files.put("list.jsonl", bytes(json + "{\"text\":\"film\",\"label\":[\"pos\"]}\n"));
    files.put("null.jsonl", bytes(json + "{\"text\":\"film\",\"label\":null}\n"));
    files.put("without.jsonl", bytes(json + "{\"text\":\"film\"}\n"));
    files.put(
        "pairs.jsonl",
        bytes(json + "{\"text\":\"film\",\"text_pair\":\"bad\",\"label\":\"pos\"}\n"));
    files.put(
        "late-pairs.jsonl",
        bytes(json.repeat(1100) + "{\"text\":\"film\",\"text_pair\":\"bad\",\"label\":\"pos\"}\n"));
    files.put("tokens.jsonl", bytes(json + "{\"input_ids\":[1,2],\"label\":\"pos\"}\n"));
    files.put("only-tokens.jsonl", bytes("{\"input_ids\":[1,2],\"label\":\"pos\"}\n"));
    files.put("token.jsonl", bytes("{\"input_ids\":[1,99999],\"label\":\"pos\"}\n"));
    files.put(
        "long.jsonl", bytes("{\"input_ids\":[1" + ",2".repeat(2000) + "],\"label\":\"pos\"}\n"));
    files.put("inputs.jsonl", bytes("{\"input_ids\":[1,2],\"pixels\":[1,2],\"label\":\"pos\"}\n"));
    return files;
  }

  /** As training data and as held-out data; who is told by the check has been told in its words. */
  @Test
  void whatATrainingRefusesTheCheckFinds() throws IOException {
    Path model = folder.resolve("model");
    DataCommandsTest.makeModel(model);
    Path good = Files.write(folder.resolve("fine.tsv"), bytes("text\tlabel\nnice film\tpos\n"));
    Set<String> alsoHeldOut = Set.of("other-label.tsv", "pair.tsv", "latin.tsv", "tokens.jsonl");
    int refused = 0;
    for (Map.Entry<String, byte[]> entry : files().entrySet()) {
      Path file = Files.write(folder.resolve(entry.getKey()), entry.getValue());
      for (boolean heldOut : new boolean[] {false, true}) {
        if (heldOut && !alsoHeldOut.contains(entry.getKey())) {
          continue;
        }
        Path run = folder.resolve("run");
        Cli train =
            Cli.run(
                "train",
                model,
                "--data",
                heldOut ? good : file,
                "--eval",
                heldOut ? file : good,
                "--method",
                "head",
                "--steps",
                1,
                "--force",
                "-o",
                run);
        Cli check =
            Cli.run(
                "data",
                "check",
                heldOut ? good : file,
                "--eval",
                heldOut ? file : good,
                "--model",
                model);
        if (train.exitCode() != 0) {
          refused++;
          assertEquals(1, check.exitCode(), entry.getKey() + "\n" + train.err() + check.out());
          String line = train.err().strip().lines().reduce((a, b) -> b).orElseThrow();
          String words = line.substring(line.indexOf(": ") + 2);
          assertTrue(
              (check.err() + check.out()).contains(words),
              entry.getKey() + "\n" + line + "\n" + check.err() + check.out());
        }
      }
    }
    assertTrue(refused > 30, "refused: " + refused);
  }

  /** Columns are named for the training data and for what is held out, as a training has it. */
  @Test
  void columnsAreThoseOfBothFiles() throws IOException {
    DataCommandsTest.makeModel(folder.resolve("model"));
    String rows = "utterance\ttopic\ngood film\tpos\nbad film\tneg\n";
    Path data = Files.writeString(folder.resolve("train.tsv"), rows);
    Path same = Files.writeString(folder.resolve("same.tsv"), "utterance\ttopic\ngood film\tpos\n");
    Path other = Files.writeString(folder.resolve("other.tsv"), "text\tlabel\ngood film\tpos\n");
    for (boolean withModel : new boolean[] {false, true}) {
      Cli taken = checkColumns(data, same, withModel);
      assertEquals(1, taken.exitCode(), taken::err);
      assertTrue(taken.out().contains("1 row stands in the held-out data, too"), taken.out());
      assertFalse(taken.out().contains("refuses"), taken.out());
      Cli refused = checkColumns(data, other, withModel);
      assertEquals(1, refused.exitCode(), refused::out);
      String why = "other.tsv:1 has no column 'utterance'";
      assertTrue((refused.out() + refused.err()).contains(why), refused.out() + refused.err());
    }
    Cli train =
        Cli.run(
            "train",
            folder.resolve("model"),
            "--data",
            data,
            "--eval",
            other,
            "--text-column",
            "utterance",
            "--label-column",
            "topic",
            "--method",
            "head",
            "-o",
            folder.resolve("run"));
    assertEquals(1, train.exitCode());
    assertTrue(train.err().contains("other.tsv:1 has no column 'utterance'"), train.err());
  }

  private Cli checkColumns(Path data, Path heldOut, boolean withModel) {
    List<Object> words =
        new ArrayList<>(
            List.of("data", "check", data, "--eval", heldOut, "--text-column", "utterance"));
    words.addAll(List.of("--label-column", "topic"));
    if (withModel) {
      words.addAll(List.of("--model", folder.resolve("model")));
    }
    return Cli.run(words.toArray());
  }

  /** Embeddings are measured by a search; other tasks are not, in the words of a training. */
  @Test
  void aSearchIsHeldOutForEmbeddingsAlone() throws IOException {
    Path groups = Files.writeString(folder.resolve("groups.tsv"), "anchor\tpositive\ngood\tfilm\n");
    Path corpus = Files.writeString(folder.resolve("corpus.tsv"), "id\ttext\nd1\tgood film\n");
    Path queries = Files.writeString(folder.resolve("queries.tsv"), "id\ttext\nq1\tgood\n");
    Path judged =
        Files.writeString(folder.resolve("qrels.tsv"), "query-id\tcorpus-id\tscore\nq1\td1\t1\n");
    for (String task : List.of("embedding", "classification")) {
      Path data =
          task.equals("embedding")
              ? groups
              : Files.writeString(folder.resolve("train.tsv"), "text\tlabel\ngood\tpos\n");
      Cli check =
          Cli.run(
              "data",
              "check",
              data,
              "--task",
              task,
              "--eval-corpus",
              corpus,
              "--eval-queries",
              queries,
              "--eval-qrels",
              judged);
      assertEquals(task.equals("embedding") ? 0 : 1, check.exitCode(), check.out() + check.err());
      assertEquals(
          !task.equals("embedding"),
          check.out().contains("is a search, which embeddings alone are measured with"),
          check.out() + check.err());
    }
  }

  @Test
  void markAndLineEndsAreSaid() throws IOException {
    for (Map.Entry<String, String> said :
        Map.of(
                "\ufeff" + ROWS,
                "begins with a byte order mark",
                ROWS.replace("\n", "\r\n"),
                "its lines end in CR LF",
                ROWS.replace("\n", "\r"),
                "0 lines end in LF, 0 in CR LF, 3 in CR",
                ROWS.replaceFirst("\n", "\r\n"),
                "2 lines end in LF, 1 in CR LF, 0 in CR")
            .entrySet()) {
      Path file = Files.writeString(folder.resolve("odd.tsv"), said.getKey());
      Cli check = Cli.run("data", "check", file);
      assertEquals(0, check.exitCode(), check::out);
      assertTrue(check.err().contains(file + ": "), check.err());
      assertTrue(check.err().contains(said.getValue()), check.err());
    }
    Path packed = Files.write(folder.resolve("packed.tsv"), packed(ROWS, 0, true));
    assertEquals(0, Cli.run("data", "check", packed).exitCode());
  }

  @Test
  void encodersAndOtherTasksAreChecked() throws IOException {
    Path pairs =
        Files.writeString(folder.resolve("pairs.tsv"), "anchor\tpositive\ngood\tfilm\nbad\t\n");
    Cli embedding = Cli.run("data", "check", pairs, "--task", "embedding");
    assertEquals(1, embedding.exitCode());
    assertTrue(embedding.err().contains("pairs.tsv:3"), embedding.err());
    // Lengths are of texts as they are encoded, one by one: 3 of 3 tokens, and one of 7.
    Path groups =
        Files.writeString(
            folder.resolve("groups.tsv"),
            "anchor\tpositive\tnegative\ngood\tfilm\ta b c d e\nbad\tmovie\tx\n");
    Cli whole =
        Cli.run(
            "data",
            "check",
            groups,
            "--task",
            "embedding",
            "--model",
            "all-minilm-l6-v2",
            "--max-length",
            6);
    assertEquals(0, whole.exitCode(), whole::err);
    assertTrue(whole.out().contains("half of the texts have at most 3 tokens"), whole.out());
    assertTrue(whole.out().contains("1 "), whole.out());
    assertFalse(whole.out().contains("no label"), whole.out());
    // As a training of embeddings cuts them, by the model's own files.
    Cli usual =
        Cli.run("data", "check", groups, "--task", "embedding", "--model", "all-minilm-l6-v2");
    assertTrue(usual.out().contains("0 are cut at 256"), usual.out());
    Path data = Files.writeString(folder.resolve("t.tsv"), "text\tlabel\nfilm\t0.5\nbad\t1\n");
    Cli named =
        Cli.run("data", "check", data, "--model", "all-minilm-l6-v2", "--task", "regression");
    assertEquals(0, named.exitCode(), named::err);
    assertTrue(named.out().contains("half of the texts have at most 3 tokens"), named.out());
    Cli encoder = Cli.run("data", "check", data, "--model", "all-minilm-l6-v2");
    assertEquals(0, encoder.exitCode(), encoder::err);
    assertFalse(encoder.err().contains("head"), encoder.err());
    assertTrue(
        encoder.err().contains("in the tokens of all-MiniLM-L6-v2, which has no labels"),
        encoder.err());
    assertTrue(encoder.out().contains("half of the texts have at most 3 tokens"), encoder.out());
  }

  /** Of several files, of what is held out beside them, and of what is held out of them. */
  @Test
  void whatColumnsAreTakenForIsSaidOnce() throws IOException {
    Path model = folder.resolve("model");
    DataCommandsTest.makeModel(model);
    String rows = "Text\tLabel\n" + "good film\tpos\nbad film\tneg\n".repeat(10);
    Path one = Files.writeString(folder.resolve("one.tsv"), rows);
    Path two = Files.writeString(folder.resolve("two.tsv"), rows);
    Path three = Files.writeString(folder.resolve("three.tsv"), rows);
    List<Object> train =
        List.of("train", model, "--method", "head", "--steps", 1, "--force", "--data", one);
    List<Object> run = List.of("--data", two, "-o", folder.resolve("run"));
    for (List<Object> command :
        List.of(
            List.<Object>of("data", "check", one, two, "--eval", three, "--model", model),
            joined(train, joined(run, List.of("--eval", three))),
            joined(train, joined(run, List.of("--eval-split", 0.2))),
            List.<Object>of("eval", model, "--data", one, "--data", two))) {
      Cli cli = Cli.run(command.toArray());
      assertTrue(cli.exitCode() == 0 || command.contains("check"), cli::err);
      for (String column : List.of("'Text' is taken for 'text'", "'Label' is taken for 'label'")) {
        assertEquals(1, cli.err().lines().filter(line -> line.contains(column)).count(), cli::err);
      }
    }
  }

  private static List<Object> joined(List<Object> first, List<Object> second) {
    return Stream.concat(first.stream(), second.stream()).toList();
  }

  @Test
  void goodDataPasses() throws IOException {
    StringBuilder rows = new StringBuilder("text\tlabel\n");
    for (int i = 0; i < 5000; i++) {
      rows.append("text ").append(i).append('\t').append(i % 2).append('\n');
    }
    Path data = Files.writeString(folder.resolve("train.tsv"), rows);
    Cli cli = Cli.run("data", "check", data, "--json");
    assertEquals(0, cli.exitCode(), cli::err);
    JsonNode said = new ObjectMapper().readTree(cli.out());
    assertEquals(5000, said.get("rows").asInt());
    assertEquals(0, said.get("duplicates").asInt());
    assertEquals(2500, said.get("labels").get("1").asInt());
    Cli bad =
        Cli.run("data", "check", Files.writeString(folder.resolve("b.tsv"), "text\tlabel\nx\n"));
    assertEquals(1, bad.exitCode());
    assertTrue(bad.err().contains("b.tsv:2"), bad.err());
  }
}
