package io.github.loragraph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.onnx.Graph;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FactorInGemmTest {
  private final TestGraph g = new TestGraph(20);
  private final String x = g.dynamicInput("x", 2, 3);
  private final String w = g.weight("w", 3, 4);
  private final String bias = g.weight("bias", 4);

  private String product(String c) {
    return g.gemm(x, false, w, false, c, 0.5f);
  }

  private String times(String value, double factor) {
    return g.mul(value, g.number(factor));
  }

  /** The graph with the factors inside computes the same. */
  private Graph moved(String... kept) {
    Graph graph = g.graph().copy();
    FactorInGemm.in(graph, Set.of(kept));
    g.assertSame(g.model().withGraph(graph), 1e-5);
    return graph;
  }

  private void moves(Map<String, Integer> left, String... kept) {
    assertEquals(left, Runs.operators(moved(kept)));
  }

  @Test
  void ofAProduct() {
    g.output(times(product(""), 3));
    moves(Map.of("Gemm", 1));
  }

  @Test
  void theNumberFirst() {
    g.output(g.mul(g.number(-3), product("")));
    moves(Map.of("Gemm", 1));
  }

  @Test
  void ofAProductAndAConstant() {
    g.output(times(product(bias), 3));
    Graph graph = moved();
    assertEquals(Map.of("Gemm", 1), Runs.operators(graph));
    assertEquals(1.5f, graph.nodes().get(0).attribute("alpha", 1f));
    assertEquals(1f, graph.nodes().get(0).attribute("beta", 1f));
  }

  @Test
  void theConstantIsReadElsewhere() {
    g.output(times(product(bias), 3));
    g.output(product(bias));
    moves(Map.of("Gemm", 2));
  }

  /** A base layer and its adapter. */
  @Test
  void ofAProductInAProduct() {
    g.output(times(product(product(bias)), 3));
    Graph graph = moved();
    assertEquals(Map.of("Gemm", 2), Runs.operators(graph));
    graph.nodes().forEach(n -> assertEquals(1f, n.attribute("beta", 1f)));
  }

  @Test
  void whatIsAddedIsReadElsewhere() {
    String base = product(bias);
    g.output(times(product(base), 3));
    g.output(base);
    Graph graph = moved();
    assertEquals(Map.of("Gemm", 2), Runs.operators(graph));
    assertEquals(3f, graph.nodes().get(1).attribute("beta", 1f));
  }

  @Test
  void whatIsAddedIsAFactorToo() {
    String square = g.weight("square", 4, 4);
    String rows = product(bias);
    g.output(times(g.gemm(rows, false, square, false, rows, 1f), 3));
    Graph graph = moved();
    assertEquals(Map.of("Gemm", 2), Runs.operators(graph));
    assertEquals(3f, graph.nodes().get(1).attribute("beta", 1f));
  }

  @Test
  void ofASumOfProducts() {
    g.output(times(g.add(product(bias), product("")), 3));
    moves(Map.of("Gemm", 2, "Add", 1));
  }

  @Test
  void ofASumWithSomethingElse() {
    g.output(times(g.add(product(bias), g.dynamicInput("y", 2, 4)), 3));
    moves(Map.of("Gemm", 1, "Add", 1, "Mul", 1));
  }

  @Test
  void intoTheProductsThatRead() {
    String scaled = times(x, 3);
    g.output(g.gemm(scaled, false, w, false, bias, 1f));
    g.output(g.gemm(scaled, true, x, false, "", 2f));
    moves(Map.of("Gemm", 2));
  }

  @Test
  void aProductWithItselfTakesItTwice() {
    String scaled = times(x, 3);
    g.output(g.gemm(scaled, false, scaled, true, "", 1f));
    moves(Map.of("Gemm", 1));
  }

  @Test
  void notWhereItIsAdded() {
    String scaled = times(g.dynamicInput("y", 2, 4), 3);
    g.output(product(scaled));
    moves(Map.of("Gemm", 1, "Mul", 1));
  }

  @Test
  void notWhereSomethingElseReads() {
    String scaled = times(x, 3);
    g.output(g.gemm(scaled, false, w, false, bias, 1f));
    g.output(g.exp(scaled));
    moves(Map.of("Gemm", 1, "Mul", 1, "Exp", 1));
  }

  @Test
  void notOfAValueThatIsReadElsewhere() {
    String y = product(bias);
    g.output(times(y, 3));
    g.output(g.exp(y));
    moves(Map.of("Gemm", 1, "Mul", 1, "Exp", 1));
  }

  @Test
  void notIntoWhatIsKept() {
    String y = product(bias);
    g.output(times(y, 3));
    moves(Map.of("Gemm", 1, "Mul", 1), y);
  }

  /** A gradient that nothing reads yet. */
  @Test
  void notAwayFromWhatIsKept() {
    String scaled = times(x, 3);
    g.output(g.gemm(scaled, false, w, false, bias, 1f));
    moves(Map.of("Gemm", 1, "Mul", 1), scaled);
  }

  @Test
  void notByMoreThanANumber() {
    g.output(g.mul(product(""), bias));
    moves(Map.of("Gemm", 1, "Mul", 1));
  }
}
