package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Continued pretraining from the command line and from a program. */
class MaskedLanguageModelTest {
  @TempDir Path folder;
  private Path model;
  private Path train;
  private Path eval;

  @BeforeEach
  void prepare() throws IOException {
    model = MaskedModels.write(folder.resolve("mlm"), MaskedModels.Tie.COPIED);
    train = Files.writeString(folder.resolve("domain.txt"), MaskedModels.texts(90, 1));
    eval = Files.writeString(folder.resolve("held.txt"), MaskedModels.texts(60, 2));
  }

  private Path injected() {
    Cli.json("inject", model, "--match", "query|value", "--rank", 4);
    return model.resolve("model.lora.onnx");
  }

  @Test
  void learnsTheDomainAndSaysHowWell() throws IOException {
    JsonNode before = Cli.json("eval", model, "--task", "masked-lm", "--data", eval);
    Path run = folder.resolve("run");
    Cli trained =
        Cli.run(
            "train",
            injected(),
            "--task",
            "masked-lm",
            "--data",
            train,
            "--eval",
            eval,
            "--epochs",
            8,
            "--lr",
            "1e-2",
            "-o",
            run,
            "--json");
    assertEquals(0, trained.exitCode(), trained::err);
    assertTrue(trained.err().contains("15 % of the tokens are masked"), trained.err());
    String page = Files.readString(run.resolve("report.html"));
    assertTrue(page.contains("perplexity") && page.contains("% of the tokens of a batch"), page);
    assertFalse(page.contains("Worst mistakes"), "what is masked is no mistake");
    JsonNode after = Cli.json("eval", run, "--data", eval);
    assertEquals(before.get("examples"), after.get("examples"), "the same tokens are masked");
    assertTrue(after.get("loss").asDouble() < 0.6 * before.get("loss").asDouble(), after::toString);
    assertEquals(Math.exp(after.get("loss").asDouble()), after.get("perplexity").asDouble(), 1e-9);
    assertEquals(after, Cli.json("eval", run, "--data", eval), "each time the same");
    JsonNode merged = Cli.json("merge", run, "-o", folder.resolve("merged"));
    assertTrue(merged.get("maxOutputDifference").asDouble() < 1e-4, merged::toString);
    JsonNode whole =
        Cli.json("eval", folder.resolve("merged"), "--task", "masked-lm", "--data", eval);
    assertEquals(after.get("loss").asDouble(), whole.get("loss").asDouble(), 1e-4);
    assertTrue(Cli.run("eval", run, "--data", eval).out().contains("perplexity"));
    // The head and the embeddings stay as they are, unless they are asked for.
    OnnxModel original = OnnxFile.read(model.resolve("model.onnx"));
    OnnxModel tuned = Runs.model(run);
    for (String name :
        List.of("onnx::MatMul_900", "onnx::MatMul_901", "lm_head.layer_norm.weight")) {
      assertArrayEquals(
          original.graph().initializer(name).toFloats(),
          tuned.graph().initializer(name).toFloats());
    }
  }

  /** Both engines, several lengths, batches that share steps, and several steps in a call. */
  @Test
  void theSameHoweverItIsCut() throws IOException {
    Path adapted = injected();
    byte[] expected = null;
    for (int stepsPerCall : new int[] {1, 2, 8}) {
      Path run = folder.resolve("run" + stepsPerCall);
      Cli.json(
          "train",
          adapted,
          "--task",
          "masked-lm",
          "--data",
          train,
          "--engine",
          "graph",
          "--epochs",
          2,
          "--batch-size",
          4,
          "--accumulate",
          3,
          "--steps-per-call",
          stepsPerCall,
          "-o",
          run);
      byte[] trained = Runs.learned(run);
      expected = expected == null ? trained : expected;
      assertArrayEquals(expected, trained, stepsPerCall + " steps in a call");
    }
    Path other = folder.resolve("other");
    Cli.json(
        "train",
        adapted,
        "--task",
        "masked-lm",
        "--data",
        train,
        "--engine",
        "graph",
        "--epochs",
        2,
        "--batch-size",
        4,
        "--accumulate",
        3,
        "--seed",
        1,
        "-o",
        other);
    assertFalse(Arrays.equals(expected, Runs.learned(other)));
  }

