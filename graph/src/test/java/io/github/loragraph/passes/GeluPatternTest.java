package io.github.loragraph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Tensor;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GeluPatternTest {
  private static final double TOLERANCE = 1e-6;

  private final TestGraph g = new TestGraph(20);
  private final String x = g.dynamicInput("x", 2, 3, 8);
  private final String half = g.number(0.5);
  private final String one = g.number(1);

  private String erf() {
    return g.op("Erf", g.div(x, g.number(Math.sqrt(2))));
  }

  private String tanh() {
    String cubic = g.mul(g.number(0.044715), g.pow(x, g.number(3)));
    return g.op("Tanh", g.mul(g.number(Math.sqrt(2 / Math.PI)), g.add(x, cubic)));
  }

  private void exact(String y) {
    check(y, "none");
  }

  private void approximate(String y) {
    check(y, "tanh");
  }

  private void check(String y, String approximation) {
    g.output(y);
    Graph graph = rewritten(1);
    assertEquals(Map.of("Gelu", 1), Runs.operators(graph));
    assertEquals(approximation, graph.producer(y).attribute("approximate", "none"));
    assertEquals(List.of(x), graph.producer(y).inputs());
  }

  private void untouched(String y) {
    g.output(y);
    rewritten(0);
  }

  private Graph rewritten(int times) {
    Pass.Result result = g.apply(new Rewriter(new GeluPattern(), new TanhGeluPattern()));
    assertEquals(times, result.recognised().values().stream().mapToInt(Integer::intValue).sum());
    g.assertSame(g.model().withGraph(result.model().graph()), TOLERANCE);
    return result.model().graph();
  }

  @Test
  void asPyTorchWritesIt() {
    exact(g.mul(g.mul(x, g.add(erf(), one)), half));
  }

  @Test
  void halfOfXFirst() {
    exact(g.mul(g.mul(x, half), g.add(one, erf())));
  }

  @Test
  void halfOfTheSumFirst() {
    exact(g.mul(x, g.mul(half, g.add(erf(), one))));
  }

  @Test
  void otherSides() {
    exact(g.mul(g.add(one, erf()), g.mul(half, x)));
  }

  @Test
  void dividedByTwo() {
    exact(g.div(g.mul(g.add(erf(), one), x), g.number(2)));
  }

  @Test
  void multipliedByTheInverseRoot() {
    String erf = g.op("Erf", g.mul(g.number(Math.sqrt(0.5)), x));
    exact(g.mul(half, g.mul(x, g.add(erf, one))));
  }

  @Test
  void tanhAsPyTorchWritesIt() {
    approximate(g.mul(g.mul(half, x), g.add(one, tanh())));
  }

  @Test
  void tanhWithTheCubeMultipliedOut() {
    String cube = g.mul(g.mul(x, x), g.mul(x, g.number(0.044715)));
    String inner = g.mul(g.add(cube, x), g.number(0.7978845608028654));
    approximate(g.mul(x, g.mul(g.add(g.op("Tanh", inner), one), half)));
  }

  @Test
  void tanhWithXTakenOut() {
    String square = g.mul(g.mul(g.number(0.044715), x), x);
    String inner = g.mul(g.mul(x, g.number(0.7978845608)), g.add(one, square));
    approximate(g.mul(g.mul(half, x), g.add(one, g.op("Tanh", inner))));
  }

  @Test
  void anotherConstant() {
    untouched(g.mul(g.mul(x, g.add(erf(), one)), g.number(0.25)));
    untouched(g.mul(g.mul(x, g.add(erf(), g.number(2))), half));
    String erf = g.op("Erf", g.div(x, g.number(1.5)));
    untouched(g.mul(g.mul(x, g.add(erf, one)), half));
  }

  @Test
  void anotherValue() {
    String y = g.dynamicInput("y", 2, 3, 8);
    untouched(g.mul(g.mul(y, g.add(erf(), one)), half));
    untouched(g.mul(g.mul(y, g.add(tanh(), one)), half));
  }

  @Test
  void aDifferenceInPlaceOfTheSum() {
    untouched(g.mul(g.mul(x, g.sub(erf(), one)), half));
  }

  @Test
  void anotherPower() {
    String cubic = g.mul(g.number(0.044715), g.pow(x, g.number(2)));
    String inner = g.mul(g.number(Math.sqrt(2 / Math.PI)), g.add(x, cubic));
    untouched(g.mul(g.mul(half, x), g.add(one, g.op("Tanh", inner))));
  }

  @Test
  void aConstantThatRaisesTheRank() {
    String wide = g.initializer(Tensor.filled("wide", ElementType.FLOAT, 0.5, 1, 1, 1, 1));
    untouched(g.mul(g.mul(x, g.add(erf(), one)), wide));
  }
}
