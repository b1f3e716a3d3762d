package io.github.loragraph.bench;

import io.github.loragraph.cli.Timing;
import java.util.List;
import java.util.function.Function;

/**
 * What a library reaches in large products of FLOAT matrices, the best of several sizes: the limit
 * of a step that is all products.
 *
 * @param perSecond additions and multiplications in a second by the clock
 * @param perCpuSecond the same in a second of all processors together
 */
record ProductRate(double perSecond, double perCpuSecond) {
  /** Those of RoBERTa-base's feed-forward layers among them. */
  private static final List<Size> SIZES =
      List.of(
          new Size(512, 768, 3072),
          new Size(512, 3072, 768),
          new Size(1024, 1024, 1024),
          new Size(2048, 2048, 2048));

  /** In one measurement: long enough for the system's count of a processor's time. */
  private static final double OPERATIONS = 4e9;

  private static final int WARM_UP = 2;
  private static final int TIMES = 7;

  /** Of a product of (rows, inner) and (inner, columns). */
  record Size(int rows, int inner, int columns) {
    double operations() {
      return 2.0 * rows * inner * columns;
    }
  }

  /** Multiplies two matrices, the second of which stays the same. */
  interface Product extends AutoCloseable {
    void multiply();

    @Override
    void close();
  }

  /** Measures, with what makes a product of a size. */
  static ProductRate best(Function<Size, Product> products) {
    double perSecond = 0;
    double perCpuSecond = 0;
    for (Size size : SIZES) {
      try (Product product = products.apply(size)) {
        int repeats = Math.max(1, (int) Math.ceil(OPERATIONS / size.operations()));
        Timing timing =
            Timing.of(
                WARM_UP,
                TIMES,
                () -> {
                  for (int i = 0; i < repeats; i++) {
                    product.multiply();
                  }
                });
        double operations = size.operations() * repeats;
        perSecond = Math.max(perSecond, operations / timing.median());
        perCpuSecond = Math.max(perCpuSecond, operations / timing.cpu());
      }
    }
    return new ProductRate(perSecond, perCpuSecond);
  }
}