  @ParameterizedTest
  @CsvSource({"false", "true"})
  void goesOnToTheSameBytes(boolean wholeWords) throws IOException {
    Path adapted = injected();
    List<Object> options =
        new ArrayList<>(
            List.of("--task", "masked-lm", "--data", train, "--engine", "graph", "--epochs", 3));
    options.addAll(List.of("--mlm-probability", 0.3, "--checkpoint-every", 5));
    if (wholeWords) {
      options.add("--whole-word-masking");
    }
    Path straight = folder.resolve("straight");
    Cli.json(words(List.of("train", adapted, "-o", straight), options));

    Path stopped = folder.resolve("stopped");
    TrainingArguments arguments =
        TrainingArguments.builder()
            .task(Task.MASKED_LM)
            .engine(TrainingArguments.Engine.GRAPH)
            .numTrainEpochs(3)
            .mlmProbability(0.3)
            .wholeWordMasking(wholeWords)
            .saveSteps(5)
            .outputDir(stopped)
            .build();
    TrainingListener stop =
        new TrainingListener() {
          private long step;

          @Override
          public void onStepEnd(StepMetrics metrics) {
            step = metrics.step();
          }

          @Override
          public boolean shouldTrainingStop() {
            return step == 17;
          }
        };
    assertThrows(
        TrainingCancelledException.class,
        () -> Model.open(adapted).train(Dataset.file(train), arguments, stop));
    Path config = stopped.resolve("config.yaml");
    List<String> lines = Files.readAllLines(config);
    for (String key : List.of("mlmProbability", "wholeWordMasking")) {
      Files.write(config, lines.stream().filter(line -> !line.startsWith(key)).toList());
      Cli lost = Cli.run("train", "--resume", stopped);
      assertEquals(1, lost.exitCode(), lost::err);
      assertTrue(lost.err().contains(key), lost::err);
    }
    Files.write(config, lines);
    Cli.json("train", "--resume", stopped);
    assertArrayEquals(Runs.learned(straight), Runs.learned(stopped));
  }

  private static Object[] words(List<Object> first, List<Object> then) {
    List<Object> all = new ArrayList<>(first);
    all.addAll(then);
    return all.toArray();
  }

  /** What the file says twice is trained as one, and both copies stay equal. */
  @ParameterizedTest
  @EnumSource(MaskedModels.Tie.class)
  void theWholeModelWithItsTiedDecoder(MaskedModels.Tie tie) throws IOException {
    Path whole = MaskedModels.write(folder.resolve("tied"), tie);
    Path run = folder.resolve("run");
    Cli.json(
        "train",
        whole,
        "--method",
        "full",
        "--task",
        "masked-lm",
        "--data",
        train,
        "--steps",
        6,
        "--lr",
        "1e-3",
        "-o",
        run);
    OnnxModel trained = Runs.model(run);
    String name = "roberta.embeddings.word_embeddings.weight";
    float[] table = trained.graph().initializer(name).toFloats();
    assertFalse(Arrays.equals(table, Runs.model(whole).graph().initializer(name).toFloats()));
    if (tie == MaskedModels.Tie.COPIED) {
      float[] decoder = trained.graph().initializer("onnx::MatMul_901").toFloats();
      int rows = MaskedModels.vocabulary();
      for (int row = 0; row < rows; row++) {
        for (int i = 0; i < MaskedModels.HIDDEN; i++) {
          assertEquals(table[row * MaskedModels.HIDDEN + i], decoder[i * rows + row]);
        }
      }
    }
  }

