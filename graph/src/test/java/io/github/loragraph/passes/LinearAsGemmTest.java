package io.github.loragraph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.shape.ValueTypes;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LinearAsGemmTest {
  private static final double TOLERANCE = 1e-6;

  private final TestGraph g = new TestGraph(20);

  private Graph apply(int products, int sums, String... trainable) {
    Pass.Result result = g.apply(new LinearAsGemm(), trainable);
    assertEquals(
        Map.of(LinearAsGemm.PRODUCTS, products, LinearAsGemm.SUMS, sums), result.recognised());
    OnnxModel model = g.model().withGraph(result.model().graph());
    g.assertSame(model, TOLERANCE);
    return result.model().graph();
  }

  private static void assertOperators(Graph graph, Object... expected) {
    Map<String, Integer> counts = Runs.operators(graph);
    counts.keySet().removeAll(Set.of("Shape", "Concat"));
    for (int i = 0; i < expected.length; i += 2) {
      assertEquals(expected[i + 1], counts.remove(expected[i]), expected[i] + " in " + counts);
    }
    assertTrue(counts.isEmpty(), "also " + counts);
  }

  private static Node only(Graph graph, String operator) {
    List<Node> found = graph.nodes().stream().filter(n -> n.is(operator)).toList();
    assertEquals(1, found.size());
    return found.get(0);
  }

  private String linear(String x, String name, int in, int out) {
    String product = g.matMul(x, g.weight(name + ".weight", in, out));
    return g.add(g.weight(name + ".bias", out), product);
  }

  @Test
  void productAndBias() {
    String y = linear(g.dynamicInput("x", 2, 3, 4), "query", 4, 5);
    g.output(y);
    Graph graph = apply(1, 0);
    assertOperators(graph, "Reshape", 2, "Gemm", 1);
    assertEquals(List.of("query.weight", "query.bias"), only(graph, "Gemm").inputs().subList(1, 3));
    assertEquals("Reshape", graph.producer(y).opType());
  }

  @Test
  void aTransposedWeightIsReadAsItIs() {
    String w = g.transpose(g.weight("w", 5, 4), 1, 0);
    g.output(g.matMul(g.dynamicInput("x", 2, 3, 4), w));
    Graph graph = apply(1, 0, "w");
    assertOperators(graph, "Reshape", 2, "Gemm", 1);
    assertEquals(1, only(graph, "Gemm").attribute("transB", 0L));
    assertEquals("w", only(graph, "Gemm").input(1));
  }

  @Test
  void aTransposeThatKeepsTheAxes() {
    String w = g.op("Transpose", n -> n.with("perm", new long[] {0, 1}), g.weight("w", 4, 4));
    g.output(g.matMul(g.dynamicInput("x", 2, 3, 4), w));
    assertOperators(apply(1, 0), "Reshape", 2, "Gemm", 1, "Transpose", 1);
  }

  @Test
  void oneReshapeServesSeveralLinears() {
    String x = g.dynamicInput("x", 2, 3, 4);
    g.output(linear(x, "query", 4, 4));
    g.output(linear(x, "key", 4, 4));
    g.output(linear(x, "value", 4, 4));
    assertOperators(apply(3, 0), "Reshape", 4, "Gemm", 3);
  }

  @Test
  void severalLayersStayInTwoDimensions() {
    String x = g.dynamicInput("x", 2, 3, 4);
    String hidden = g.op("Gelu", linear(x, "intermediate", 4, 8));
    String sum = g.add(linear(hidden, "output", 8, 4), x);
    g.output(g.op("LayerNormalization", n -> n, sum, g.weight("scale", 4), g.weight("bias", 4)));
    assertOperators(
        apply(2, 0), "Reshape", 2, "Gemm", 2, "Gelu", 1, "Add", 1, "LayerNormalization", 1);
  }

  @Test
  void anAdapterIsTwoProducts() {
    String x = g.dynamicInput("x", 2, 3, 4);
    String base = linear(x, "query", 4, 4);
    String u = g.mul(g.matMul(x, g.weight("query.lora_A", 4, 2)), g.number(0.5));
    g.output(g.add(base, g.matMul(u, g.weight("query.lora_B", 2, 4))));
    Graph graph = apply(3, 1, "query.lora_A", "query.lora_B");
    assertOperators(graph, "Reshape", 2, "Gemm", 3);
  }

  @Test
  void anAdapterScaledAtTheEnd() {
    String x = g.dynamicInput("x", 2, 3, 4);
    String base = g.matMul(x, g.transpose(g.weight("w", 4, 4), 1, 0));
    String u = g.matMul(x, g.weight("a", 4, 2));
    String delta = g.mul(g.number(2), g.matMul(u, g.weight("b", 2, 4)));
    g.output(g.add(g.add(delta, base), g.weight("bias", 4)));
    Graph graph = apply(3, 1);
    assertOperators(graph, "Reshape", 2, "Gemm", 3, "Add", 1);
  }

  @Test
  void anAdapterOfAHead() {
    String x = g.dynamicInput("x", 3, 4);
    String base = g.gemm(x, false, g.weight("w", 2, 4), true, g.weight("bias", 2), 1);
    String u = g.mul(g.matMul(x, g.weight("a", 4, 2)), g.number(0.25));
    String y = g.add(base, g.matMul(u, g.weight("b", 2, 2)));
    g.output(y);
    Graph graph = apply(2, 1, "a", "b");
    assertOperators(graph, "Gemm", 3);
    assertEquals("Gemm", graph.producer(y).opType());
  }

  @Test
  void headsAreSplitFromTheRows() {
    String x = g.dynamicInput("x", 2, 3, 4);
    String y = linear(x, "query", 4, 4);
    String first = g.op("Shape", n -> n, y);
    String batch = g.unsqueeze(g.gather(first, g.scalar(ElementType.INT64, 0), 0), 0);
    String length = g.unsqueeze(g.gather(first, g.scalar(ElementType.INT64, 1), 0), 0);
    String heads = g.reshape(y, g.concat(0, batch, length, g.longs(2), g.longs(2)));
    String merged = g.reshape(g.transpose(g.transpose(heads, 0, 2, 1, 3), 0, 2, 1, 3), 0, 0, 4);
    g.output(linear(merged, "output", 4, 3));
    Graph graph = apply(2, 0);
    // To rows, to heads, to rows, and back to three axes at the end.
    assertEquals(4, Runs.operators(graph).get("Reshape"));
  }

  @Test
  void aReshapeThatCopiesDimensionsGetsThem() {
    String y = linear(g.dynamicInput("x", 2, 3, 4), "query", 4, 4);
    g.output(g.reshape(y, 0, 0, 2, 2));
    assertOperators(apply(1, 0), "Reshape", 3, "Gemm", 1);
  }

  @Test
  void aProductReadTwiceKeepsItsOwnValue() {
    String x = g.dynamicInput("x", 2, 3, 4);
    String product = g.matMul(x, g.weight("w", 4, 4));
    g.output(product);
    g.output(g.add(product, g.weight("bias", 4)));
    g.output(g.mul(product, g.number(3)));
    assertOperators(apply(1, 0), "Reshape", 4, "Gemm", 1, "Add", 1, "Mul", 1);
  }

  @Test
  void aProductAddedToItself() {
    String product = g.matMul(g.dynamicInput("x", 2, 3, 4), g.weight("w", 4, 4));
    g.output(g.add(product, product));
    assertOperators(apply(1, 0), "Reshape", 2, "Gemm", 1, "Add", 1);
  }

  @Test
  void aBroadcastSumKeepsItsAxes() {
    String x = g.dynamicInput("x", 2, 3, 4);
    String one = g.input("one", 1, 3, 4);
    g.output(g.add(g.matMul(x, g.weight("w", 4, 4)), one));
    assertOperators(apply(1, 0), "Reshape", 2, "Gemm", 1, "Add", 1);
  }

  @Test
  void aTrainableFactorIsMultiplied() {
    String product = g.matMul(g.dynamicInput("x", 2, 3, 4), g.weight("w", 4, 4));
    String factor = g.number(3);
    g.output(g.mul(product, factor));
    Graph graph = apply(1, 0, factor);
    assertOperators(graph, "Reshape", 2, "Gemm", 1, "Mul", 1);
    assertEquals(1f, only(graph, "Gemm").attribute("alpha", 1f));
  }

  @Test
  void staticShapesNeedNoShapeNodes() {
    g.output(linear(g.input("x", 2, 3, 4), "query", 4, 5));
    assertEquals(Map.of("Reshape", 2, "Gemm", 1), Runs.operators(apply(1, 0)));
  }

  @Test
  void productsOfTwoActivationsStay() {
    String x = g.dynamicInput("x", 2, 3, 4);
    g.output(g.matMul(x, g.transpose(x, 0, 2, 1)));
    assertOperators(apply(0, 0), "MatMul", 1, "Transpose", 1);
  }

  @Test
  void withoutShapesNothingChanges() {
    String x = g.dynamicInput("x", 2, 3, 4);
    g.output(linear(x, "query", 4, 5));
    Graph graph =
        new LinearAsGemm()
            .apply(TypedModel.of(g.model(), new ValueTypes(Map.of())), Set.of())
            .model()
            .graph();
    assertEquals(g.graph().nodes(), graph.nodes());
  }

  @Test
  void poolingReadsTheValueInItsOwnShape() {
    String y = linear(g.dynamicInput("x", 2, 3, 4), "dense", 4, 4);
    String first = g.gather(y, g.scalar(ElementType.INT64, 0), 1);
    g.output(g.op("Tanh", linear(first, "classifier", 4, 2)));
    assertOperators(apply(2, 0), "Reshape", 2, "Gemm", 2, "Gather", 1, "Tanh", 1);
  }
}
