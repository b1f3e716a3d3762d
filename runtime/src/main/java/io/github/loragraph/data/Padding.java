package io.github.loragraph.data;

import java.util.OptionalDouble;

/**
 * How much of batches is padding.
 *
 * @param tokens of all rows, what pads them among them
 * @param padding how many of those do nothing but make rows as long as others
 */
public record Padding(long tokens, long padding) {
  /** Of no batches. */
  public static final Padding NONE = new Padding(0, 0);

  /** That of these and other batches. */
  public Padding plus(Padding other) {
    return new Padding(tokens + other.tokens, padding + other.padding);
  }

  /** From 0 to 1; empty where there are no tokens. */
  public OptionalDouble share() {
    return tokens == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) padding / tokens);
  }
}