  @Test
  void findsWhatIsUnderAMask() throws IOException {
    JsonNode answer =
        Cli.json("predict", model, "--task", "masked-lm", "the <mask> is hot", "a <mask> <mask>");
    JsonNode masks = answer.get("predictions").get(0).get("masks");
    assertEquals(1, masks.size());
    assertEquals(2, masks.get(0).get("position").asInt());
    assertEquals(5, masks.get(0).get("predictions").size());
    assertEquals(2, answer.get("predictions").get(1).get("masks").size());
    double last = 1;
    for (JsonNode found : masks.get(0).get("predictions")) {
      assertTrue(found.get("probability").asDouble() <= last);
      last = found.get("probability").asDouble();
      assertEquals(MaskedModels.id(found.get("token").asText()), found.get("id").asInt());
    }
    Cli lines = Cli.run("predict", model, "--task", "masked-lm", "the <mask> is hot");
    List<String> first = lines.out().lines().toList();
    assertEquals(6, first.size(), lines.out());
    assertEquals(
        masks.get(0).get("predictions").get(0).get("token").asText(), first.get(0).split("\t")[0]);
    assertEquals("the <mask> is hot", first.get(0).split("\t")[2]);
    Path file = Files.writeString(folder.resolve("ask.txt"), "the <mask>\n\na <mask> is cold\n");
    Path answers = folder.resolve("answers.jsonl");
    Cli.json("predict", model, "--task", "masked-lm", "--data", file, "--output", answers);
    assertEquals(2, Files.readAllLines(answers).size());
    assertTrue(Files.readAllLines(answers).get(1).contains("predicted_tokens"));
    try (Predictor predictor =
        Model.open(model).predictor(InferenceArguments.builder().task(Task.MASKED_LM).build())) {
      Prediction found = predictor.predict(List.of(Example.of("the <mask> is hot"))).get(0);
      Prediction.TokenPrediction token = found.tokens().get(0);
      assertEquals("<mask>", token.token());
      assertEquals(first.get(0).split("\t")[0], token.label());
      assertEquals(List.of(), predictor.labels());
    }
    Cli none = Cli.run("predict", model, "--task", "masked-lm", "the pump is hot");
    assertEquals(1, none.exitCode());
    assertTrue(none.err().contains("text 1 has no <mask>"), none.err());
    assertEquals(1, none.err().lines().count(), none.err());
  }

  @Test
  void isTakenForItOnlyWhereItIsAskedFor() throws IOException {
    Cli unasked = Cli.run("train", model, "--method", "full", "--data", train, "-o", "none");
    assertEquals(1, unasked.exitCode());
    String note =
        "model.onnx is a RobertaForMaskedLM by its config.json: 'logits' is read as token-classification with 36 classes, and as tokens of the vocabulary where masked-lm is asked for";
    assertTrue(unasked.err().contains(note), unasked.err());
    Cli answered = Cli.run("predict", model, "the <mask> is hot");
    assertTrue(answered.err().contains(note), answered.err());
    Cli asked = Cli.run("predict", model, "--task", "masked-lm", "the <mask> is hot");
    assertEquals("", asked.err());
    Cli head = Cli.run("add-head", model, "--task", "masked-lm", "-o", folder.resolve("head"));
    assertEquals(2, head.exitCode());
    assertTrue(head.err().contains("language-model head"), head.err());
    Path labelled = Files.writeString(folder.resolve("l.tsv"), "text\tlabel\nthe pump\t1\n");
    Cli other =
        Cli.run(
            "train",
            model,
            "--method",
            "full",
            "--task",
            "token-classification",
            "--mlm-probability",
            0.2,
            "--data",
            labelled,
            "-o",
            folder.resolve("none"));
    assertEquals(1, other.exitCode());
    for (List<Object> wrong :
        List.<List<Object>>of(
            List.of("--mlm-probability", 0),
            List.of("--mlm-probability", 1.5),
            List.of("--stride", 4),
            List.of("--label-all-subwords"),
            List.of("--label-smoothing", 0.1))) {
      Cli refused =
          Cli.run(
              words(
                  List.of(
                      "train",
                      model,
                      "--method",
                      "full",
                      "--task",
                      "masked-lm",
                      "--data",
                      train,
                      "-o",
                      folder.resolve("none")),
                  wrong));
      assertEquals(1, refused.exitCode(), wrong::toString);
    }
    Files.writeString(model.resolve("tokenizer.json"), MaskedModels.tokenizer(false));
    Cli maskless = Cli.run("eval", model, "--task", "masked-lm", "--data", eval);
    assertTrue(maskless.err().contains("tokenizer.json has no mask token"), maskless.err());
    assertFalse(Files.exists(folder.resolve("none")));
  }

