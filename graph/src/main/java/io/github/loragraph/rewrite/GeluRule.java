package io.github.loragraph.rewrite;

import static io.github.loragraph.rewrite.Pattern.any;
import static io.github.loragraph.rewrite.Pattern.number;
import static io.github.loragraph.rewrite.Pattern.op;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import java.util.List;
import java.util.stream.Stream;

/**
 * GELU (Hendrycks and Gimpel, 2016) spelled out: {@code x (1 + erf(x / sqrt(2))) / 2} or its tanh
 * approximation, in the orders in which exporters multiply.
 */
final class GeluRule implements RewriteRule {
  private static final Pattern X = any();

  private static final List<Pattern> EXACT =
      Stream.of(op("Div", X, number(Math.sqrt(2))), op("Mul", X, number(Math.sqrt(0.5))))
          .map(scaled -> op("Add", op("Erf", scaled), number(1)))
          .flatMap(GeluRule::products)
          .toList();

  private static final List<Pattern> TANH =
      Stream.of(op("Pow", X, number(3)), op("Mul", X, op("Mul", X, X)))
          .map(cube -> op("Add", X, op("Mul", cube, number(0.044715))))
          .map(inner -> op("Mul", inner, number(Math.sqrt(2 / Math.PI))))
          .map(inner -> op("Add", op("Tanh", inner), number(1)))
          .flatMap(GeluRule::products)
          .toList();

  /** x times the sum times a half, however the brackets are set. */
  private static Stream<Pattern> products(Pattern sum) {
    Pattern half = number(0.5);
    return Stream.of(
        op("Mul", op("Mul", X, sum), half),
        op("Mul", op("Mul", X, half), sum),
        op("Mul", op("Mul", sum, half), X));
  }

  @Override
  public String name() {
    return "Gelu";
  }

  @Override
  public Node rewrite(Graph graph, Node last) {
    if (!last.is("Mul")) {
      return null;
    }
    Node exact = rewrite(graph, last, EXACT);
    if (exact != null) {
      return exact;
    }
    Node tanh = rewrite(graph, last, TANH);
    return tanh == null ? null : tanh.with("approximate", "tanh");
  }

  private static Node rewrite(Graph graph, Node last, List<Pattern> forms) {
    for (Pattern form : forms) {
      Pattern.Match match = form.match(graph, last.output(0));
      if (match != null) {
        return Node.of(
            last.name() + "/Gelu", "Gelu", List.of(match.value(X)), List.of(last.output(0)));
      }
    }
    return null;
  }
}
