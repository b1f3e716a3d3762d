package io.github.loragraph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Passes rely on traits: every operator that has one is put through them, and the numbers stay what
 * they were. A new operator is tried here without a word.
 */
class TraitsTest {
  private static final double TOLERANCE = 1e-5;

  /** What reads or makes truth values. */
  private static final Set<String> LOGICAL =
      Set.of(
          "And",
          "Or",
          "Xor",
          "Not",
          "IsNaN",
          "IsInf",
          "Equal",
          "Greater",
          "GreaterOrEqual",
          "Less",
          "LessOrEqual");

  private final TestGraph g = new TestGraph(GraphBuilder.OPSET);

  private static List<String> having(Trait trait) {
    return Operators.all().operators().stream()
        .filter(op -> op.domain().isEmpty() && op.since() <= GraphBuilder.OPSET && op.is(trait))
        .map(Operator::name)
        .toList();
  }

  static List<String> elementwise() {
    return having(Trait.ELEMENTWISE);
  }

  static List<String> broadcasting() {
    return having(Trait.BROADCASTING);
  }

  static List<String> lastAxis() {
    return having(Trait.LAST_AXIS);
  }

  private String linear(String name) {
    String x = g.graph().isInput("x") ? "x" : g.dynamicInput("x", 2, 3, 4);
    return g.add(g.matMul(x, g.weight(name, 4, 5)), g.weight(name + ".bias", 5));
  }

  private String bool(String x) {
    return g.op("Greater", x, g.number(0));
  }

  /** A value made by an operator of one input out of a product, as FLOAT. */
  private String applied(String operator) {
    String x = linear("w");
    return switch (operator) {
      case "Cast" -> single(g.cast(x, ElementType.DOUBLE));
      case "Clip" -> g.op("Clip", x, g.number(-0.3), g.number(0.4));
      case "Not" -> single(g.op("Not", bool(x)));
      case "LayerNormalization" -> g.op(operator, x, g.weight("scale", 5), g.weight("shift", 5));
      default -> single(g.op(operator, x));
    };
  }

  private String combined(String operator, String a, String b) {
    return switch (operator) {
      case "Where" -> g.where(bool(a), a, b);
      case "Mod" -> g.op("Mod", n -> n.with("fmod", 1), a, b);
      case "And", "Or", "Xor" -> single(g.op(operator, bool(a), bool(b)));
      default -> single(g.op(operator, a, b));
    };
  }

  private String single(String value) {
    return g.cast(value, ElementType.FLOAT);
  }

  private void byRows(String value, String operator) {
    g.output(g.matMul(value, g.weight("w2", 5, 3)));
    Pass.Result result = g.apply(new LinearAsGemm());
    g.assertSame(result.model().model(), TOLERANCE);
    // A condition goes to rows on its own.
    if (!LOGICAL.contains(operator) && !operator.equals("Where")) {
      assertEquals(2, Runs.operators(result.model().graph()).get("Reshape"), operator);
    }
  }

  private void ofTheFirst(String value) {
    g.output(g.gather(value, g.scalar(ElementType.INT64, 0), 1));
    Pass.Result result = g.apply(new FirstTokenSelection());
    g.assertSame(result.model().model(), TOLERANCE);
    assertTrue(result.recognised().get(FirstTokenSelection.PASSED) >= 3);
  }

  @ParameterizedTest
  @MethodSource("elementwise")
  void anElementwiseOperatorWorksOnRows(String operator) {
    byRows(applied(operator), operator);
  }

  @ParameterizedTest
  @MethodSource("elementwise")
  void theFirstEntryPassesAnElementwiseOperator(String operator) {
    ofTheFirst(applied(operator));
  }

  @ParameterizedTest
  @MethodSource("broadcasting")
  void aBroadcastingOperatorWorksOnRows(String operator) {
    byRows(combined(operator, linear("w"), linear("v")), operator);
  }

  @ParameterizedTest
  @MethodSource("broadcasting")
  void anOperandForEachChannelStaysAsItIs(String operator) {
    byRows(combined(operator, linear("w"), g.weight("channels", 5)), operator);
  }

  @ParameterizedTest
  @MethodSource("broadcasting")
  void theFirstEntryPassesABroadcastingOperator(String operator) {
    ofTheFirst(combined(operator, linear("w"), linear("v")));
  }

  @ParameterizedTest
  @MethodSource("broadcasting")
  void theFirstEntryPassesOneThatIsBroadcast(String operator) {
    ofTheFirst(combined(operator, linear("w"), g.weight("row", 1, 5)));
  }

  @ParameterizedTest
  @MethodSource("lastAxis")
  void anOperatorAlongTheLastAxisWorksOnRows(String operator) {
    byRows(applied(operator), operator);
  }

  @ParameterizedTest
  @MethodSource("lastAxis")
  void theFirstEntryPassesAnOperatorAlongTheLastAxis(String operator) {
    ofTheFirst(applied(operator));
  }

  @Test
  void severalOperandsAreAllTaken() {
    String w = linear("w");
    byRows(g.op("Max", w, linear("v"), g.weight("channels", 5)), "Max");
  }

  @Test
  void theFirstEntryPassesSeveralOperands() {
    String w = linear("w");
    ofTheFirst(g.op("Sum", w, linear("v"), g.weight("row", 1, 5)));
  }

  /** The slice of a graph input is made once, before the first of its readers. */
  @Test
  void twoReadersOfAnInputShareItsSlice() {
    String x = g.dynamicInput("x", 2, 3, 4);
    ofTheFirst(g.add(g.op("Tanh", g.op("Exp", x)), g.op("Neg", x)));
  }

  @Test
  void anotherAxisIsNotTheLast() {
    String y = g.op("Softmax", n -> n.with("axis", 1), linear("w"));
    g.output(g.gather(y, g.scalar(ElementType.INT64, 0), 1));
    Pass.Result result = g.apply(new FirstTokenSelection());
    g.assertSame(result.model().model(), TOLERANCE);
    assertEquals(0, result.recognised().get(FirstTokenSelection.PASSED));
  }
}
