package io.github.loragraph.trainer;

import java.util.Comparator;
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
  /** What the lines leave out, as a share. */
  private static final double MARGIN = 0.08;

  /** What Java comes to take in a longer run: compiled code, classes, more of its heap. */
  private static final long LATER = 50_000_000;

  /** What a refusal names has the margins so often: the next training measures more or less. */
  private static final int NAMED = 2;

  /**
   * ONNX Runtime takes no more than this at once for what steps keep, unless one tensor has more.
   */
  private static final long LARGEST_REGION = 1L << 30;

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
   * @param peak the most bytes that are expected
   */
  record Choice(int recomputed, MicroBatch microBatch, long peak) {}

  /** The highest peak that is expected, in bytes. */
  private long peak(int recomputed, Size size, int margins) {
    double margin = margins * MARGIN;
    double again = pieces == 0 ? 0 : (double) recomputed / pieces;
    double saved = Math.max(0, ofToken - ofTokenAgain);
    double kept = (ofToken - again * saved) * size.tokens();
    return Math.max(
        Math.round(floor * (1 + margin - MARGIN)),
        Math.round((held + size.more()) * (1 + margin))
            + margins * LATER
            + regions(Math.round(kept * (1 + margin))));
  }

  /**
   * The memory that ONNX Runtime has for what needs so much: it takes it in regions, each twice the
   * one before up to the largest. The first step uses a part of the last one, later ones lay their
   * tensors out otherwise, and come to use all of it.
   */
  private static long regions(long bytes) {
    long half = Long.highestOneBit(Math.max(2, bytes) - 1);
    long region = Math.min(half, LARGEST_REGION);
    return (bytes + region - 1) / region * region;
  }

  /** Whether all that a training holds whatever its steps keep is below a limit. */
  boolean holdsLessThan(long limit) {
    return held * (1 + MARGIN) + LATER <= limit;
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
        long peak = peak(again, size, 1);
        if (peak <= limit) {
          return Optional.of(new Choice(again, size.microBatch(), peak));
        }
      }
    }
    return Optional.empty();
  }

  /**
   * What takes the least memory, with the margins twice: a further measurement stays below, too.
   */
  Choice least(List<Size> sizes) {
    return sizes.stream()
        .map(size -> new Choice(pieces, size.microBatch(), peak(pieces, size, NAMED)))
        .min(Comparator.comparingLong(Choice::peak))
        .orElseThrow();
  }

  /** The same by what was measured since. */
  MemoryPlan with(long peak, double ofTokenKept) {
    return new MemoryPlan(peak, held, ofTokenKept, ofTokenAgain, pieces);
  }
}
