package io.github.loragraph.trainer;

import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Example;
import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

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

  /**
   * What a call costs beside the tokens in it, as tokens: a graph's nodes and all weights once.
   * Measured were 34 for MiniLM and 40 for RoBERTa-base; it is more, since small pieces are slower
   * for each token, too.
   */
  private static final long TOKENS_OF_A_CALL = 64;

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
   * Cuts a batch into pieces. Examples of about one length come together, so that less is padded;
   * what has to be in one batch is in one piece. Where tokens are counted, the cuts are those with
   * the least to compute, a further piece counted as {@link #TOKENS_OF_A_CALL}; else the pieces
   * have about the same number of examples.
   *
   * @param source makes the batch
   */
  List<List<Example>> pieces(List<Example> batch, BatchSource source) {
    List<List<Example>> units = source.unitsOf(batch);
    List<List<Example>> sorted = new ArrayList<>(units);
    sorted.sort(Comparator.comparingInt(MicroBatch::length));
    int[] ends;
    if (ofTokens) {
      ends = cheapest(sorted, batch, source);
    } else {
      int count = (sorted.size() - 1) / most + 1;
      ends =
          IntStream.rangeClosed(1, count)
              .map(i -> (int) ((long) i * sorted.size() / count))
              .toArray();
    }
    if (ends.length == 1) {
      return List.of(batch);
    }
    List<List<Example>> pieces = new ArrayList<>();
    int begin = 0;
    for (int end : ends) {
      pieces.add(sorted.subList(begin, end).stream().flatMap(List::stream).toList());
      begin = end;
    }
    return pieces;
  }

  /**
   * Where the pieces end for which the fewest tokens are computed, padding and calls among them.
   *
   * @param units by their lengths
   */
  private int[] cheapest(List<List<Example>> units, List<Example> batch, BatchSource source) {
    Lengths longest = new Lengths(units, batch, source);
    long[] least = new long[units.size() + 1];
    int[] begins = new int[units.size() + 1];
    for (int end = 1; end <= units.size(); end++) {
      least[end] = Long.MAX_VALUE;
      int examples = 0;
      for (int begin = end - 1; begin >= 0; begin--) {
        examples += units.get(begin).size();
        long tokens = examples * longest.from(begin, end);
        if (tokens > most && begin < end - 1) {
          break;
        }
        long cost = least[begin] + tokens + TOKENS_OF_A_CALL;
        if (cost <= least[end]) {
          least[end] = cost;
          begins[end] = begin;
        }
      }
    }
    Deque<Integer> ends = new ArrayDeque<>();
    for (int end = units.size(); end > 0; end = begins[end]) {
      ends.push(end);
    }
    return ends.stream().mapToInt(Integer::intValue).toArray();
  }

  /**
   * Tokens of one example of a piece: its longest's where each is one text, else those of all
   * together.
   */
  private record Lengths(List<List<Example>> units, List<Example> batch, BatchSource source) {
    long from(int begin, int end) {
      int first = source.isOfOneText() ? end - 1 : begin;
      List<Example> piece = units.subList(first, end).stream().flatMap(List::stream).toList();
      return Math.max(1, source.tokensPerExample(piece, batch));
    }
  }

  private static int length(List<Example> unit) {
    return unit.stream().mapToInt(Example::length).max().orElse(0);
  }

  /** As people say it, where it is settled. */
  String inWords() {
    if (most == Integer.MAX_VALUE) {
      return "whole batches";
    }
    return "micro-batches of %,d %s"
        .formatted(most, ofTokens ? "tokens" : most == 1 ? "example" : "examples");
  }

  @Override
  public String toString() {
    if (isOpen()) {
      return ofTokens ? RULE_NAME : AUTO_NAME;
    }
    return most == Integer.MAX_VALUE ? WHOLE_NAME : most + (ofTokens ? TOKENS : "");
  }
}
