package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Texts that are learned from together: an anchor (a query, a question) and one or more others, of
 * which the first is right (the positive) and those after it are wrong (negatives), or whose
 * likeness to it is stated by scores.
 *
 * @param anchor text or numbers for the model's inputs, without a label
 * @param texts at least one, of the same kind
 * @param scores none; one, of the first text; or one for each text. NaN where what is written is no
 *     number
 * @param place {@code file:line}, for messages
 * @param given whether a program gives it
 */
public record TextGroup(
    Row anchor, List<Row> texts, List<Double> scores, String place, boolean given) {
  /**
   * @throws LoraGraphException if there is no text beside the anchor, or the scores are of another
   *     number
   */
  public TextGroup {
    texts = List.copyOf(texts);
    scores = List.copyOf(scores);
    if (texts.isEmpty()) {
      throw new LoraGraphException(place + " has one text where two are needed: give a second one");
    }
    if (scores.size() > 1 && scores.size() != texts.size()) {
      throw new LoraGraphException(
          "%s has %d scores for %d texts: give one for each, or one for the first"
              .formatted(place, scores.size(), texts.size()));
    }
  }

  /** The anchor, then the others. */
  public List<Row> all() {
    List<Row> all = new ArrayList<>(texts.size() + 1);
    all.add(anchor);
    all.addAll(texts);
    return all;
  }

  /** The right one. */
  public Row positive() {
    return texts.get(0);
  }

  /** The wrong ones. */
  public List<Row> negatives() {
    return texts.subList(1, texts.size());
  }

  /**
   * How alike anchor and first text are.
   *
   * @throws LoraGraphException if nothing says it, or what does is no number
   */
  public double requireScore() {
    if (scores.isEmpty()) {
      throw given
          ? new LoraGraphException(place + " has no score: give it one")
          : new LoraGraphException(place + " has no score", Remedy.NAME_LABEL_COLUMN);
    }
    return number(scores.get(0));
  }

  /**
   * How alike anchor and each text are.
   *
   * @throws LoraGraphException if nothing says it of each, or what does is no number
   */
  public List<Double> requireScores() {
    if (scores.size() != texts.size()) {
      throw new LoraGraphException(
          "%s has %d scores for %d texts: give one for each"
              .formatted(place, scores.size(), texts.size()));
    }
    scores.forEach(this::number);
    return scores;
  }

  /**
   * What is to be said where scores are not looked at, so that each first text counts as right;
   * empty where there are none.
   *
   * @param by what passes them over
   */
  public static Optional<String> ofScoresPassedOver(List<TextGroup> groups, String by) {
    List<TextGroup> scored = groups.stream().filter(group -> !group.scores.isEmpty()).toList();
    long low = scored.stream().filter(group -> !(group.scores.get(0) > 0)).count();
    return scored.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "%s: %s does not look at scores: each pair counts as right, %,d of %,d with a score of 0 or less among them"
                .formatted(scored.get(0).anchor.source(), by, low, groups.size()));
  }

  private double number(double score) {
    if (!Double.isFinite(score)) {
      throw new LoraGraphException(place + " has a score that is no number: mend it");
    }
    return score;
  }
}
