package io.github.loragraph.passes;

import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import java.util.Objects;

/**
 * Layer normalization over the last axis in primitive operators, as exporters write it below
 * operator set 17: {@code (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * scale + bias}
 * becomes {@code LayerNormalization} (ONNX operator specification, version 17).
 */
final class LayerNormPattern extends Pattern {
  private static final Term MEAN = opWhere("ReduceMean", LayerNormPattern::overLastAxis, any("x"));
  private static final Term CENTERED = op("Sub", any("x"), MEAN);
  private static final Term SQUARES =
      either(op("Pow", CENTERED, number(2)), op("Mul", CENTERED, CENTERED));
  private static final Term VARIANCE =
      op("Add", opWhere("ReduceMean", LayerNormPattern::overLastAxis, SQUARES), any("epsilon"));
  private static final Term DEVIATION =
      either(op("Sqrt", VARIANCE), op("Pow", VARIANCE, number(0.5)));
  private static final Term INVERSE =
      either(
          op("Reciprocal", DEVIATION),
          op("Div", number(1), DEVIATION),
          op("Pow", VARIANCE, number(-0.5)));

  /** The last steps, with the factors in any order. */
  private static final Term SCALED =
      either(
          op("Mul", op("Div", CENTERED, DEVIATION), any("scale")),
          op("Div", op("Mul", CENTERED, any("scale")), DEVIATION),
          product(CENTERED, INVERSE, any("scale")));

  /** With the scale folded into the deviation, as TensorFlow's graphs have it. */
  private static final Term GAIN = op("Mul", INVERSE, any("scale"));

  private static final Term FOLDED =
      op("Add", op("Mul", any("x"), GAIN), op("Sub", any("bias"), op("Mul", MEAN, GAIN)));

  LayerNormPattern() {
    super(either(op("Add", SCALED, any("bias")), FOLDED));
  }

  private static boolean overLastAxis(Node mean, MatchContext context) {
    Tensor axes = mean.hasInput(1) ? context.constant(mean.input(1)) : null;
    return axes != null
        && axes.elementCount() == 1
        && mean.attribute("keepdims", 1L) == 1
        && context.isLastAxis(axes.toLongs()[0], mean.input(0));
  }

  @Override
  boolean accepts(Match match, MatchContext context) {
    String x = match.value("x");
    TensorType type = context.types().get(x);
    Tensor epsilon = context.constant(match.value("epsilon"));
    Double number = context.number(match.value("epsilon"));
    return type != null
        && type.isFloatingPoint()
        && epsilon != null
        && number != null
        && epsilon.rank() <= context.rank(x)
        && number > 0
        && isPerChannel(match.value("scale"), x, context)
        && isPerChannel(match.value("bias"), x, context);
  }

  private static boolean isPerChannel(String value, String x, MatchContext context) {
    return context.rank(value) == 1
        && context.width(value) > 0
        && context.width(value) == context.width(x);
  }

  @Override
  void replace(Match match, RewriteBuilder builder) {
    double epsilon = Objects.requireNonNull(match.context().number(match.value("epsilon")));
    builder.replace(
        match.root(),
        "LayerNormalization",
        node -> node.with("axis", -1).with("epsilon", (float) epsilon),
        match.value("x"),
        match.value("scale"),
        match.value("bias"));
  }
}
