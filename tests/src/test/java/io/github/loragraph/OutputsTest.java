package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.training.Logits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which output of a model is its answer, and what of it is taken as logits. */
class OutputsTest {
  private static final String HEAD = "Gather_151";
  private static final String STATES = "LayerNormalization_149";

  @TempDir Path folder;

  private Path data(String rows) throws IOException {
    Path from = ReportGraph.write(rows, folder.resolve("rows"));
    return from.resolveSibling("train.jsonl");
  }

  private Path classes() throws IOException {
    return data("47-softmax-output");
  }

  private Path written(OnnxModel model) {
    Path file = folder.resolve("model.onnx");
    OnnxFile.write(model, file, true);
    return file;
  }

  private Path injected(OnnxModel model) {
    Path file = written(model);
    Cli.json("inject", file, "--match", "query|value", "--rank", 2, "--force");
    return folder.resolve("model.lora.onnx");
  }

  private Cli train(Object... more) {
    Object[] all = new Object[more.length + 7];
    Object[] usual = {"train", "--steps", 2, "--batch-size", 4, "--engine", "graph"};
    System.arraycopy(usual, 0, all, 0, usual.length);
    System.arraycopy(more, 0, all, usual.length, more.length);
    return Cli.run(all);
  }

  private static void assertFailsWith(String message, Cli run) {
    assertEquals(1, run.exitCode(), run.err());
    String last = run.err().strip();
    last = last.substring(last.lastIndexOf('\n') + 1);
    assertTrue(last.contains(message), last);
    assertFalse(last.contains("null"), last);
  }

  /** The report's classifier with other outputs than its own. */
  private static OnnxModel withOutputs(ValueInfo... outputs) {
    OnnxModel model = ReportGraph.model("47-softmax-output");
    Graph graph = model.graph().copy();
    graph.clearOutputs();
    for (ValueInfo output : outputs) {
      graph.addOutput(output);
    }
    return model.withGraph(graph);
  }

  private static ValueInfo output(String name, String... dimensions) {
    return ValueInfo.of(
        name,
        new TensorType(
            ElementType.FLOAT,
            new Shape(
                List.of(dimensions).stream()
                    .map(
                        d ->
                            Character.isDigit(d.charAt(0))
                                ? Shape.Dimension.of(Long.parseLong(d))
                                : Shape.Dimension.named(d))
                    .toList())));
  }

