package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.data.Columns;
import io.github.loragraph.data.DataFile;
import io.github.loragraph.fixtures.Fixtures;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** From a data file to answers and figures, by the commands. */
@Timeout(300)
class DataCommandsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> WORDS = List.of("good", "bad", "film", "the", "a");

  @TempDir Path folder;
  private Path model;

  @BeforeEach
  void makeModel() throws IOException {
    model = folder.resolve("model");
    makeModel(model);
  }

  /** The small BERT with a tokenizer of whole words; classes neg and pos. */
  static void makeModel(Path model) throws IOException {
    Files.createDirectory(model);
    Files.copy(Fixtures.file("tiny-bert/model.onnx"), model.resolve("model.onnx"));
    String config = Files.readString(Fixtures.file("tiny-bert/config.json"));
    JsonNode root = JSON.readTree(config);
    ((ObjectNode) root).remove("label2id");
    ((ObjectNode) root).set("id2label", JSON.readTree("{\"0\": \"neg\", \"1\": \"pos\"}"));
    Files.writeString(model.resolve("config.json"), root.toString());
    Files.writeString(model.resolve("tokenizer.json"), tokenizer(WORDS, 5));
  }

  private static String tokenizer(List<String> words, int first) {
    StringBuilder vocabulary = new StringBuilder("\"[PAD]\":0,\"[UNK]\":1,\"[CLS]\":2,\"[SEP]\":3");
    for (int i = 0; i < words.size(); i++) {
      vocabulary.append(",\"%s\":%d".formatted(words.get(i), first + i));
    }
    return """
        {"version": "1.0", "added_tokens": [], "normalizer": {"type": "Lowercase"},
         "pre_tokenizer": {"type": "Whitespace"},
         "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
         "decoder": null,
         "model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {%s}}}
        """
        .formatted(vocabulary);
  }

  private Path file(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  private static double positive(JsonNode prediction) {
    return prediction.get("probabilities").get("pos").asDouble();
  }

  private double positive(String text) {
    return positive(Cli.json("predict", model, text).get("predictions").get(0));
  }

  @Test
  void pairsAreTheSameFromATabColumnsAndJson() throws IOException {
    double expected = positive("good\tbad film");
    assertNotEquals(expected, positive("good bad film"), 1e-5);
    assertNotEquals(expected, positive("bad film\tgood"), 1e-5);
    Path csv = file("p.csv", "sentence1,sentence2,label\ngood,bad film,pos\nbad,good,neg\n");
    Path tsv = file("p.tsv", "premise\thypothesis\ngood\tbad film\nbad\tgood\n");
    Path json =
        file(
            "p.jsonl",
            "{\"text\":\"good\",\"text_pair\":\"bad film\"}\n{\"text\":\"bad\",\"text_pair\":\"good\"}\n");
    Path ids =
        file("ids.jsonl", "{\"input_ids\":[2,5,3,6,7,3],\"token_type_ids\":[0,0,0,1,1,1]}\n");
    for (Path data : List.of(csv, tsv, json, ids)) {
      JsonNode predictions = Cli.json("predict", model, "--data", data).get("predictions");
      assertEquals(expected, positive(predictions.get(0)), 1e-6, data.toString());
    }
    Cli mixed = Cli.run("predict", model, "good", "bad\tgood");
    assertEquals(1, mixed.exitCode());
    assertTrue(mixed.err().contains("text 2 mixes"), mixed.err());
    Cli tabs = Cli.run("predict", model, "a\tb\tc");
    assertTrue(tabs.err().contains("text 1 has 2 tabs"), tabs.err());
  }

  @Test
  void answersAreWrittenBesideTheData() throws IOException {
    Path data = file("d.csv", "id,Text,label\n7,\"good, film\",pos\n8,\"two\nlines\",neg\n9,,\n");
    double expected = positive("good, film");
    for (String name : List.of("out.csv", "out.tsv", "out.jsonl")) {
      Path out = folder.resolve(name);
      Cli run = Cli.run("predict", model, "--data", data, "-o", out);
      assertEquals(0, run.exitCode(), run.err());
      assertTrue(run.err().contains("column 'Text' is taken for 'text'"), run.err());
      assertEquals(name.endsWith(".tsv"), run.err().contains("became spaces in 1 of 3 rows"));
      List<JsonNode> rows = new ArrayList<>();
      List<String> names = new ArrayList<>();
      new DataFile(out, Columns.USUAL, notice -> {})
          .each(
              (row, fields) -> {
                rows.add(JSON.valueToTree(fields));
                names.clear();
                names.addAll(fields.keySet());
              });
      assertEquals(
          List.of(
              "id",
              "Text",
              "label",
              "predicted_label",
              "predicted_probability",
              "probability_neg",
              "probability_pos"),
          names);
      assertEquals(3, rows.size());
      assertEquals("good, film", rows.get(0).get("Text").asText());
      assertEquals(expected, rows.get(0).get("probability_pos").asDouble(), 1e-6);
      assertEquals(1, Cli.run("predict", model, "--data", data, "-o", out).exitCode());
      assertEquals(0, Cli.run("predict", model, "--data", data, "-o", out, "--force").exitCode());
      Cli again = Cli.run("predict", model, "--data", out, "-o", folder.resolve("again.jsonl"));
      assertTrue(again.err().contains("has a column 'predicted_label' already"), again.err());
      assertFalse(Files.exists(folder.resolve("again.jsonl")));
    }
    assertEquals(2, Cli.run("predict", model, "text", "--data", data).exitCode());
    assertEquals(1, Cli.run("predict", model, "--data", data, "-o", "x.xlsx").exitCode());
    Path bad = file("bad.csv", "text\n" + "good\n".repeat(3000) + "a,b\n");
    Cli failed = Cli.run("predict", model, "--data", bad, "-o", folder.resolve("half.csv"));
    assertTrue(failed.err().contains("bad.csv:3002 has 2 columns"), failed.err());
    assertFalse(Files.exists(folder.resolve("half.csv")));
  }

  @Test
  void aTextIsOneLineWhateverIsInIt() throws IOException {
    Path data = file("d.jsonl", "{\"text\":\"two\\nlines\\u001b[31m\\ttab\\r\\nend\"}\n");
    String line = Cli.run("predict", model, "--data", data).out();
    assertEquals(1, line.lines().count());
    assertTrue(line.endsWith("\ttwo\\nlines\\u001b[31m\\ttab\\r\\nend\n"), line);
    JsonNode json = Cli.json("predict", model, "--data", data);
    assertEquals(
        "two\nlines\u001b[31m\ttab\r\nend", json.get("predictions").get(0).get("text").asText());
  }

  @Test
  void onAPipeEachLineIsAnsweredWhenItComes() throws Exception {
    InputStream before = System.in;
    PipedOutputStream in = new PipedOutputStream();
    PipedInputStream out = new PipedInputStream(1 << 16);
    System.setIn(new PipedInputStream(in));
    try {
      CommandLine commandLine = LoraGraph.commandLine();
      commandLine.setOut(new PrintWriter(new PipedOutputStream(out), true, StandardCharsets.UTF_8));
      int[] exit = {-1};
      Thread thread =
          new Thread(() -> exit[0] = LoraGraph.execute(commandLine, "predict", model.toString()));
      thread.start();
      BufferedReader answers =
          new BufferedReader(new InputStreamReader(out, StandardCharsets.UTF_8));
      for (String text : List.of("good", "", "b\u00e4d \ud83d\ude00", "the film")) {
        in.write((text + "\n").getBytes(StandardCharsets.UTF_8));
        in.flush();
        String line = answers.readLine();
        assertTrue(line.matches("(neg|pos)\t0\\.\\d{4}\t.*"), line);
        assertTrue(line.endsWith("\t" + text), line);
      }
      in.close();
      thread.join();
      assertEquals(0, exit[0]);
    } finally {
      System.setIn(before);
    }
  }

  @Test
  void whatIsCutIsSaidInTrainEvalAndPredict() throws IOException {
    String longText = "good ".repeat(100).strip();
    Path data =
        file("d.tsv", "text\tlabel\n" + longText + "\tpos\nbad\tneg\n" + longText + " a\tpos\n");
    String words = "2 of 3 texts cut at 12 tokens";
    Cli eval = Cli.run("eval", model, "--data", data, "--max-length", 12);
    assertTrue(eval.err().contains("d.tsv: " + words), eval.err());
    assertEquals(
        2, Cli.json("eval", model, "--data", data, "--max-length", 12).get("truncated").asInt());
    Cli predict = Cli.run("predict", model, "--data", data, "--max-length", 12);
    assertEquals(data + ": " + words, predict.err().strip());
    Cli argument = Cli.run("predict", model, longText, "--max-length", 12);
    assertEquals("arguments: 1 of 1 texts cut at 12 tokens", argument.err().strip());
    assertEquals(3, predict.out().lines().count());
    Cli.json("inject", model, "--match", "query", "--rank", 2);
    Cli train =
        Cli.run(
            "train",
            model.resolve("model.lora.onnx"),
            "--data",
            data,
            "--eval",
            data,
            "--steps",
            1,
            "--max-length",
            12,
            "-o",
            folder.resolve("run"));
    assertEquals(0, train.exitCode(), train.err());
    assertEquals(2, train.err().split(words, -1).length - 1, train.err());
    // As the run was trained: the same without the option.
    assertTrue(Cli.run("eval", folder.resolve("run"), "--data", data).err().contains(words));
    assertFalse(
        Cli.run("eval", model, "--data", file("s.tsv", "text\tlabel\na\tpos\n"))
            .err()
            .contains("cut"));
  }

  @Test
  void aRunSaysHowItsDataAreRead() throws IOException {
    Path data = file("d.csv", "text,review,kind\nx,good film,pos\ny,bad,neg\nz,the film,neg\n");
    Cli.json("inject", model, "--match", "query", "--rank", 2);
    Path run = folder.resolve("run");
    Cli.json(
        "train",
        model.resolve("model.lora.onnx"),
        "--data",
        data,
        "--steps",
        2,
        "--text-column",
        "review",
        "--label-column",
        "kind",
        "-o",
        run);
    JsonNode named =
        Cli.json("eval", run, "--data", data, "--text-column", "review", "--label-column", "kind");
    JsonNode fromRun = Cli.json("eval", run, "--data", data);
    assertEquals(named, fromRun);
    Cli said = Cli.run("eval", run, "--data", data);
    assertTrue(said.err().contains("config.yaml: 'review', 'kind'"), said.err());
    JsonNode answers = Cli.json("predict", run, "--data", data).get("predictions");
    assertEquals("good film", answers.get(0).get("text").asText());
    Cli other = Cli.run("eval", run, "--data", data, "--text-column", "text");
    assertEquals(0, other.exitCode());
    Path config = run.resolve("config.yaml");
    Files.writeString(
        config, Files.readString(config).replaceFirst("maxLength: .*", "maxLength: x"));
    Cli damaged = Cli.run("eval", run, "--data", data);
    assertTrue(damaged.err().contains("config.yaml: 'maxLength' is x"), damaged.err());
  }

  /** A mail of pages in a line for each mistake hides the others; files have it whole. */
  @Test
  void longTextsAreShortenedInTheListOfMistakesAlone() throws IOException {
    String text = "good\uD83D\uDE00 ".repeat(100).strip();
    Path data = file("d.jsonl", json(text, "pos") + json(text, "neg") + json("the film", "pos"));
    String shown = Cli.run("eval", model, "--data", data, "--errors", 3).out();
    // Five code points and a space, a hundred times, less the last space.
    String beginning = text.substring(0, text.offsetByCodePoints(0, 200));
    assertTrue(shown.contains(beginning + " ... (399 more characters)"), shown);
    assertFalse(shown.contains(text), shown);
    JsonNode errors = Cli.json("eval", model, "--data", data, "--errors", 3).get("errors");
    assertTrue(errors.findValuesAsText("text").contains(text), errors.toString());
    Path file = folder.resolve("errors.csv");
    Cli.run("eval", model, "--data", data, "--errors", file);
    assertTrue(Files.readString(file).contains(text));
  }

  private static String json(String text, String label) {
    return "{\"text\": \"%s\", \"label\": \"%s\"}\n".formatted(text, label);
  }

  @Test
  void theWorstMistakesAreListed() throws IOException {
    StringBuilder rows = new StringBuilder("text\tlabel\n");
    for (String text : List.of("good", "bad", "film film", "the film", "a good film")) {
      rows.append(text).append("\tpos\n").append(text).append("\tneg\n");
    }
    Path data = file("d.tsv", rows.toString());
    JsonNode json = Cli.json("eval", model, "--data", data, "--errors", 3);
    JsonNode errors = json.get("errors");
    assertEquals(3, errors.size());
    double last = Double.MAX_VALUE;
    for (JsonNode error : errors) {
      assertTrue(error.get("loss").asDouble() <= last);
      last = error.get("loss").asDouble();
      assertNotEquals(error.get("label"), error.get("answer"));
      double p = positive(error.get("text").asText());
      double own = error.get("label").asText().equals("pos") ? p : 1 - p;
      assertEquals(-Math.log(own), last, 1e-5);
      assertTrue(error.get("row").asText().contains("d.tsv:"));
    }
    Path file = folder.resolve("errors.csv");
    Cli text = Cli.run("eval", model, "--data", data, "--errors", file);
    assertTrue(text.out().contains("written: " + file), text.out());
    List<String> lines = Files.readAllLines(file);
    assertEquals("row,label,answer,loss,text", lines.get(0));
    // Each text has both labels, so that half of the answers are wrong.
    assertEquals(6, lines.size());
    assertTrue(Cli.run("eval", model, "--data", data, "--errors", 2).out().contains("d.tsv:"));
    assertEquals(1, Cli.run("eval", model, "--data", data, "--errors", file).exitCode());
  }

  @Test
  void tokensThatTheModelDoesNotHaveAreRefusedBeforeItRuns() throws IOException {
    Path data = file("d.tsv", "text\tlabel\ngood\tpos\n");
    Files.writeString(model.resolve("tokenizer.json"), tokenizer(WORDS, 42891));
    String words = "the tokenizer gives the token 42891, and the model's vocabulary has ";
    for (Cli run :
        List.of(Cli.run("predict", model, "good"), Cli.run("eval", model, "--data", data))) {
      assertEquals(1, run.exitCode());
      assertEquals(1, run.err().lines().count(), run.err());
      assertTrue(run.err().contains(words), run.err());
    }
    for (String row :
        List.of(
            "{\"input_ids\":[2,5000,3],\"label\":0}",
            "{\"input_ids\":[2,-1,3],\"label\":0}",
            "{\"input_ids\":[2,5,3],\"token_type_ids\":[0,2,0],\"label\":0}",
            "{\"input_ids\":[" + "2,".repeat(600) + "3],\"label\":0}")) {
      Cli run = Cli.run("eval", model, "--data", file("d.jsonl", row + "\n"));
      assertEquals(1, run.exitCode());
      assertEquals(1, run.err().lines().count(), run.err());
      assertTrue(run.err().contains("d.jsonl:1"), run.err());
      assertFalse(run.err().contains("ONNX Runtime"), run.err());
    }
    JsonNode config = JSON.readTree(model.resolve("config.json").toFile());
    ((ObjectNode) config).put("pad_token_id", 70000);
    Files.writeString(model.resolve("config.json"), config.toString());
    Cli padding = Cli.run("predict", model, "good");
    assertTrue(padding.err().contains("pad_token_id 70000"), padding.err());
  }

  @Test
  void thereIsOneClassForEachLabelAlsoWhereLabelsAreNumbers() throws IOException {
    Path codes = file("codes.tsv", "text\tlabel\ngood\t404\nbad\t500\nfilm\t200500\nthe\t500\n");
    Path encoder = folder.resolve("head");
    JsonNode head = Cli.json("add-head", "all-MiniLM-L6-v2", "--labels-from", codes, "-o", encoder);
    assertEquals("[\"404\",\"500\",\"200500\"]", head.get("labels").toString());
    JsonNode eval = Cli.json("eval", encoder, "--data", codes);
    assertEquals(3, eval.get("classes").size());
    assertEquals(2, eval.get("classes").get(1).get("support").asInt());
    Cli unknown = Cli.run("eval", encoder, "--data", file("o.tsv", "text\tlabel\ngood\t0\n"));
    assertTrue(unknown.err().contains("o.tsv:2 has the label '0'"), unknown.err());
    Cli alike =
        Cli.run(
            "add-head",
            "all-MiniLM-L6-v2",
            "--labels-from",
            file("c.tsv", "text\tlabel\na\tYes\nb\tyes\nc\tno\n"),
            "-o",
            folder.resolve("h2"));
    assertTrue(alike.err().contains("alike: 'Yes' and 'yes'"), alike.err());
  }

  @Test
  void figuresThatAreNotDefinedAreNone() throws IOException {
    Path one = file("one.tsv", "text\tlabel\ngood\tpos\n");
    JsonNode json = Cli.json("eval", model, "--data", one);
    boolean right = json.get("accuracy").asDouble() == 1;
    JsonNode negative = json.get("classes").get(0);
    assertEquals(right, negative.get("f1").isNull());
    assertTrue(negative.get("recall").isNull());
    assertEquals(right ? 1 : 0, json.get("absentClasses").size());
    Path regression = Files.createDirectory(folder.resolve("regression"));
    Files.copy(Fixtures.file("tiny-xlm-roberta/model.onnx"), regression.resolve("model.onnx"));
    Files.copy(
        Fixtures.file("tiny-xlm-roberta/tokenizer.json"), regression.resolve("tokenizer.json"));
    Path constant = file("c.tsv", "text\tlabel\ngood\t0.1\nbad\t0.1\nfine\t0.1\n");
    JsonNode measured = Cli.json("eval", regression, "--data", constant, "--task", "regression");
    assertTrue(measured.get("pearson").isNull(), measured::toString);
    assertTrue(measured.get("spearman").isNull(), measured::toString);
    Cli text = Cli.run("eval", regression, "--data", constant, "--task", "regression");
    assertTrue(text.out().contains("pearson not defined, spearman not defined"), text.out());
    Cli words =
        Cli.run(
            "eval",
            regression,
            "--task",
            "regression",
            "--data",
            file("n.tsv", "text\tlabel\na\tNaN\n"));
    assertTrue(words.err().contains("n.tsv:2 has the label 'NaN'"), words.err());
  }

  @Test
  void aFolderOfSeveralModels() throws IOException {
    double expected = positive("good");
    Path inner = Files.createDirectory(model.resolve("onnx"));
    Files.move(model.resolve("model.onnx"), inner.resolve("model_quantized.onnx"));
    Cli none = Cli.run("predict", model, "good");
    assertTrue(
        none.err()
            .contains(
                "holds no model.onnx, but onnx/model_quantized.onnx: choose with --file onnx/model_quantized.onnx"),
        none.err());
    for (String name : List.of("onnx/model_quantized.onnx", "model_quantized.onnx")) {
      JsonNode answer = Cli.json("predict", model, "good", "--file", name).get("predictions");
      assertEquals(expected, positive(answer.get(0)), 1e-9);
    }
    Cli wrong = Cli.run("inspect", model, "--file", "model_fp16.onnx");
    assertTrue(wrong.err().contains("there is: onnx/model_quantized.onnx"), wrong.err());
    assertEquals(0, Cli.run("inspect", model, "--file", "model_quantized.onnx").exitCode());
    Cli file = Cli.run("inspect", inner.resolve("model_quantized.onnx"), "--file", "x.onnx");
    assertTrue(file.err().contains("is no folder"), file.err());
    Cli bundled = Cli.run("inspect", "all-MiniLM-L6-v2", "--file", "x.onnx");
    assertTrue(bundled.err().contains("leave --file out"), bundled.err());
  }

  @Test
  void trainingAndHeldOutDataHaveTheSameColumns() throws IOException {
    Cli.json("inject", model, "--match", "query", "--rank", 2);
    Cli run =
        Cli.run(
            "train",
            model.resolve("model.lora.onnx"),
            "--data",
            file("p.tsv", "text\ttext_pair\tlabel\na\tb\tpos\n"),
            "--eval",
            file("s.tsv", "text\tlabel\na\tpos\n"),
            "--steps",
            1,
            "-o",
            folder.resolve("run"));
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("s.tsv:2 has single texts"), run.err());
  }

  /** The columns of a run's pairs were found by themselves: what it then gets is compared. */
  @Test
  void aRunOnPairsSaysThatItGetsSingleTextsAndTheOtherWayRound() throws IOException {
    Cli.json("inject", model, "--match", "query", "--rank", 2);
    String rows = "a\tb\tpos\nb\ta\tpos\n";
    Path pairs = file("p.tsv", "sentence1\tsentence2\tlabel\n" + rows);
    Path singles = file("s.tsv", "text\tlabel\na\tpos\nb\tpos\n");
    String single = " is a single text, and the run was trained on pairs";
    String pair = " is a pair of texts, and the run was trained on single texts";
    for (Path data : List.of(pairs, singles)) {
      Path run = folder.resolve("run-" + data.getFileName());
      Cli training =
          Cli.run(
              "train",
              model.resolve("model.lora.onnx"),
              "--data",
              data,
              "--untie",
              "--steps",
              1,
              "-o",
              run);
      assertEquals(0, training.exitCode(), training.err());
      assertTrue(
          training.err().contains(data + " has no example of 1 of the 2 classes: 'neg'"),
          training.err());
      assertTrue(training.err().contains("--untie changes nothing"), training.err());
      Path other = data == pairs ? singles : pairs;
      String said = data == pairs ? single : pair;
      for (Object[] command :
          new Object[][] {
            {"eval", run, "--data", other},
            {"predict", run, "--data", other},
            {"predict", run, data == pairs ? "a" : "a\tb"}
          }) {
        Cli otherwise = Cli.run(command);
        assertEquals(0, otherwise.exitCode(), otherwise.err());
        assertTrue(otherwise.err().contains(said), otherwise.err());
      }
      Cli same = Cli.run("eval", run, "--data", data);
      assertFalse(same.err().contains("trained on"), same.err());
    }
  }

  /** A label that is text, too, would be learned from itself; predict needs no label. */
  @Test
  void oneColumnIsNotTwo() throws IOException {
    Cli.json("inject", model, "--match", "query", "--rank", 2);
    Path table = file("t.tsv", "text\tlabel\npos\tpos\nneg\tneg\n");
    Path lines = file("t.jsonl", "{\"text\":\"pos\",\"label\":\"pos\"}\n");
    for (Path data : List.of(table, lines)) {
      for (String option : List.of("--text-column", "--text-pair-column")) {
        Cli run =
            Cli.run(
                "train",
                model.resolve("model.lora.onnx"),
                "--data",
                data,
                option,
                "label",
                "--steps",
                1,
                "-o",
                folder.resolve("run"));
        assertEquals(1, run.exitCode());
        assertTrue(run.err().contains(data + ":1: column 'label' is taken for two of"), run.err());
      }
      Cli predicted = Cli.run("predict", model, "--data", data, "--text-column", "label");
      assertEquals(0, predicted.exitCode(), predicted.err());
    }
  }
}
