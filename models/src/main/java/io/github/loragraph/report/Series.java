package io.github.loragraph.report;

import java.util.Arrays;

/**
 * Points of a line, by rising x. A y that is no finite number is a gap.
 *
 * @param xs where the points are
 * @param ys as many
 */
record Series(double[] xs, double[] ys) {
  /** Spans of one chart: more than there are pixels to see them. */
  private static final int SPANS = 900;

  /** What a smoothed line forgets of, in parts of its length. */
  private static final int PARTS = 30;

  static final int FEWEST_SMOOTHED = 12;

  Series {
    if (xs.length != ys.length) {
      throw new IllegalArgumentException("as many x as y");
    }
  }

  int size() {
    return xs.length;
  }

  boolean isEmpty() {
    for (double y : ys) {
      if (Double.isFinite(y)) {
        return false;
      }
    }
    return true;
  }

  /** Whether there are so many points that they are drawn by their extremes. */
  boolean isDense() {
    return size() > 2 * SPANS;
  }

  /**
   * The same line by the smallest and the largest value of each of equally many points: what it
   * reaches is kept, however few points are.
   */
  Series thinned() {
    if (!isDense()) {
      return this;
    }
    double[] keptX = new double[2 * SPANS];
    double[] keptY = new double[2 * SPANS];
    int kept = 0;
    for (int span = 0; span < SPANS; span++) {
      int from = (int) ((long) span * size() / SPANS);
      int to = (int) ((long) (span + 1) * size() / SPANS);
      int low = -1;
      int high = -1;
      for (int i = from; i < to; i++) {
        if (Double.isFinite(ys[i])) {
          low = low < 0 || ys[i] < ys[low] ? i : low;
          high = high < 0 || ys[i] > ys[high] ? i : high;
        }
      }
      if (low >= 0) {
        int first = Math.min(low, high);
        int second = Math.max(low, high);
        keptX[kept] = xs[first];
        keptY[kept++] = ys[first];
        if (second != first) {
          keptX[kept] = xs[second];
          keptY[kept++] = ys[second];
        }
      } else if (to > from) {
        keptX[kept] = xs[from];
        keptY[kept++] = Double.NaN;
      }
    }
    return new Series(Arrays.copyOf(keptX, kept), Arrays.copyOf(keptY, kept));
  }

  /** The points over which {@link #smoothed} has its mean, about. */
  int window() {
    return Math.max(5, size() / PARTS);
  }

  /**
   * The exponential moving average, without the lean to its beginning that a start at 0 would have
   * (as Adam corrects its moments); gaps are passed over.
   */
  Series smoothed() {
    double keep = 1 - 2.0 / (window() + 1);
    double[] smooth = new double[size()];
    double sum = 0;
    double weight = 0;
    for (int i = 0; i < size(); i++) {
      if (Double.isFinite(ys[i])) {
        sum = keep * sum + (1 - keep) * ys[i];
        weight = keep * weight + (1 - keep);
      }
      smooth[i] = weight == 0 ? Double.NaN : sum / weight;
    }
    return new Series(xs, smooth);
  }
}