  /** A text that is too long loses nothing, and columns of tables are texts, too. */
  @Test
  void textsFromAllKindsOfFiles() throws IOException {
    String sentence = "the pump is hot and the valve was closed before the motor is open ";
    Path text = Files.writeString(folder.resolve("long.txt"), sentence.repeat(3) + "\n");
    Cli run = Cli.run("eval", model, "--task", "masked-lm", "--data", text, "--json");
    assertEquals(0, run.exitCode(), run::err);
    assertTrue(run.err().contains("1 of 1 texts are longer than 24 tokens"), run.err());
    Path rows =
        Files.writeString(
            folder.resolve("long.tsv"), "label\ttext\n7\t" + sentence.repeat(3) + "\n");
    JsonNode expected = Cli.json("eval", model, "--task", "masked-lm", "--data", text);
    assertEquals(expected, Cli.json("eval", model, "--task", "masked-lm", "--data", rows));
    Path ids =
        Files.writeString(
            folder.resolve("i.jsonl"), "{\"input_ids\":[0,5,6,9,12,8,7,2]}\n".repeat(9));
    assertNotEquals(
        0, Cli.json("eval", model, "--task", "masked-lm", "--data", ids).get("examples").asInt());
    Path whole = folder.resolve("none");
    Cli words =
        Cli.run(
            "train",
            model,
            "--method",
            "full",
            "--task",
            "masked-lm",
            "--data",
            ids,
            "--whole-word-masking",
            "-o",
            whole);
    assertTrue(words.err().contains("i.jsonl:1 has tokens"), words.err());
  }

  /** Before any of the other tasks: the encoder goes on, the language-model head does not. */
  @ParameterizedTest
  @EnumSource(MaskedModels.Tie.class)
  void theEncoderGoesOnToOtherTasks(MaskedModels.Tie tie) throws IOException {
    Path whole = MaskedModels.write(folder.resolve("tied"), tie);
    Cli.json("inject", whole, "--match", "query|value", "--rank", 4);
    Path run = folder.resolve("run");
    Cli.json(
        "train",
        whole.resolve("model.lora.onnx"),
        "--task",
        "masked-lm",
        "--data",
        train,
        "--steps",
        20,
        "--lr",
        "1e-2",
        "-o",
        run);
    Path encoder = folder.resolve("encoder");
    Files.createDirectories(encoder);
    Cli dropped =
        Cli.run("merge", run, "--drop-head", "-o", encoder.resolve("model.onnx"), "--json");
    assertEquals(0, dropped.exitCode(), dropped::err);
    OnnxModel states = OnnxFile.read(encoder.resolve("model.onnx"));
    assertEquals("last_hidden_state", states.graph().outputs().iterator().next().name());
    assertEquals(null, states.graph().initializer("lm_head.bias"), "nothing of the head is left");

    Path labelled =
        Files.writeString(
            folder.resolve("l.tsv"),
            "text\tlabel\n" + "the pump is hot\thot\nthe valve is cold\tcold\n".repeat(4));
    // By itself, and from the encoder that was written: the same classifier.
    Path merged = folder.resolve("merged");
    Files.createDirectories(merged);
    Cli.json("merge", run, "-o", merged.resolve("model.onnx"));
    Path byItself = folder.resolve("one");
    Cli head = Cli.run("add-head", merged, "--labels", "hot,cold", "-o", byItself);
    assertEquals(0, head.exitCode(), head::err);
    assertTrue(head.err().contains("language-model head is dropped"), head.err());
    Path written = folder.resolve("other");
    Cli.json("add-head", encoder, "--labels", "hot,cold", "-o", written);
    for (Path one : List.of(byItself, written)) {
      Files.writeString(one.resolve("tokenizer.json"), MaskedModels.tokenizer(true));
    }
    JsonNode expected = Cli.json("eval", written, "--data", labelled);
    assertEquals(
        expected.get("loss").asDouble(),
        Cli.json("eval", byItself, "--data", labelled).get("loss").asDouble(),
        1e-6);
    Cli.json("inject", byItself, "--match", "query|value");
    Cli.json(
        "train",
        byItself.resolve("model.lora.onnx"),
        "--data",
        labelled,
        "--steps",
        3,
        "-o",
        folder.resolve("classifier"));
    Path tagger = folder.resolve("tagger");
    Cli.json("add-head", merged, "--task", "token-classification", "--labels", "A,B", "-o", tagger);
    Cli none = Cli.run("merge", written, "--drop-head", "-o", folder.resolve("none.onnx"));
    assertEquals(1, none.exitCode());
    assertTrue(none.err().contains("no language-model head"), none.err());
  }
}
