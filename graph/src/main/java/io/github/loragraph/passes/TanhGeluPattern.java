package io.github.loragraph.passes;

/**
 * The approximation of the Gaussian error linear unit by tanh, in primitive operators (Hendrycks
 * and Gimpel, 2016): {@code 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))} becomes {@code Gelu}
 * with {@code approximate=tanh} (ONNX operator specification, version 20).
 */
final class TanhGeluPattern extends Pattern {
  private static final double CUBIC = 0.044715;
  private static final double SLOPE = Math.sqrt(2 / Math.PI);

  private static final Term X = any("x");
  private static final Term CUBE =
      either(product(CUBIC, op("Pow", X, number(3))), product(CUBIC, X, X, X));
  private static final Term SQUARE =
      either(product(CUBIC, op("Pow", X, number(2))), product(CUBIC, X, X));
  private static final Term INNER =
      either(product(SLOPE, op("Add", X, CUBE)), product(SLOPE, X, op("Add", SQUARE, number(1))));

  TanhGeluPattern() {
    super(product(0.5, X, op("Add", op("Tanh", INNER), number(1))));
  }

  @Override
  boolean accepts(Match match, MatchContext context) {
    return context.rank(match.value("x")) == context.rank(match.root().output(0));
  }

  @Override
  void replace(Match match, RewriteBuilder builder) {
    builder.replace(
        match.root(), "Gelu", node -> node.with("approximate", "tanh"), match.value("x"));
  }
}
