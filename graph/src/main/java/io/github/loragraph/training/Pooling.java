package io.github.loragraph.training;

import java.util.Locale;

/**
 * How the vectors of a text's tokens become one, by the names that sentence-transformers has in
 * {@code 1_Pooling/config.json} ({@code pooling_mode_cls_token} and its like).
 */
public enum Pooling {
  /** The mean over the tokens that the attention mask counts. */
  MEAN,
  /** The first token. */
  CLS,
  /** The last token that the attention mask counts, on whichever side the padding is. */
  LASTTOKEN,
  /** For each number the largest of all tokens that the attention mask counts. */
  MAX;

  /** The name by which it is chosen. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
