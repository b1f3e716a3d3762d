package io.github.loragraph.rewrite;

import static io.github.loragraph.rewrite.Pattern.any;
import static io.github.loragraph.rewrite.Pattern.number;
import static io.github.loragraph.rewrite.Pattern.op;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.List;

/**
 * Layer normalization over the last axis as exporters spell it out before operator set 17: {@code
 * (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * scale + bias}.
 */
final class LayerNormalizationRule implements RewriteRule {
  private static final Pattern X = any();
  private static final Pattern SCALE = any();
  private static final Pattern BIAS = any();
  private static final Pattern EPSILON = number();
  private static final Pattern MEAN = op("ReduceMean", X);
  private static final Pattern CENTERED = op("Sub", X, MEAN);

  /** Some exporters write the difference twice. */
  private static final Pattern CENTERED_AGAIN = op("Sub", X, MEAN);

  private static final List<Form> FORMS =
      List.of(
          form(op("ReduceMean", op("Pow", CENTERED, number(2))), CENTERED),
          form(op("ReduceMean", op("Mul", CENTERED, CENTERED)), CENTERED),
          form(op("ReduceMean", op("Pow", CENTERED_AGAIN, number(2))), CENTERED),
          form(op("ReduceMean", op("Mul", CENTERED_AGAIN, CENTERED_AGAIN)), CENTERED));

  private record Form(Pattern variance, Pattern whole) {}

  private static Form form(Pattern variance, Pattern centered) {
    Pattern deviation = op("Sqrt", op("Add", variance, EPSILON));
    Pattern normalized = op("Div", centered, deviation);
    return new Form(variance, op("Add", op("Mul", normalized, SCALE), BIAS));
  }

  @Override
  public String name() {
    return "LayerNormalization";
  }

  @Override
  public Node rewrite(Graph graph, Node last) {
    if (!last.is("Add")) {
      return null;
    }
    for (Form form : FORMS) {
      Pattern.Match match = form.whole().match(graph, last.output(0));
      if (match != null
          && isOverLastAxis(graph, match.node(MEAN))
          && isOverLastAxis(graph, match.node(form.variance()))
          && isVector(graph, match.value(SCALE))
          && isVector(graph, match.value(BIAS))) {
        return Node.of(
                last.name() + "/LayerNormalization",
                "LayerNormalization",
                List.of(match.value(X), match.value(SCALE), match.value(BIAS)),
                List.of(last.output(0)))
            .with("axis", -1)
            .with("epsilon", (float) match.number(EPSILON));
      }
    }
    return null;
  }

  private static boolean isOverLastAxis(Graph graph, Node mean) {
    Tensor axes = mean.hasInput(1) ? graph.constant(mean.input(1)) : null;
    return axes != null
        && axes.elementCount() == 1
        && axes.toLongs()[0] == -1
        && mean.attribute("keepdims", 1L) == 1;
  }

  private static boolean isVector(Graph graph, String value) {
    Tensor tensor = graph.constant(value);
    return tensor != null && tensor.rank() == 1;
  }
}
