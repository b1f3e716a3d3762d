package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;

/**
 * What is done in a training step besides the loss: the optimizer, clipping of gradients, dropout
 * in the adapters and the precision of matrix products.
 *
 * @param maxGradientNorm gradients are scaled down to this norm over all of them together; 0 turns
 *     it off
 * @param dropout on what enters the adapters
 * @param precision of the matrix products that gradients come out of
 * @param base in what frozen layers compute
 * @param recomputed how many pieces of the layers are computed a second time for the way back
 *     ({@link GraphOptions#recomputed}): gradients take less memory and more time; {@link #ALL} for
 *     as many as there are
 * @param moments in what the optimizer keeps its moments
 */
public record Optimization(
    AdamW optimizer,
    double maxGradientNorm,
    LoraDropout dropout,
    Precision precision,
    BasePrecision base,
    int recomputed,
    Moments moments) {
  /** All pieces are computed a second time. */
  public static final int ALL = Integer.MAX_VALUE;

  public Optimization {
    if (!(maxGradientNorm >= 0) || Double.isInfinite(maxGradientNorm)) {
      throw new LoraGraphException(
          "a maximum gradient norm of " + maxGradientNorm + " is not possible: 0 turns it off");
    }
    if (recomputed < 0) {
      throw new LoraGraphException(
          "%d pieces cannot be computed again: 0 turns it off".formatted(recomputed));
    }
  }

  /** With frozen layers as they are. */
  public Optimization(
      AdamW optimizer, double maxGradientNorm, LoraDropout dropout, Precision precision) {
    this(optimizer, maxGradientNorm, dropout, precision, BasePrecision.FP32, 0, Moments.ADAMW);
  }

  /** The same with frozen layers in another precision. */
  public Optimization withBase(BasePrecision other) {
    return new Optimization(
        optimizer, maxGradientNorm, dropout, precision, other, recomputed, moments);
  }

  /** The same with so many pieces of the layers computed a second time. */
  public Optimization recomputing(int pieces) {
    return new Optimization(optimizer, maxGradientNorm, dropout, precision, base, pieces, moments);
  }

  /** The same with moments that are kept otherwise. */
  public Optimization withMoments(Moments other) {
    return new Optimization(
        optimizer, maxGradientNorm, dropout, precision, base, recomputed, other);
  }

  /** In FLOAT throughout. */
  public Optimization(AdamW optimizer, double maxGradientNorm, LoraDropout dropout) {
    this(optimizer, maxGradientNorm, dropout, Precision.FP32);
  }

  /**
   * What of this shows in the training graph.
   *
   * @param accumulates whether several batches make up a step
   */
  public GraphOptions graphOptions(boolean accumulates) {
    return GraphOptions.PLAIN
        .withDropout(dropout)
        .withPrecision(precision)
        .withBase(base)
        .accumulating(accumulates)
        .recomputing(recomputed);
  }
}
