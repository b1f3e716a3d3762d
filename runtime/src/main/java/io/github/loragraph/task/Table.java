package io.github.loragraph.task;

import java.util.List;

/**
 * Figures side by side.
 *
 * @param heading names the columns
 * @param rows as many cells each: text, a count (Long), or a figure (Double; NaN where it is not
 *     defined)
 */
public record Table(List<String> heading, List<List<Object>> rows) {
  public Table {
    heading = List.copyOf(heading);
    rows = List.copyOf(rows);
  }
}
