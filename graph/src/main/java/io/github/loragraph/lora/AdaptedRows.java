package io.github.loragraph.lora;

import io.github.loragraph.onnx.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** W + s A B - s A0 B0, a row at a time, in double precision. */
final class AdaptedRows {
  private final WeightMatrix weight;
  private final double scale;
  private final float[] a;
  private final float[] b;
  private final float @Nullable [] a0;
  private final float @Nullable [] b0;
  private final @Nullable Tensor magnitude;
  private final double[] row;

  AdaptedRows(WeightMatrix weight, Adapter adapter) {
    this.weight = weight;
    this.scale = adapter.scale();
    this.a = adapter.a().toFloats();
    this.b = adapter.b().toFloats();
    Adapter.Anchor anchor = adapter.anchor();
    this.a0 = anchor == null ? null : anchor.a().toFloats();
    this.b0 = anchor == null ? null : anchor.b().toFloats();
    this.magnitude = adapter.magnitude();
    this.row = new double[weight.out()];
  }

  /** Of an input feature; it is overwritten by the next call. */
  double[] row(int i) {
    Arrays.fill(row, 0);
    add(i, a, b, scale);
    if (a0 != null && b0 != null) {
      add(i, a0, b0, -scale);
    }
    for (int o = 0; o < row.length; o++) {
      row[o] += weight.get(i, o);
    }
    return row;
  }

  private void add(int i, float[] left, float[] right, double by) {
    int rank = right.length / row.length;
    for (int k = 0; k < rank; k++) {
      double factor = by * left[i * rank + k];
      for (int o = 0; o < row.length; o++) {
        row[o] += factor * right[k * row.length + o];
      }
    }
  }

  /** What each column is multiplied by: its magnitude by its norm in DoRA, else 1. */
  double[] factors() {
    double[] factors = new double[row.length];
    if (magnitude == null) {
      Arrays.fill(factors, 1);
      return factors;
    }
    float[] lengths = magnitude.toFloats();
    for (int i = 0; i < weight.in(); i++) {
      double[] adapted = row(i);
      for (int o = 0; o < factors.length; o++) {
        factors[o] += adapted[o] * adapted[o];
      }
    }
    for (int o = 0; o < factors.length; o++) {
      factors[o] = lengths[o] / Math.sqrt(factors[o]);
    }
    return factors;
  }
}
