package io.github.loragraph.passes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Tensor;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CleanupRulesTest {
  private final TestGraph g = new TestGraph(20);

  private Graph apply(int times, RewriteRule rule, String... trainable) {
    Pass.Result result = g.apply(new Rewriter(rule), trainable);
    assertEquals(times, result.recognised().get(rule.name()));
    g.assertSame(g.model().withGraph(result.model().graph()), 0);
    return result.model().graph();
  }

  @Test
  void identitiesAreSkipped() {
    String x = g.input("x", 2, 3);
    g.output(g.neg(g.op("Identity", g.op("Identity", x))));
    assertEquals(Map.of("Neg", 1), Runs.operators(apply(2, new IdentityRemoval())));
  }

  @Test
  void identityThatMakesAGraphOutputStays() {
    String x = g.input("x", 2, 3);
    String y = g.op("Identity", x);
    g.output(y);
    g.output(g.neg(y));
    assertEquals(Map.of("Identity", 1, "Neg", 1), Runs.operators(apply(0, new IdentityRemoval())));
  }

  @Test
  void identityOfATrainableValueStays() {
    String w = g.weight("w", 3);
    g.output(g.add(g.input("x", 2, 3), g.op("Identity", w)));
    assertEquals(
        Map.of("Identity", 1, "Add", 1), Runs.operators(apply(0, new IdentityRemoval(), w)));
    assertEquals(Map.of("Add", 1), Runs.operators(apply(1, new IdentityRemoval())));
  }

  @Test
  void castsToTheSameTypeAreSkipped() {
    String x = g.input("x", 2, 3);
    g.output(g.neg(g.cast(x, ElementType.FLOAT)));
    g.output(g.neg(g.cast(g.cast(x, ElementType.INT64), ElementType.FLOAT)));
    assertEquals(Map.of("Neg", 2, "Cast", 2), Runs.operators(apply(1, new NoOpCast())));
  }

  @Test
  void castThatMakesAGraphOutputBecomesAnIdentity() {
    g.output(g.cast(g.input("x", 2, 3), ElementType.FLOAT));
    assertEquals(Map.of("Identity", 1), Runs.operators(apply(1, new NoOpCast())));
  }

  @Test
  void constantsBecomeInitializersOfTheSameName() {
    String c =
        g.op("Constant", n -> n.with("value", Tensor.ofFloats("", new float[] {1, 2, 3}, 3)));
    String d = g.op("Constant", n -> n.with("value_float", 2f));
    String out = g.op("Constant", n -> n.with("value_float", 3f));
    g.output(g.add(g.input("x", 2, 3), g.mul(c, d)));
    g.output(out);
    Graph graph = apply(2, new ConstantNodes());
    assertArrayEquals(new float[] {1, 2, 3}, graph.initializer(c).toFloats());
    assertEquals(1, Runs.operators(graph).get("Constant"));
  }

  @Test
  void arithmeticOnNumbersIsDoneBeforehand() {
    String root = g.sqrt(g.div(g.number(1), g.number(3)));
    String whole = g.mul(g.scalar(ElementType.INT64, 4), g.scalar(ElementType.INT64, -8));
    String sum = g.add(root, g.cast(whole, ElementType.FLOAT));
    g.output(g.mul(g.input("x", 2, 3), g.sub(sum, g.neg(g.op("Reciprocal", g.number(7))))));
    Graph graph = apply(8, new ScalarFolding());
    assertEquals(Map.of("Mul", 1), Runs.operators(graph));
  }

  @Test
  void arithmeticOnTrainableNumbersStays() {
    String a = g.number(2);
    g.output(g.mul(g.input("x", 2, 3), g.sqrt(a)));
    apply(0, new ScalarFolding(), a);
  }

  @Test
  void wholeDivisionWithARestStays() {
    String third = g.div(g.scalar(ElementType.INT64, -7), g.scalar(ElementType.INT64, 2));
    g.output(g.mul(g.input("x", 2, 3), g.cast(third, ElementType.FLOAT)));
    apply(0, new ScalarFolding());
  }

  @Test
  void dropoutOfInferenceIsRemoved() {
    String x = g.input("x", 2, 3);
    List<String> off = g.ops("Dropout", 2, n -> n, x, g.number(0.3));
    g.output(g.neg(off.get(0)));
    g.output(g.op("Not", off.get(1)), ElementType.BOOL);
    assertEquals(
        Map.of("Neg", 1, "Not", 1, "ConstantOfShape", 1, "Shape", 1),
        Runs.operators(apply(1, new DropoutRemoval())));
  }

  @Test
  void dropoutOfTrainingIsTurnedOff() {
    TestGraph training = new TestGraph(20);
    String input = training.input("x", 2, 3);
    String on = training.initializer(Tensor.ofBooleans("on", new boolean[] {true}));
    training.output(training.neg(training.op("Dropout", input, training.number(0.9), on)));
    Graph graph = training.apply(new Rewriter(new DropoutRemoval())).model().graph();
    assertEquals(Map.of("Neg", 1), Runs.operators(graph));
    assertEquals(List.of(input), graph.nodes().get(0).inputs());
  }
}
