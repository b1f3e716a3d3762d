package io.github.loragraph.autodiff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.shape.ShapePropagation;
import io.github.loragraph.shape.ValueTypes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What rules do not cover is refused by name, before anything is added to the graph. */
class RefusalTest {
  @Test
  void einsumWithADiagonal() {
    assertRefused(
        "Einsum (ii->i with a diagonal)",
        TensorType.of(ElementType.FLOAT, 2, 2),
        b -> b.op("Einsum", n -> n.with("equation", "ii->i"), "x"));
  }

  @Test
  void einsumWithDotsOfUnknownRank() {
    assertRefused(
        "Einsum (...->... of unknown rank)",
        new TensorType(ElementType.FLOAT, null),
        b -> b.op("Einsum", n -> n.with("equation", "...->..."), "x"));
  }

  @Test
  void matMulOfUnknownRank() {
    assertRefused(
        "MatMul (of unknown rank)",
        new TensorType(ElementType.FLOAT, null),
        b -> b.matMul("x", "x"));
  }

  @Test
  void transposeOfUnknownRank() {
    assertRefused(
        "Transpose (without perm, of unknown rank)",
        new TensorType(ElementType.FLOAT, null),
        b -> b.op("Transpose", "x"));
  }

  @Test
  void scatterElementsThatMultiply() {
    assertRefused(
        "ScatterElements (with mul)",
        TensorType.of(ElementType.FLOAT, 2),
        b -> b.op("ScatterElements", n -> n.with("reduction", "mul"), "x", b.longs(0), "x"));
  }

  @Test
  void scatterNdThatTakesTheLarger() {
    assertRefused(
        "ScatterND (with max)",
        TensorType.of(ElementType.FLOAT, 2, 2),
        b -> b.op("ScatterND", n -> n.with("reduction", "max"), "x", b.longs(0), "x"));
  }

  @Test
  void trainableClassWeights() {
    assertRefused(
        "SoftmaxCrossEntropyLoss (with trainable class weights)",
        TensorType.of(ElementType.FLOAT, 2),
        b -> b.op("SoftmaxCrossEntropyLoss", b.unsqueeze("x", 0), b.longs(1), "x"));
    assertRefused(
        "NegativeLogLikelihoodLoss (with trainable class weights)",
        TensorType.of(ElementType.FLOAT, 2),
        b -> b.op("NegativeLogLikelihoodLoss", b.unsqueeze("x", 0), b.longs(1), "x"));
  }

  /** What has no rule at all: the message says where it stands and what has one. */
  @Test
  void anOperatorWithoutARule() {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("x", TensorType.of(ElementType.FLOAT, 2)));
    graph.add(Node.of("/encoder/layer.1/output/Atan", "Atan", List.of("x"), List.of("y")));
    graph.add(Node.of("", "Sinh", List.of("y"), List.of("z")));
    Map<String, TensorType> types = new HashMap<>();
    List.of("x", "y", "z").forEach(v -> types.put(v, TensorType.of(ElementType.FLOAT, 2)));
    String message =
        assertThrows(
                LoraGraphException.class,
                () ->
                    new Autodiff(Kernels.STANDARD)
                        .gradients(graph, new ValueTypes(types), "z", List.of("x")))
            .getMessage();
    assertEquals(
        "cannot train through Atan at node '/encoder/layer.1/output/Atan' of module"
            + " encoder.layer.1.output, Sinh at the node that makes 'z': no gradient rule covers"
            + " that; export the model with other operators in its place, or train layers above it"
            + " only",
        message);
  }

  /** A rule says which outputs it takes the gradients of; any other is refused, never dropped. */
  @Test
  void anOutputThatTheRuleDoesNotTake() {
    assertRefused(
        "Dropout (with a gradient for its output 2, 'mask')",
        TensorType.of(ElementType.FLOAT, 2, 2),
        b -> {
          b.graph().add(Node.of("", "Dropout", List.of("x"), List.of("y", "mask")));
          return b.add("y", "mask");
        });
  }

  @Test
  void quantizedNumbersThatAreComputedWith() {
    assertRefused(
        "Cast (of quantized numbers)",
        TensorType.of(ElementType.FLOAT, 2, 2),
        b -> {
          String scale = b.scalar(ElementType.FLOAT, 0.1);
          b.graph().add(Node.of("", "QuantizeLinear", List.of("x", scale), List.of("integers")));
          return b.cast("integers", ElementType.FLOAT);
        });
  }

  @Test
  void integersOfAnotherScale() {
    assertRefused(
        "DequantizeLinear (of another scale",
        TensorType.of(ElementType.FLOAT, 2, 2),
        b -> {
          String scale = b.scalar(ElementType.FLOAT, 0.1);
          b.graph().add(Node.of("", "QuantizeLinear", List.of("x", scale), List.of("integers")));
          return b.op("DequantizeLinear", "integers", b.scalar(ElementType.FLOAT, 0.2));
        });
  }

  private static void assertRefused(
      String reason, TensorType x, Function<GraphBuilder, String> forward) {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("x", x));
    String loss = forward.apply(new GraphBuilder(graph, "/forward"));
    Map<String, TensorType> types = new HashMap<>();
    for (Node node : graph.nodes()) {
      node.outputs().forEach(out -> types.put(out, new TensorType(ElementType.FLOAT, null)));
    }
    types.put("integers", TensorType.of(ElementType.UINT8, 2, 2));
    types.put("x", x);
    int nodes = graph.nodes().size();
    LoraGraphException refused =
        assertThrows(
            LoraGraphException.class,
            () ->
                new Autodiff(Kernels.STANDARD)
                    .gradients(
                        graph,
                        new ShapePropagation(Operators.all()).refine(graph, new ValueTypes(types)),
                        loss,
                        List.of("x")));
    assertTrue(refused.getMessage().contains(reason), refused.getMessage());
    assertEquals(nodes, graph.nodes().size());
  }
}
