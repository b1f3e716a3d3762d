package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;

/**
 * How tokens are chosen that a language model is to find again.
 *
 * @param probability of each token, or word, to be chosen: above 0, at most 1
 * @param wholeWords whether all tokens of a word are chosen together
 */
public record Masking(double probability, boolean wholeWords) {
  /** That of BERT and RoBERTa. */
  public static final double PROBABILITY = 0.15;

  /** Single tokens with the usual probability. */
  public static final Masking USUAL = new Masking(PROBABILITY, false);

  /**
   * @throws LoraGraphException if the probability is not possible
   */
  public Masking {
    if (!(probability > 0 && probability <= 1)) {
      throw new LoraGraphException(
          "a probability of masking of %s is not possible: give one above 0 and at most 1"
              .formatted(probability));
    }
  }
}
