package io.github.loragraph.passes;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Arithmetic on constants of one number each is done beforehand, so that patterns see the number:
 * {@code Sqrt(2)}, {@code Div(1, 8)}. Numbers are computed in double precision and rounded once,
 * which for {@code + - * /} and the square root is what single precision gives.
 */
final class ScalarFolding implements RewriteRule {
  private static final Set<String> OPERATORS =
      Set.of("Add", "Cast", "Div", "Mul", "Neg", "Reciprocal", "Sqrt", "Sub");

  @Override
  public String name() {
    return "ScalarFolding";
  }

  @Override
  public Consumer<RewriteBuilder> match(Node node, MatchContext context) {
    if (!OPERATORS.contains(node.opType()) || context.graph().isOutput(node.output(0))) {
      return null;
    }
    List<Tensor> operands = node.inputs().stream().map(context::constant).toList();
    if (operands.stream().anyMatch(t -> t == null || t.elementCount() != 1)) {
      return null;
    }
    Tensor result = result(node, operands);
    return result == null ? null : builder -> builder.constant(node.output(0), result);
  }

  private static Tensor result(Node node, List<Tensor> operands) {
    ElementType from = operands.get(0).elementType();
    ElementType to = node.is("Cast") ? ElementType.of((int) node.attribute("to", 0L)) : from;
    boolean floats = from == ElementType.FLOAT || from == ElementType.DOUBLE;
    int rank = operands.stream().mapToInt(Tensor::rank).max().orElse(0);
    long[] dims = new long[rank];
    Arrays.fill(dims, 1);
    double a;
    double b;
    if (floats) {
      a = operands.get(0).toDoubles()[0];
      b = operands.size() > 1 ? operands.get(1).toDoubles()[0] : 0;
    } else if (from == ElementType.INT64 || from == ElementType.INT32) {
      a = operands.get(0).toLongs()[0];
      b = operands.size() > 1 ? operands.get(1).toLongs()[0] : 0;
    } else {
      return null;
    }
    Double number = floats ? compute(node.opType(), a, b) : computeWhole(node.opType(), a, b);
    boolean written =
        to == ElementType.FLOAT
            || to == ElementType.DOUBLE
            || ((to == ElementType.INT64 || to == ElementType.INT32) && !floats);
    return number == null || !written ? null : Tensor.filled("", to, number, dims);
  }

  private static Double compute(String operator, double a, double b) {
    return switch (operator) {
      case "Add" -> a + b;
      case "Cast" -> a;
      case "Div" -> a / b;
      case "Mul" -> a * b;
      case "Neg" -> -a;
      case "Reciprocal" -> 1 / a;
      case "Sqrt" -> Math.sqrt(a);
      case "Sub" -> a - b;
      default -> null;
    };
  }

  /** Whole numbers whose result is exact in double precision; a division must leave no rest. */
  private static Double computeWhole(String operator, double a, double b) {
    if (operator.equals("Div") && (b == 0 || a % b != 0)) {
      return null;
    }
    Double number =
        operator.equals("Reciprocal") || operator.equals("Sqrt") ? null : compute(operator, a, b);
    return number == null || Math.abs(number) > Integer.MAX_VALUE ? null : number;
  }
}
