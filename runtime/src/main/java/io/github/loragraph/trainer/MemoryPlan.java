package io.github.loragraph.trainer;

import java.util.List;
import java.util.Optional;

/**
 * What the process of a training takes by what its steps keep: straight lines in the tokens that
 * are computed at once and in the pieces of the layers that are computed again, through what was
 * measured on few tokens.
 *
 * @param floor bytes of the peak before the first step, which no choice changes
 * @param held bytes that are held whatever is computed at once, evaluations and checkpoints with it
 * @param ofToken bytes that a token takes where all is kept
 * @param ofTokenAgain the same where all pieces are computed again
 * @param pieces that can be computed again
 */
record MemoryPlan(long floor, double held, double ofToken, double ofTokenAgain, int pieces) {
  /** Beside what is expected: what the heap takes in a longer run, and what the lines leave out. */
  private static final double MARGIN = 0.08;

  /**
   * A size of the pieces of a batch.
   *
   * @param tokens the most of one piece
   * @param more bytes that such pieces take beside their tokens: sums of gradients
   */
  record Size(MicroBatch microBatch, long tokens, long more) {}

  /**
   * What a step is to do.
   *
   * @param recomputed pieces of the layers, from the first
   * @param peak bytes, as expected
   */
  record Choice(int recomputed, MicroBatch microBatch, long peak) {}

  /** The peak that is expected, in bytes. */
  long peak(int recomputed, Size size) {
    double again = pieces == 0 ? 0 : (double) recomputed / pieces;
    double saved = Math.max(0, ofToken - ofTokenAgain);
    return Math.round(
        Math.max(floor, held + (ofToken - again * saved) * size.tokens() + size.more()));
  }

  /** The least limit that such a peak stays below in any case. */
  static long withMargin(long peak) {
    return peak + Math.round(peak * MARGIN);
  }

  /**
   * What takes the least time below a limit: as few pieces computed again as there may be, and,
   * where all of them are not enough, a smaller size. Empty where nothing is below it.
   *
   * @param sizes the largest first
   */
  Optional<Choice> below(long limit, List<Size> sizes) {
    for (Size size : sizes) {
      for (int again = 0; again <= pieces; again++) {
        long peak = peak(again, size);
        if (withMargin(peak) <= limit) {
          return Optional.of(new Choice(again, size.microBatch(), peak));
        }
      }
    }
    return Optional.empty();
  }

  /** The least limit below which there is something. */
  long least(List<Size> sizes) {
    return sizes.stream().mapToLong(size -> withMargin(peak(pieces, size))).min().orElseThrow();
  }
}
