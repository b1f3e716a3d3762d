package io.github.loragraph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class LayerNormPatternTest {
  private static final double TOLERANCE = 1e-6;

  private final TestGraph g = new TestGraph(20);
  private final String x = g.dynamicInput("x", 2, 3, 8);
  private final String scale = g.weight("scale", 8);
  private final String bias = g.weight("bias", 8);
  private final String epsilon = g.number(1e-5);

  private String mean(String value) {
    return g.reduceMean(value, true, -1);
  }

  private String centered() {
    return g.sub(x, mean(x));
  }

  private String deviation(String centered) {
    return g.sqrt(g.add(mean(g.pow(centered, g.number(2))), epsilon));
  }

  private Graph recognised(String y) {
    g.output(y);
    Graph graph = rewritten(1);
    assertEquals(Map.of("LayerNormalization", 1), Runs.operators(graph));
    assertEquals(List.of(x, scale, bias), graph.producer(y).inputs());
    assertEquals(1e-5f, graph.producer(y).attribute("epsilon", 0f));
    return graph;
  }

  private void untouched(String y) {
    g.output(y);
    rewritten(0);
  }

  private Graph rewritten(int times) {
    Pass.Result result =
        g.apply(new Rewriter(new NoOpCast(), new IdentityRemoval(), new LayerNormPattern()));
    assertEquals(times, result.recognised().get("LayerNormPattern"));
    OnnxModel model = g.model().withGraph(result.model().graph());
    g.assertSame(model, TOLERANCE);
    return result.model().graph();
  }

  @Test
  void asPyTorchWritesIt() {
    String d = centered();
    recognised(g.add(g.mul(g.div(d, deviation(d)), scale), bias));
  }

  @Test
  void operandsOnTheOtherSide() {
    String d = centered();
    String variance = mean(g.mul(d, d));
    String norm = g.div(d, g.sqrt(g.add(epsilon, variance)));
    recognised(g.add(bias, g.mul(scale, norm)));
  }

  @Test
  void differencesComputedTwice() {
    recognised(g.add(g.mul(g.div(centered(), deviation(centered())), scale), bias));
  }

  @Test
  void multipliedByTheInverse() {
    String d = centered();
    recognised(g.add(g.mul(g.mul(d, g.op("Reciprocal", deviation(d))), scale), bias));
  }

  @Test
  void multipliedByTheScaledInverse() {
    String d = centered();
    String inverse = g.div(g.number(1), deviation(d));
    recognised(g.add(g.mul(d, g.mul(inverse, scale)), bias));
  }

  @Test
  void asTensorFlowWritesIt() {
    String m = mean(x);
    String d = g.sub(x, m);
    String variance = mean(g.mul(d, d));
    String gain = g.mul(g.op("Reciprocal", g.sqrt(g.add(variance, epsilon))), scale);
    recognised(g.add(g.mul(x, gain), g.sub(bias, g.mul(m, gain))));
  }

  @Test
  void castsThatDoNothingBetween() {
    String d = centered();
    String norm = g.div(d, deviation(g.cast(d, ElementType.FLOAT)));
    recognised(g.add(g.mul(g.cast(norm, ElementType.FLOAT), scale), bias));
  }

  @Test
  void lastAxisCountedFromTheFront() {
    String d = g.sub(x, g.reduceMean(x, true, 2));
    String variance = g.reduceMean(g.mul(d, d), true, 2);
    recognised(g.add(g.mul(g.div(d, g.sqrt(g.add(variance, epsilon))), scale), bias));
  }

  @Test
  void innerValueThatIsAnOutputStays() {
    String d = centered();
    g.output(d);
    String y = g.add(g.mul(g.div(d, deviation(d)), scale), bias);
    g.output(y);
    Graph graph = rewritten(1);
    assertTrue(graph.isOutput(d));
    assertEquals("Sub", graph.producer(d).opType());
    assertEquals("LayerNormalization", graph.producer(y).opType());
  }

  @Test
  void anotherAxisIsNoLayerNorm() {
    String d = g.sub(x, g.reduceMean(x, true, 1));
    String variance = g.reduceMean(g.mul(d, d), true, 1);
    untouched(g.add(g.mul(g.div(d, g.sqrt(g.add(variance, epsilon))), scale), bias));
  }

  @Test
  void severalAxesAreNoLayerNorm() {
    String d = g.sub(x, g.reduceMean(x, true, 1, 2));
    String variance = g.reduceMean(g.mul(d, d), true, 1, 2);
    untouched(g.add(g.mul(g.div(d, g.sqrt(g.add(variance, epsilon))), scale), bias));
  }

  @Test
  void anotherPowerIsNoVariance() {
    String d = centered();
    String fourth = mean(g.pow(d, g.number(4)));
    untouched(g.add(g.mul(g.div(d, g.sqrt(g.add(fourth, epsilon))), scale), bias));
  }

  @Test
  void theOppositeDifferenceIsNotCentered() {
    String d = g.sub(mean(x), x);
    untouched(g.add(g.mul(g.div(d, deviation(d)), scale), bias));
  }

  @Test
  void anEpsilonThatIsNoConstant() {
    String d = centered();
    String given = g.op("Abs", g.input("e", 1));
    String deviation = g.sqrt(g.add(mean(g.mul(d, d)), given));
    untouched(g.add(g.mul(g.div(d, deviation), scale), bias));
  }

  @Test
  void aScaleOfTheWrongShape() {
    String d = centered();
    String one = g.weight("one", 1);
    untouched(g.add(g.mul(g.div(d, deviation(d)), one), bias));
    String square = g.weight("square", 3, 8);
    untouched(g.add(g.mul(g.div(d, deviation(d)), square), bias));
  }

  @Test
  void theMeanOfAnotherValue() {
    String d = g.sub(x, mean(g.op("Relu", x)));
    untouched(g.add(g.mul(g.div(d, deviation(d)), scale), bias));
  }

  @Test
  void anEpsilonOfZero() {
    String d = centered();
    String zero = g.initializer(Tensor.scalar("zero", ElementType.FLOAT, 0));
    String deviation = g.sqrt(g.add(mean(g.mul(d, d)), zero));
    untouched(g.add(g.mul(g.div(d, deviation), scale), bias));
  }

  @Test
  void aMeanThatLosesItsAxis() {
    String flat = g.op("ReduceMean", keepDims(0), g.input("v", 8, 8), g.longs(-1));
    String v = "v";
    String d = g.sub(v, flat);
    String variance = mean(g.mul(d, d));
    untouched(g.add(g.mul(g.div(d, g.sqrt(g.add(variance, epsilon))), scale), bias));
  }

  private static UnaryOperator<Node> keepDims(long value) {
    return node -> node.with("keepdims", value);
  }
}
