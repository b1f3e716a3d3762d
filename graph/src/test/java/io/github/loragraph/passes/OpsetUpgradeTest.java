package io.github.loragraph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.shape.ValueTypes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OpsetUpgradeTest {
  private static OnnxModel upgrade(OnnxModel model) {
    return upgrade(model, ValueTypes.declared(model.graph()));
  }

  private static OnnxModel upgrade(OnnxModel model, ValueTypes types) {
    return new OpsetUpgrade().apply(TypedModel.of(model, types), Set.of()).model().model();
  }

  /** Upgrades a graph, runs both and compares bit by bit. */
  private static Graph upgrade(TestGraph g) {
    OnnxModel upgraded = upgrade(g.model());
    assertEquals(GraphBuilder.OPSET, upgraded.opset());
    g.assertSame(upgraded, 0);
    return upgraded.graph();
  }

  private static UnaryOperator<Node> axes(long... axes) {
    return node -> node.with("axes", axes);
  }

  @Test
  void squeezeAndUnsqueezeTakeAxesAsInput() {
    TestGraph g = new TestGraph(11);
    String x = g.input("x", 1, 3, 1, 4);
    g.output(g.op("Squeeze", axes(0, 2), x));
    g.output(g.op("Squeeze", axes(-2), x));
    g.output(g.op("Squeeze", x));
    g.output(g.op("Unsqueeze", axes(0, -1), x));
    Graph upgraded = upgrade(g);
    assertTrue(upgraded.nodes().stream().noneMatch(n -> n.hasAttribute("axes")));
  }

  @ParameterizedTest
  @CsvSource({
    "ReduceSum, 11", "ReduceSum, 12", "ReduceMean, 11", "ReduceMean, 17", "ReduceMax, 11",
    "ReduceMin, 12", "ReduceProd, 13", "ReduceL1, 11", "ReduceL2, 17", "ReduceLogSumExp, 11",
    "ReduceSumSquare, 16"
  })
  void reductionsTakeAxesAsInput(String operator, int opset) {
    TestGraph g = new TestGraph(opset);
    String x = g.input("x", 2, 3, 4);
    g.output(g.op(operator, axes(-1), x));
    g.output(g.op(operator, n -> n.with("axes", new long[] {0, 2}).with("keepdims", 0), x));
    g.output(g.op(operator, x));
    Graph upgraded = upgrade(g);
    assertTrue(upgraded.nodes().stream().noneMatch(n -> n.hasAttribute("axes")));
  }

  @Test
  void reductionOfLogarithmsTakesAxesAsInput() {
    TestGraph g = new TestGraph(11);
    String x = g.op("Abs", g.input("x", 2, 3, 4));
    g.output(g.op("ReduceLogSum", axes(1), x));
    upgrade(g);
  }

  @ParameterizedTest
  @ValueSource(ints = {11, 12})
  void splitTakesLengthsAsInput(int opset) {
    TestGraph g = new TestGraph(opset);
    String x = g.input("x", 2, 6);
    g.ops("Split", 2, n -> n.with("axis", 1).with("split", new long[] {4, 2}), x)
        .forEach(g::output);
    g.ops("Split", 3, n -> n.with("axis", -1), x).forEach(g::output);
    upgrade(g);
  }

  @Test
  void splitSaysHowManyParts() {
    TestGraph g = new TestGraph(13);
    String x = g.input("x", 2, 6);
    g.ops("Split", 2, n -> n.with("axis", 1), x).forEach(g::output);
    g.ops("Split", 2, n -> n.with("axis", 1), x, g.longs(1, 5)).forEach(g::output);
    upgrade(g);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Softmax", "LogSoftmax", "Hardmax"})
  void softmaxOverSeveralAxesIsFlattened(String operator) {
    for (int opset : new int[] {11, 12}) {
      TestGraph g = new TestGraph(opset);
      String x = g.input("x", 2, 3, 4);
      g.output(g.op(operator, x));
      g.output(g.op(operator, n -> n.with("axis", 0), x));
      g.output(g.op(operator, n -> n.with("axis", -2), x));
      g.output(g.op(operator, n -> n.with("axis", 2), x));
      g.output(g.op(operator, n -> n.with("axis", -1), x));
      Graph upgraded = upgrade(g);
      assertEquals(3, Runs.operators(upgraded).get("Flatten"));
      assertEquals(2, Runs.operators(upgraded).get("Reshape") - 1);
    }
  }

  @Test
  void softmaxOfUnknownRankIsFlattened() {
    TestGraph g = new TestGraph(11);
    String x = g.op("Relu", g.input("x", 2, 3, 4));
    g.output(g.op("Softmax", n -> n.with("axis", 2), x));
    OnnxModel blind = upgrade(g.model(), new ValueTypes(Map.of()));
    g.assertSame(blind, 0);
    assertEquals(1, Runs.operators(blind.graph()).get("Flatten"));

    OnnxModel seeing = upgrade(g.model(), new ValueTypes(Map.of(x, type(2, 3, 4))));
    g.assertSame(seeing, 0);
    assertFalse(Runs.operators(seeing.graph()).containsKey("Flatten"));
  }

  private static TensorType type(long... dims) {
    return TensorType.of(ElementType.FLOAT, dims);
  }

  @Test
  void softmaxSinceVersion13StaysAsItIs() {
    TestGraph g = new TestGraph(13);
    String x = g.input("x", 2, 3, 4);
    g.output(g.op("Softmax", n -> n.with("axis", 1), x));
    assertEquals(Map.of("Softmax", 1), Runs.operators(upgrade(g)));
  }

  @Test
  void dropoutTakesRatioAsInput() {
    TestGraph g = new TestGraph(11);
    String x = g.input("x", 2, 3);
    // What the mask holds was not said before version 12, so it is not compared.
    List<String> outputs = g.ops("Dropout", 2, n -> n.with("ratio", 0.3f), x);
    g.output(outputs.get(0));
    g.output(g.op("Dropout", x));
    Graph upgraded = upgrade(g);
    assertTrue(upgraded.nodes().stream().noneMatch(n -> n.hasAttribute("ratio")));
    assertEquals(0.3f, upgraded.constant(upgraded.producer(outputs.get(0)).input(1)).toFloats()[0]);
  }

  @Test
  void batchNormalizationForInference() {
    TestGraph g = new TestGraph(11);
    String x = g.input("x", 2, 3, 4);
    String variance = g.initializer(Tensor.filled("variance", ElementType.FLOAT, 2, 3));
    g.output(
        g.op(
            "BatchNormalization",
            x,
            g.weight("scale", 3),
            g.weight("bias", 3),
            g.weight("mean", 3),
            variance));
    upgrade(g);
  }

  @Test
  void batchNormalizationForTrainingIsRefused() {
    TestGraph g = new TestGraph(11);
    String w = g.weight("w", 3);
    g.ops("BatchNormalization", 5, n -> n, g.input("x", 2, 3, 4), w, w, w, w).forEach(g::output);
    assertOneLine(
        assertThrows(LoraGraphException.class, () -> upgrade(g.model())), "BatchNormalization");
  }

  @Test
  void renamedModesAndDefaults() {
    TestGraph g = new TestGraph(16);
    String x = g.input("x", 1, 2, 4, 4);
    String grid = g.input("grid", 1, 3, 3, 2);
    g.output(g.op("GridSample", x, grid));
    g.output(g.op("GridSample", n -> n.with("mode", "bicubic"), x, grid));
    g.output(g.op("GridSample", n -> n.with("mode", "nearest"), x, grid));
    upgrade(g);
  }

  @Test
  void regionsKeepTheirAlignment() {
    TestGraph g = new TestGraph(11);
    String x = g.input("x", 1, 1, 6, 6);
    String rois = g.initializer(Tensor.ofFloats("rois", new float[] {0, 1, 4, 5}, 1, 4));
    String batch = g.initializer(Tensor.ofLongs("batch", new long[] {0}, 1));
    g.output(
        g.op("RoiAlign", n -> n.with("output_height", 2).with("output_width", 2), x, rois, batch));
    upgrade(g);
  }

  @Test
  void fourierTransformTakesAxisAsInput() {
    TestGraph g = new TestGraph(17);
    String x = g.input("x", 2, 4, 8, 1);
    g.output(g.op("DFT", x));
    g.output(g.op("DFT", n -> n.with("axis", 2), x));
    upgrade(g);
  }

  /** Operators that got new versions of which nothing shows in their nodes. */
  @Test
  void unchangedOperatorsStayTheSameNodes() {
    TestGraph g = new TestGraph(11);
    String x = g.input("x", 2, 3, 4);
    String w = g.weight("w", 4, 5);
    g.output(g.op("Clip", x, g.number(-0.5), g.number(0.5)));
    g.output(g.op("Pad", x, g.longs(0, 1, 0, 0, 0, 2), g.number(1.5)));
    g.output(g.op("Pow", x, g.number(2)));
    g.output(g.cast(x, ElementType.INT64), ElementType.INT64);
    g.output(g.op("CumSum", x, g.scalar(ElementType.INT64, 1)));
    String pairs = g.initializer(Tensor.ofLongs("pairs", new long[] {0, 1, 1, 2}, 2, 2));
    g.output(g.op("GatherND", x, pairs));
    g.output(g.op("Gemm", g.reshape(x, 6, 4), w));
    g.output(g.op("ArgMax", n -> n.with("axis", 1).with("keepdims", 0), x), ElementType.INT64);
    g.output(g.op("Gather", n -> n.with("axis", 1), x, g.longs(2, 0)));
    String positive = g.op("Greater", x, g.number(0));
    g.output(g.op("Where", positive, x, g.number(0)));
    g.output(g.op("Slice", x, g.longs(1), g.longs(3), g.longs(2)));
    g.output(g.op("Expand", g.number(3), g.longs(2, 2)));
    g.output(g.op("Erf", x));
    g.output(g.op("Concat", n -> n.with("axis", 2), x, x));
    g.output(g.op("Flatten", x));
    g.output(g.op("OneHot", g.longs(1, 0), g.scalar(ElementType.INT64, 3), g.weight("v", 2)));
    g.output(g.op("LeakyRelu", x));
    g.output(g.op("Equal", x, x), ElementType.BOOL);
    Graph upgraded = upgrade(g);
    for (int i = 0; i < upgraded.nodes().size(); i++) {
      assertSame(g.graph().nodes().get(i), upgraded.nodes().get(i));
    }
  }

  @Test
  void otherDomainsAndNewerModelsStayAsTheyAre() {
    TestGraph g = new TestGraph(11);
    String x = g.input("x", 2, 3);
    Node foreign =
        Node.of("n", "Squeeze", List.of(x), List.of("y")).withDomain("org.example").with("axes", 1);
    g.graph().add(foreign);
    g.output("y");
    assertSame(foreign, upgrade(g.model()).graph().nodes().get(0));

    OnnxModel newer = OnnxModel.of("newer", new Graph(), 10, 21);
    assertEquals(21, upgrade(newer).opset());
  }

  @Test
  void theModelItselfIsNotChanged() {
    TestGraph g = new TestGraph(11);
    g.output(g.op("Squeeze", axes(0), g.input("x", 1, 3)));
    OnnxModel model = g.model();
    Node before = model.graph().nodes().get(0);
    upgrade(model);
    assertEquals(11, model.opset());
    assertSame(before, model.graph().nodes().get(0));
  }

  @Test
  void olderModelsAreRefused() {
    OnnxModel old = OnnxModel.of("old", new Graph(), 4, 9);
    assertOneLine(assertThrows(LoraGraphException.class, () -> upgrade(old)), "operator set 9");
  }

  @Test
  void changedOperatorsInsideSubgraphsAreRefused(@TempDir Path folder) throws Exception {
    GraphProto branch =
        GraphProto.newBuilder()
            .setName("branch")
            .addNode(
                NodeProto.newBuilder()
                    .setOpType("Squeeze")
                    .addInput("x")
                    .addOutput("squeezed")
                    .addAttribute(
                        AttributeProto.newBuilder()
                            .setName("axes")
                            .setType(AttributeProto.AttributeType.INTS)
                            .addInts(0)))
            .addOutput(ValueInfoProto.newBuilder().setName("squeezed"))
            .build();
    NodeProto choice =
        NodeProto.newBuilder()
            .setName("choice")
            .setOpType("If")
            .addInput("flag")
            .addOutput("y")
            .addAttribute(attribute("then_branch", branch))
            .addAttribute(attribute("else_branch", branch))
            .build();
    ModelProto proto =
        ModelProto.newBuilder()
            .setIrVersion(6)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(11))
            .setGraph(
                GraphProto.newBuilder()
                    .setName("g")
                    .addInput(ValueInfoProto.newBuilder().setName("x"))
                    .addInput(ValueInfoProto.newBuilder().setName("flag"))
                    .addNode(choice)
                    .addOutput(ValueInfoProto.newBuilder().setName("y")))
            .build();
    Path file = folder.resolve("if.onnx");
    Files.write(file, proto.toByteArray());
    OnnxModel model = OnnxFile.read(file);
    assertOneLine(
        assertThrows(LoraGraphException.class, () -> upgrade(model)),
        "node 'choice' (If) has Squeeze");
    assertEquals(GraphBuilder.OPSET, upgrade(model.withOpset("", 13)).opset());
  }

  private static AttributeProto attribute(String name, GraphProto graph) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.GRAPH)
        .setG(graph)
        .build();
  }

  private static void assertOneLine(LoraGraphException e, String part) {
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }
}
