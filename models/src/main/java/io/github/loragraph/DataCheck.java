package io.github.loragraph;

import io.github.loragraph.error.LoraGraphException;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What there is to know of training data before it is trained on.
 *
 * @param rows of all files
 * @param labels how often each label occurs, the most frequent first; of {@link #MOST_LABELS} at
 *     most. Of several labels each class is counted, of words each tag, of spans each type
 * @param distinctLabels how many labels there are
 * @param unlabelled rows without a label
 * @param withoutClass rows of which none of several labels applies
 * @param emptyTexts rows without a text
 * @param duplicates rows whose text came before
 * @param contradictions rows whose text came before with another label
 * @param leaked rows whose text stands in the held-out data, too
 * @param oddTexts rows whose text has something odd in it, by what it is
 * @param likeLabels labels that differ in case or spaces alone
 * @param lengths in tokens; null where no model was given, or rows are not counted so
 * @param refusal what a training on the data, and a measurement with the held-out data, ends with;
 *     null where they are taken
 */
public record DataCheck(
    long rows,
    Map<String, Long> labels,
    int distinctLabels,
    Rows unlabelled,
    Rows withoutClass,
    Rows emptyTexts,
    Rows duplicates,
    Rows contradictions,
    Rows leaked,
    Map<String, Rows> oddTexts,
    List<String> likeLabels,
    @Nullable Lengths lengths,
    @Nullable LoraGraphException refusal) {
  /** Labels that are listed. */
  public static final int MOST_LABELS = 100;

  /**
   * Rows of which something is true.
   *
   * @param count how many there are
   * @param places the first of them, {@link #MOST_PLACES} at most: {@code FILE:LINE}
   */
  public record Rows(long count, List<String> places) {
    /** Places that are kept. */
    public static final int MOST_PLACES = 5;

    public Rows {
      places = List.copyOf(places);
    }

    /** Whether there is one. */
    public boolean areSome() {
      return count > 0;
    }
  }

  /**
   * Lengths of texts in tokens.
   *
   * @param median half of the texts have at most so many
   * @param most nineteen of twenty have at most so many
   * @param positions what the model takes, after which texts are cut
   * @param cut the rows of which a text is
   */
  public record Lengths(int median, int most, int positions, Rows cut) {}

  /**
   * Whether a training refuses the data, or something will make it worse than it looks: a text with
   * two labels, rows that are held out as well, or texts or labels that are damaged.
   */
  public boolean hasFaults() {
    return refusal != null
        || contradictions.areSome()
        || leaked.areSome()
        || emptyTexts.areSome()
        || !oddTexts.isEmpty()
        || !likeLabels.isEmpty();
  }

  /** How often the rarest label occurs; empty without labels. */
  public OptionalInt rarest() {
    return labels.values().stream().mapToInt(Long::intValue).min();
  }
}
