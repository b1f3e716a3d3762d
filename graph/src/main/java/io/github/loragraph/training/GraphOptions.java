package io.github.loragraph.training;

import io.github.loragraph.ops.Kernels;

/**
 * What may be chosen of a training graph besides its loss: a value, of which each {@code with}
 * makes another.
 *
 * @param dropout on what enters the adapters
 * @param precision of the matrix products
 * @param kernels what the gradients may be written with
 * @param accumulates whether several batches make up a step
 * @param base in what frozen layers compute
 */
public record GraphOptions(
    LoraDropout dropout,
    Precision precision,
    Kernels kernels,
    boolean accumulates,
    BasePrecision base) {
  /** No dropout, FLOAT, standard operators, one batch a step. */
  public static final GraphOptions PLAIN =
      new GraphOptions(
          LoraDropout.NONE, Precision.FP32, Kernels.STANDARD, false, BasePrecision.FP32);

  public GraphOptions withDropout(LoraDropout other) {
    return new GraphOptions(other, precision, kernels, accumulates, base);
  }

  public GraphOptions withPrecision(Precision other) {
    return new GraphOptions(dropout, other, kernels, accumulates, base);
  }

  public GraphOptions withKernels(Kernels other) {
    return new GraphOptions(dropout, precision, other, accumulates, base);
  }

  /** With more than one batch a step, or with one. */
  public GraphOptions accumulating(boolean several) {
    return new GraphOptions(dropout, precision, kernels, several, base);
  }

  public GraphOptions withBase(BasePrecision other) {
    return new GraphOptions(dropout, precision, kernels, accumulates, other);
  }
}
