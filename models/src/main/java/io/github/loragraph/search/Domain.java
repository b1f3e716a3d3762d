package io.github.loragraph.search;

import java.util.List;
import java.util.Random;

/**
 * The values that one parameter may have.
 *
 * <p>Draws use {@link Random} and {@link StrictMath}, whose numbers Java's specification fixes: a
 * seed gives the same trials on every machine.
 */
public sealed interface Domain permits NumberDomain, Choice {
  /** Of infinitely many values, or more than can be counted. */
  long UNCOUNTED = Long.MAX_VALUE;

  /** A value by the distribution of the space. */
  Object draw(Random random);

  /** How many values there are; {@link #UNCOUNTED} where that is no number. */
  long size();

  /**
   * Values for a grid, the ends among them.
   *
   * @param points how many are wanted; there are fewer where the domain has fewer values, and a
   *     choice always gives all
   */
  List<Object> grid(int points);
}
