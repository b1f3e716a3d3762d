package io.github.loragraph.error;

/** Numbers before words, of which one is said otherwise than several. */
public final class Counted {
  private Counted() {}

  /**
   * A count with what is counted: {@code 1 row has}, {@code 2,000 rows have}.
   *
   * @param one what goes after 1
   * @param several what goes after any other number
   */
  public static String of(long count, String one, String several) {
    return "%,d %s".formatted(count, count == 1 ? one : several);
  }
}