  @ParameterizedTest
  @EnumSource
  void anEndInSoftmaxOrSigmoidTrainsLikeNone(ActivatedOutputs.End end) throws IOException {
    boolean sigmoid = end == ActivatedOutputs.End.SIGMOID;
    Path data = classes();
    if (sigmoid) {
      Files.writeString(
          data, Files.readString(data).replaceAll("\"label\": (\\d)", "\"label\": [\"$1\"]"));
    }
    ActivatedOutputs.assertSame(
        folder,
        ActivatedOutputs.model(end),
        ActivatedOutputs.model(null),
        sigmoid ? "multilabel" : null,
        data,
        "graph");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void oneNumberAfterASigmoidDecidesBetweenTwoClasses(boolean squeezed) throws IOException {
    Path data = classes();
    Files.writeString(data, Files.readString(data).replace("\"label\": 2", "\"label\": 1"));
    ActivatedOutputs.assertSame(
        folder,
        ActivatedOutputs.oneNumber(true, squeezed),
        ActivatedOutputs.oneNumber(false, false),
        "classification",
        data,
        "graph");
  }

  /** Its loss is torch's binary cross-entropy with logits. */
  @Test
  void oneNumberIsTheSecondClass() throws IOException {
    Path data = classes();
    Files.writeString(data, Files.readString(data).replace("\"label\": 2", "\"label\": 1"));
    Path model = written(ActivatedOutputs.oneNumber(true, false));
    Cli eval = Cli.run("eval", model, "--data", data);
    assertTrue(eval.err().contains("'answer' ends in Sigmoid: what goes into that"), eval.err());
    assertTrue(eval.err().contains("decides between two classes"), eval.err());
    Path multi = folder.resolve("multi.jsonl");
    Files.writeString(
        multi, Files.readString(data).replaceAll("\"label\": (\\d)", "\"label\": [$1]"));
    assertEquals(
        Cli.json("eval", model, "--data", multi, "--task", "multilabel").get("loss").asDouble(),
        Cli.json("eval", model, "--data", data).get("loss").asDouble(),
        1e-6);
  }

  @Test
  void aSoftmaxOverTheTokensIsNoAnswer() throws IOException {
    OnnxModel model = ReportGraph.model("47-softmax-output");
    Graph graph = model.graph().copy();
    GraphBuilder b = new GraphBuilder(graph, "/end");
    String scores = b.matMul(STATES, b.transpose("classifier.weight_T", 0, 1));
    String last = b.op("Softmax", n -> n.with("axis", 1), scores);
    graph.clearOutputs();
    graph.addOutput(output(last, "batch", "sequence", "3"));
    assertFailsWith(
        "is a Softmax over another axis than the last",
        Cli.run("eval", written(model.withGraph(graph)), "--data", classes()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"19-no-dims", "20-all-symbolic-logits"})
  void whatIsNotDeclaredIsInferred(String name) throws IOException {
    Path file = ReportGraph.write(name, folder);
    Path data = file.resolveSibling("train.jsonl");
    Cli.json("inject", file, "--match", "query", "--rank", 2);
    Path adapted = folder.resolve("model.lora.onnx");
    Cli trained = train(adapted, "--data", data, "--eval", data, "-o", folder.resolve("run"));
    assertEquals(0, trained.exitCode(), trained.err());
    assertEquals(3, Cli.json("eval", folder.resolve("run"), "--data", data).get("classes").size());
    Cli.json("artifacts", adapted, "-o", folder.resolve("artifacts"));
    assertFailsWith(
        "has a head already (output 'logits'",
        Cli.run("add-head", file, "--labels", "a,b", "-o", folder.resolve("head")));
  }

  @Test
  void answersOfTokensWithoutADeclaredShape() throws IOException {
    OnnxModel model = ReportGraph.model("47-softmax-output");
    Graph graph = model.graph().copy();
    GraphBuilder b = new GraphBuilder(graph, "/tokens");
    String last = b.add("classifier.bias", b.matMul(STATES, "classifier.weight_T"));
    graph.clearOutputs();
    graph.addOutput(output(last, "a", "b", "c"));
    Path data = classes();
    Files.writeString(
        data,
        Files.readString(data)
            .replaceAll("\"label\": (\\d)", "\"label\": [$1,0,1,2,0,1,2,-100,0]"));
    Path adapted = injected(model.withGraph(graph));
    Cli trained = train(adapted, "--data", data, "--eval", data, "-o", folder.resolve("run"));
    assertEquals(0, trained.exitCode(), trained.err());
    assertEquals(
        64, Cli.json("eval", folder.resolve("run"), "--data", data).get("examples").asInt());
  }

  @Test
  void aWrongDeclarationIsSaid() throws IOException {
    ValueInfo wrong = output("Add_154", "batch", "5");
    Cli eval = Cli.run("eval", written(withOutputs(wrong)), "--data", classes());
    assertEquals(0, eval.exitCode(), eval.err());
    assertTrue(
        eval.err().contains("'Add_154' is declared [batch,5] and computed as [batch,3]"),
        eval.err());
  }

  @Test
  void aNumberForEachRow() throws IOException {
    Path file = ReportGraph.write("46-regression-1d", folder);
    Path data = file.resolveSibling("train.jsonl");
    Cli.json("inject", file, "--match", "query", "--rank", 2);
    Path adapted = folder.resolve("model.lora.onnx");
    Path run = folder.resolve("run");
    JsonNode trained =
        Cli.json(
            "train",
            adapted,
            "--data",
            data,
            "--eval",
            data,
            "--steps",
            3,
            "--batch-size",
            3,
            "-o",
            run);
    JsonNode merged = Cli.json("merge", run, "-o", folder.resolve("merged"));
    assertTrue(merged.get("maxOutputDifference").asDouble() < 1e-5);
    JsonNode measured = Cli.json("eval", folder.resolve("merged"), "--data", data);
    assertEquals(trained.get("evalLoss").asDouble(), measured.get("loss").asDouble(), 1e-5);
    assertEquals(
        "[batch]",
        OnnxFile.read(folder.resolve("merged/model.onnx"))
            .graph()
            .outputs()
            .iterator()
            .next()
            .type()
            .shape()
            .toString());
    Cli.json("artifacts", adapted, "-o", folder.resolve("artifacts"));
  }

  @Test
  void theOnlyFittingOutputIsTaken() throws IOException {
    Path file = ReportGraph.write("22-two-unnamed-outputs", folder);
    Path data = file.resolveSibling("train.jsonl");
    Cli.json("inject", file, "--match", "query", "--rank", 2);
    Cli trained =
        train(folder.resolve("model.lora.onnx"), "--data", data, "-o", folder.resolve("run"));
    assertEquals(0, trained.exitCode(), trained.err());
    assertTrue(
        trained.err().contains("of the model's 2 outputs 'output_0' [batch,3] is taken"),
        trained.err());
    OnnxModel model = Runs.model(folder.resolve("run"));
    assertEquals("output_0", model.metadata().get(Logits.CHOSEN));
    assertTrue(
        Files.readString(folder.resolve("run/config.yaml")).contains("outputName: \"output_0\""));
  }

  /** Both could be answers: one for classes, another for token classes. */
  private OnnxModel twoAnswers() {
    OnnxModel model = ReportGraph.model("47-softmax-output");
    Graph graph = model.graph().copy();
    GraphBuilder b = new GraphBuilder(graph, "/second");
    String second = b.neg(b.matMul(HEAD, "classifier.weight_T"));
    graph.add(Node.of("/second/Output", "Identity", List.of(second), List.of("second")));
    graph.clearOutputs();
    graph.addOutput(output("Add_154", "batch", "3"));
    graph.addOutput(output("second", "batch", "3"));
    return model.withGraph(graph);
  }

  @Test
  void ofSeveralFittingOutputsNoneIsGuessed() throws IOException {
    Path data = classes();
    Path adapted = injected(twoAnswers());
    String both =
        "('Add_154' [batch,3], 'second' [batch,3]): say which one with --output-name NAME";
    Path run = folder.resolve("run");
    assertFailsWith(both, train(adapted, "--data", data, "-o", run));
    assertFailsWith(both, Cli.run("eval", adapted, "--data", data));
    assertFailsWith(both, Cli.run("artifacts", adapted, "-o", folder.resolve("artifacts")));
    assertFailsWith(both, Cli.run("benchmark", adapted, "--steps", 1));
    assertFailsWith(
        "the model has no output 'third'; its outputs are: 'Add_154', 'second'",
        Cli.run("eval", adapted, "--data", data, "--output-name", "third"));
    double first =
        Cli.json("eval", adapted, "--data", data, "--output-name", "Add_154")
            .get("loss")
            .asDouble();
    double second =
        Cli.json("eval", adapted, "--data", data, "--output", "second").get("loss").asDouble();
    assertTrue(Math.abs(first - second) > 1e-3);

    // In train --output was the run folder before; a name of an output is one all the same.
    Cli trained =
        train(adapted, "--data", data, "--eval", data, "--output", "second", "-o", run, "--json");
    assertEquals(0, trained.exitCode(), trained.err());
    assertTrue(trained.err().contains("--output second names an output"), trained.err());
    assertEquals("second", Runs.model(run).metadata().get(Logits.CHOSEN));
    JsonNode measured = Cli.json("eval", run, "--data", data);
    assertEquals(
        Cli.json("eval", run, "--data", data, "--output-name", "second").get("loss"),
        measured.get("loss"));
    Cli.json("merge", run, "-o", folder.resolve("merged"));
    assertEquals(
        measured.get("loss").asDouble(),
        Cli.json("eval", folder.resolve("merged"), "--data", data).get("loss").asDouble(),
        1e-5);
    Cli other =
        train(adapted, "--data", data, "--output", folder.resolve("x"), "--output-name", "second");
    assertEquals(0, other.exitCode(), other.err());
    assertTrue(Files.exists(folder.resolve("x/adapter")));
  }

  @Test
  void aChoiceAtInjectionIsKept() throws IOException {
    Path file = written(twoAnswers());
    Cli.json("inject", file, "--match", "query", "--rank", 2, "--output-name", "second");
    Cli trained =
        train(folder.resolve("model.lora.onnx"), "--data", classes(), "-o", folder.resolve("run"));
    assertEquals(0, trained.exitCode(), trained.err());
    assertTrue(trained.err().contains("'second' [batch,3] is taken"), trained.err());
  }

  @Test
  void logitsAndTheirProbabilitiesAreOneAnswer() throws IOException {
    OnnxModel model =
        withOutputs(output("Add_154", "batch", "3"), output("probabilities", "batch", "3"));
    Path data = classes();
    assertEquals(
        Cli.json("eval", written(withOutputs(output("Add_154", "batch", "3"))), "--data", data)
            .get("loss"),
        Cli.json("eval", written(model), "--data", data).get("loss"));
  }

  @Test
  void statesAreNoAnswerAndGetAHead() throws IOException {
    Path file = ReportGraph.write("92-sentence-embedding-only", folder.resolve("states"));
    Path data = file.resolveSibling("train.jsonl");
    String states =
        "it answers with its states only ('sentence_embedding' [batch,32]): put a head on it with 'lora-graph add-head'";
    assertFailsWith(
        states, train(file, "--method", "full", "--data", data, "-o", folder.resolve("none")));
    assertFailsWith(states, Cli.run("eval", file, "--data", data));
    Path headed = folder.resolve("headed");
    Path pooled = written(withOutputs(output("Gather_151", "batch", "32")));
    assertFailsWith("states only ('Gather_151'", Cli.run("eval", pooled, "--data", data));
    Cli.json("add-head", pooled, "--labels", "0,1,2", "-o", headed);
    Cli.json("inject", headed, "--match", "query", "--rank", 2);
    Cli trained =
        train(headed.resolve("model.lora.onnx"), "--data", data, "-o", folder.resolve("run"));
    assertEquals(0, trained.exitCode(), trained.err());
    assertFailsWith(
        "pooled states only",
        Cli.run(
            "add-head",
            file,
            "--task",
            "token-classification",
            "--labels",
            "a,b",
            "-o",
            folder.resolve("tokens")));
    // Whoever says so gets it.
    assertEquals(
        0, Cli.run("eval", file, "--data", data, "--output-name", "sentence_embedding").exitCode());
  }

  @Test
  void startsAndEndsOfAnswersAreNoTask() throws IOException {
    OnnxModel model = ReportGraph.model("47-softmax-output");
    Graph graph = model.graph().copy();
    GraphBuilder b = new GraphBuilder(graph, "/qa");
    String both = b.matMul(STATES, "classifier.weight_T");
    graph.clearOutputs();
    for (int i = 0; i < 2; i++) {
      String name = i == 0 ? "start_logits" : "end_logits";
      String one = b.gather(both, b.scalar(ElementType.INT64, i), 2);
      graph.add(Node.of("/qa/" + name, "Identity", List.of(one), List.of(name)));
      graph.addOutput(output(name, "batch", "sequence"));
    }
    assertFailsWith(
        "the model has no logits, (batch, classes) or (batch, sequence, classes) with a known number of classes: its outputs are 'start_logits' [batch,sequence], 'end_logits' [batch,sequence]",
        Cli.run("eval", written(model.withGraph(graph)), "--data", classes()));
  }

  @ParameterizedTest
  @CsvSource({"regression,REGRESSION", "multilabel,MULTILABEL"})
  void anOutputThatDoesNotFitTheTaskIsNamed(String task, String name) throws IOException {
    OnnxModel model = withOutputs(output(STATES, "batch", "sequence", "32"));
    Cli eval = Cli.run("eval", written(model), "--data", classes(), "--task", task);
    assertFailsWith("put a head on it", eval);
    if (name.equals("REGRESSION")) {
      assertFailsWith(
          "regression needs a model that answers (batch, 1) or (batch), and its 'Add_154' is of shape [batch,3]",
          Cli.run(
              "eval",
              written(withOutputs(output("Add_154", "batch", "3"))),
              "--data",
              classes(),
              "--task",
              task));
    }
  }
}
