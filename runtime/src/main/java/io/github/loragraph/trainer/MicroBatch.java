package io.github.loragraph.trainer;

import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Example;
import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How much of a batch is computed at once. What a step learns from is the batch; the pieces of it
 * go through the model one after the other, and their gradients are added up, each by the labels
 * that count in it. So they decide time and memory, and of the numbers the last digits alone.
 *
 * @param most examples, or tokens with their padding, of one piece; 0 where that is still to choose
 * @param ofTokens whether tokens are counted; a piece has one example at least
 */
public record MicroBatch(int most, boolean ofTokens) {
  /** What a rule says, the same on each machine. */
  public static final MicroBatch RULE = new MicroBatch(0, true);

  /** What a short measurement on the machine says. */
  public static final MicroBatch AUTO = new MicroBatch(0, false);

  /** Each batch in one piece. */
  public static final MicroBatch WHOLE = new MicroBatch(Integer.MAX_VALUE, false);

  private static final String RULE_NAME = "rule";
  private static final String AUTO_NAME = "auto";
  private static final String WHOLE_NAME = "all";
  private static final String TOKENS = "-tokens";
  private static final Pattern NUMBER = Pattern.compile("(\\d{1,9})(" + TOKENS + ")?");

  /**
   * Pieces of so many examples; where a batch has no more it is in one piece.
   *
   * @throws LoraGraphException if there are none in a piece
   */
  public static MicroBatch ofExamples(int examples) {
    return new MicroBatch(requireSome(examples, "examples"), false);
  }

  /**
   * Pieces of so many tokens, those counted that pad them.
   *
   * @throws LoraGraphException if there are none in a piece
   */
  public static MicroBatch ofTokens(int tokens) {
    return new MicroBatch(requireSome(tokens, "tokens"), true);
  }

  private static int requireSome(int number, String what) {
    if (number < 1) {
      throw new LoraGraphException(
          "micro-batches of %d %s are not possible: give 1 or more".formatted(number, what));
    }
    return number;
  }

  /**
   * What {@link #toString} writes: a number of examples, {@code N-tokens}, {@code all}, {@code
   * rule} or {@code auto}.
   *
   * @throws LoraGraphException if the text is none of these
   */
  public static MicroBatch parse(String text) {
    for (MicroBatch named : List.of(RULE, AUTO, WHOLE)) {
      if (text.equals(named.toString())) {
        return named;
      }
    }
    Matcher number = NUMBER.matcher(text);
    if (!number.matches()) {
      throw new LoraGraphException(
          "'%s' is no size of micro-batches: give a number of examples, of tokens as in 512%s, or one of: %s, %s, %s"
              .formatted(text, TOKENS, WHOLE_NAME, RULE_NAME, AUTO_NAME));
    }
    int most = Integer.parseInt(number.group(1));
    return number.group(2) == null ? ofExamples(most) : ofTokens(most);
  }

  /** Whether it is still to choose. */
  boolean isOpen() {
    return most == 0;
  }

  /** Pieces of so many times as many. */
  MicroBatch times(double factor) {
    return new MicroBatch((int) Math.max(1, most * factor), ofTokens);
  }

  /** Whether no batch of so many examples is cut, whatever their lengths are. */
  boolean isWhole(int batchSize) {
    return !ofTokens && most >= batchSize;
  }

  /** The most pieces of a batch of so many examples, where nothing is known of their lengths. */
  int mostPieces(int batchSize) {
    return ofTokens ? batchSize : (batchSize - 1) / Math.min(most, batchSize) + 1;
  }

  /**
   * Cuts a batch into pieces of about the same number of examples. Examples of about one length
   * come together, so that less is padded; what has to be in one batch is in one piece.
   *
   * @param source makes the batch
   */
  List<List<Example>> pieces(List<Example> batch, BatchSource source) {
    List<List<Example>> units = source.unitsOf(batch);
    int capacity = capacity(batch, units, source);
    if (units.size() <= capacity) {
      return List.of(batch);
    }
    List<List<Example>> sorted = new ArrayList<>(units);
    sorted.sort(Comparator.comparingInt(MicroBatch::length));
    int count = (sorted.size() - 1) / capacity + 1;
    List<List<Example>> pieces = new ArrayList<>();
    for (int piece = 0; piece < count; piece++) {
      int begin = (int) ((long) piece * sorted.size() / count);
      int end = (int) ((piece + 1L) * sorted.size() / count);
      pieces.add(sorted.subList(begin, end).stream().flatMap(List::stream).toList());
    }
    return pieces;
  }

  /** How many units a piece has room for, as if each were as large as the largest. */
  private int capacity(List<Example> batch, List<List<Example>> units, BatchSource source) {
    if (!ofTokens) {
      return most;
    }
    long tokens = source.tokensPerExample(batch);
    int largest = units.stream().mapToInt(List::size).max().orElse(1);
    return (int) Math.max(1, most / Math.max(1, tokens * largest));
  }

  private static int length(List<Example> unit) {
    return unit.stream().mapToInt(Example::length).max().orElse(0);
  }

  @Override
  public String toString() {
    if (isOpen()) {
      return ofTokens ? RULE_NAME : AUTO_NAME;
    }
    return most == Integer.MAX_VALUE ? WHOLE_NAME : most + (ofTokens ? TOKENS : "");
  }
}
