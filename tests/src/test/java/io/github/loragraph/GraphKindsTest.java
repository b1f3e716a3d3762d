package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Graphs of kinds that once failed go the whole way, and their gradients are right. */
class GraphKindsTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "80-min-npe",
        "80-min-npe-v1",
        "80-min-npe-v2",
        "80-min-npe-v3",
        "80-min-npe-v4",
        "80-min-npe-v5"
      })
  void constantsAsOperandsOfShapeRules(String name) {
    List<String> trained = GraphRun.of(name, folder).full();
    assertTrue(trained.contains("classifier.bias"), trained::toString);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "102-reshape-constant",
        "37-initializers-are-inputs",
        "106-inits-inputs-constants-only"
      })
  void adaptersBesideConstantsAndInputs(String name) {
    GraphRun.of(name, folder).lora("query|dense");
  }

  /** The gradient goes straight through, as in PyTorch; the integers' steps make no difference. */
  @Test
  void quantizedForAWhile() {
    List<String> trained = GraphRun.of("81-fake-quant-before-head", folder).lora("query|dense");
    assertEquals(8, trained.stream().filter(name -> name.endsWith("lora_B")).count());
  }

  /** What makes integers, truth values or steps of a value has no gradient, as in PyTorch. */
  @ParameterizedTest
  @ValueSource(strings = {"Round", "Floor", "Sign", "Cast", "Greater", "ArgMax"})
  void aPathThatIsCutIsSaid(String operator) throws IOException {
    Path model = cutBehindTheFirstLayer(operator);
    Path adapted = folder.resolve("model.lora.onnx");
    Path data = folder.resolve("train.jsonl");
    Cli.json("inject", model, "--match", "query|dense", "--rank", 2, "-o", adapted);
    Path run = folder.resolve("run");
    Cli trained = Cli.run("train", adapted, "--data", data, "--steps", 2, "-o", run);
    assertEquals(0, trained.exitCode(), trained.err());
    List<String> lines =
        trained.err().lines().filter(line -> line.contains("not trained, since")).toList();
    assertEquals(1, lines.size(), trained.err());
    assertTrue(
        lines.get(0).contains(operator + " at node '/cut' lets no gradient through: "),
        lines.get(0));
    assertTrue(lines.get(0).contains("encoder.layer.0."), lines.get(0));
  }

  @ParameterizedTest
  @ValueSource(strings = {"Ceil", "Cast"})
  void aRunInWhichNoAdapterGetsAGradientIsRefused(String operator) throws IOException {
    Path model = cutBehindTheFirstLayer(operator);
    Path adapted = folder.resolve("model.lora.onnx");
    Path run = folder.resolve("run");
    Cli.json("inject", model, "--match", "layer.0.*(query|dense)", "--rank", 2, "-o", adapted);
    Cli trained =
        Cli.run("train", adapted, "--data", folder.resolve("train.jsonl"), "--steps", 2, "-o", run);
    assertEquals(1, trained.exitCode());
    assertTrue(
        trained.err().contains("no gradient comes to any of the 4 adapters: " + operator),
        trained.err());
    assertFalse(Files.exists(run));
  }

  /** Layer 1 reads of layer 0 no more than what an operator without a gradient makes of it. */
  private Path cutBehindTheFirstLayer(String operator) throws IOException {
    Path file = ReportGraph.write("81-fake-quant-before-head", folder);
    OnnxModel model = OnnxFile.read(file);
    Graph graph = model.graph();
    String name = "/encoder/layer/0/output/LayerNorm/LayerNormalization";
    Node producer =
        graph.nodes().stream().filter(n -> n.name().equals(name)).findFirst().orElseThrow();
    String value = producer.output(0);
    graph.replace(producer, producer.withOutput(0, "uncut"));
    graph.removeValueInfo(value);
    graph.putInitializer(Tensor.scalar("number", ElementType.FLOAT, 0.1));
    List<String> inputs =
        operator.equals("Greater") ? List.of("uncut", "number") : List.of("uncut");
    boolean integers = List.of("Cast", "Greater", "ArgMax").contains(operator);
    Node cut = Node.of("/cut", operator, inputs, List.of(integers ? "integers" : value));
    if (operator.equals("Cast")) {
      cut = cut.with("to", ElementType.INT32.code());
    }
    if (operator.equals("ArgMax")) {
      cut = cut.with("axis", -1);
    }
    Node last = cut;
    graph.insertAfter(graph.producer("uncut"), cut);
    if (integers) {
      String number = operator.equals("ArgMax") ? "narrow" : value;
      Node back =
          Node.of("/back", "Cast", List.of("integers"), List.of(number))
              .with("to", ElementType.FLOAT.code());
      graph.insertAfter(last, back);
      last = back;
    }
    if (operator.equals("ArgMax")) {
      graph.putInitializer(Tensor.ofFloats("wide", new float[32], 32));
      graph.insertAfter(last, Node.of("/wide", "Add", List.of("narrow", "wide"), List.of(value)));
    }
    OnnxFile.write(model, file, true);
    return file;
  }

  @Test
  void nodesInAnyOrder() {
    GraphRun.of("101-unsorted-nodes", folder).lora("query|dense");
  }

  @Test
  void nodesInACircleAreRefused() throws IOException {
    Path file = ReportGraph.write("81-fake-quant-before-head", folder);
    OnnxModel model = OnnxFile.read(file);
    Node first = model.graph().nodes().get(0);
    String last = model.graph().nodes().get(40).output(0);
    model.graph().replace(first, first.withInput(0, last));
    OnnxFile.write(model, file, true);
    Cli inspected = Cli.run("inspect", file);
    assertEquals(1, inspected.exitCode());
    assertTrue(inspected.err().contains("from its own output"), inspected.err());
  }

  /** Embeddings that the file itself brings to the length 1 can be trained through that. */
  @Test
  void embeddingsThatTheFileNormalizes() {
    Path model = ReportGraph.write("92-sentence-embedding-only", folder);
    Cli inspected = Cli.run("inspect", model);
    assertEquals(0, inspected.exitCode(), inspected.err());
    assertFalse(inspected.err().contains("cannot be trained"), inspected.err());
    Cli injected = Cli.run("inject", model, "--match", "query", "--rank", 2);
    assertEquals(0, injected.exitCode(), injected.err());
  }

  /** What cannot be trained is refused by the first command, with the way out. */
  @ParameterizedTest
  @CsvSource({
    "29-opset9, dense, opset 11 to 20",
    "04-opset23-attention, query, operator set 20 or lower",
    "05-opset23-rmsnorm, query, operator set 20 or lower",
    "06-opset23-rope, query, operator set 20 or lower",
    "07-opset24-swish, query, operator set 20 or lower",
    "28-local-function-act, query, functions inlined",
    "26-if-squeeze, query, without control flow",
    "25-if-linears, query, without control flow",
    "53-simplified-ln, query, before ONNX Runtime's optimizer",
    "01-ort-optimizer-fused, query|dense|attention, before ONNX Runtime's optimizer"
  })
  void refusedAtOnce(String name, String match, String remedy) {
    Path model = ReportGraph.write(name, folder);
    Cli inspected = Cli.run("inspect", model);
    assertEquals(0, inspected.exitCode(), inspected.err());
    assertTrue(inspected.err().contains(remedy), inspected.err());
    Cli injected = Cli.run("inject", model, "--match", match, "--rank", 2);
    assertEquals(1, injected.exitCode(), injected.err());
    assertTrue(injected.err().contains(remedy), injected.err());
  }
}
