package io.github.loragraph.ort;

/**
 * What a GPU may do to be faster. Neither says anything on the CPU.
 *
 * @param tf32 whether it may round the factors of single-precision products to 10 bits of fraction
 *     (TensorFloat-32), which is several times faster
 * @param deterministic whether it adds in the same order each time, so that the same run has the
 *     same bytes; else sums over rows are added in the order in which blocks of threads come to
 *     their end
 */
public record GpuKernels(boolean tf32, boolean deterministic) {
  /** TensorFloat-32, and the same bytes each time. */
  public static final GpuKernels DEFAULTS = new GpuKernels(true, true);

  /** The same that round no factor of a product. */
  GpuKernels withoutTf32() {
    return new GpuKernels(false, deterministic);
  }
}
