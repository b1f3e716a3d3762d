package io.github.loragraph.data;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a table beside what it holds.
 *
 * @param headless gives the names of the columns of a table without a heading, by the cells of its
 *     first line; null where that line names the columns
 * @param spaces whether its columns may be divided by any white space, in a file of any ending
 */
public record TableForm(Function<List<String>, @Nullable List<String>> headless, boolean spaces) {
  /** The first line names the columns. */
  public static final TableForm HEADED = new TableForm(cells -> null, false);

  @Nullable List<String> names(List<String> cells) {
    return headless.apply(cells);
  }
}
