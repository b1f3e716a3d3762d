package io.github.loragraph.autodiff;

/** The error function in double precision, which Java does not have. */
public final class ErrorFunction {
  private ErrorFunction() {}

  /** Maclaurin's series, which is exact to 1e-15 where |x| is below 3. */
  public static double erf(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; Math.abs(term) > 1e-18; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }

  /** GELU, exact. */
  public static double gelu(double x) {
    return 0.5 * x * (1 + erf(x / Math.sqrt(2)));
  }

  /** GELU's tanh approximation. */
  public static double tanhGelu(double x) {
    return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
  }
}
