package io.github.loragraph.passes;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.Operators;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Arithmetic on constants of one number each is done beforehand, so that patterns see the number:
 * {@code Sqrt(2)}, {@code Div(1, 8)}. Numbers are computed in double precision and rounded once,
 * which for {@code + - * /} and the square root is what single precision gives.
 */
final class ScalarFolding implements RewriteRule {
  @Override
  public String name() {
    return "ScalarFolding";
  }

  @Override
  public @Nullable Consumer<RewriteBuilder> match(Node node, MatchContext context) {
    Operator operator = Operators.all().of(node);
    List<Tensor> operands = node.inputs().stream().map(context::constant).toList();
    if (operator == null
        || operands.isEmpty()
        || operands.stream().anyMatch(t -> t == null || t.elementCount() != 1)
        || context.graph().isOutput(node.output(0))) {
      return null;
    }
    Tensor result = result(node, operator, operands);
    return result == null ? null : builder -> builder.constant(node.output(0), result);
  }

  private static @Nullable Tensor result(Node node, Operator operator, List<Tensor> operands) {
    ElementType from = operands.get(0).elementType();
    ElementType to = node.is("Cast") ? ElementType.of((int) node.attribute("to", 0L)) : from;
    boolean floats = from == ElementType.FLOAT || from == ElementType.DOUBLE;
    boolean integers = from == ElementType.INT64 || from == ElementType.INT32;
    if (!floats && !integers) {
      return null;
    }
    int rank = operands.stream().mapToInt(Tensor::rank).max().orElse(0);
    long[] dims = new long[rank];
    Arrays.fill(dims, 1);
    Double number =
        operator.compute(
            operands.stream()
                .mapToDouble(t -> floats ? t.toDoubles()[0] : t.toLongs()[0])
                .toArray());
    boolean written =
        to == ElementType.FLOAT
            || to == ElementType.DOUBLE
            || ((to == ElementType.INT64 || to == ElementType.INT32) && !floats);
    return number == null || !written || (integers && !isExact(number))
        ? null
        : Tensor.filled("", to, number, dims);
  }

  /** Whether it is the result for whole numbers too: a division must leave no rest. */
  private static boolean isExact(double number) {
    return number == Math.rint(number) && Math.abs(number) <= Integer.MAX_VALUE;
  }
}
