package io.github.loragraph.passes;

import java.util.function.UnaryOperator;

/**
 * The Gaussian error linear unit in primitive operators (Hendrycks and Gimpel, "Gaussian Error
 * Linear Units", 2016): {@code 0.5 x (1 + erf(x / sqrt(2)))} becomes {@code Gelu} (ONNX operator
 * specification, version 20).
 */
final class GeluPattern extends Pattern {
  private static final Term X = any("x");

  GeluPattern() {
    super(product(0.5, X, op("Add", op("Erf", product(Math.sqrt(0.5), X)), number(1))));
  }

  @Override
  boolean accepts(Match match, MatchContext context) {
    return context.rank(match.value("x")) == context.rank(match.root().output(0));
  }

  @Override
  void replace(Match match, RewriteBuilder builder) {
    builder.replace(match.root(), "Gelu", UnaryOperator.identity(), match.value("x"));
  }
}
