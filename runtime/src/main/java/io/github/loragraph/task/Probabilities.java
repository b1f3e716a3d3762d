package io.github.loragraph.task;

/** From a row of logits to probabilities, in double precision and without overflow. */
public final class Probabilities {
  private Probabilities() {}

  /** The index of the largest entry, the first of equal ones. */
  public static int argMax(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }

  public static double logSumExp(float[] logits) {
    double max = logits[argMax(logits)];
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    return max + Math.log(sum);
  }

  /** log(1 + exp(x)). */
  static double softplus(double x) {
    return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  }

  /** Sigmoid. */
  public static double sigmoid(float logit) {
    return 1 / (1 + Math.exp(-logit));
  }

  /** Softmax. */
  public static double[] softmax(float[] logits) {
    double logSum = logSumExp(logits);
    double[] probabilities = new double[logits.length];
    for (int i = 0; i < logits.length; i++) {
      probabilities[i] = Math.exp(logits[i] - logSum);
    }
    return probabilities;
  }
}
