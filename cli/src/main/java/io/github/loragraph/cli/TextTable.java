package io.github.loragraph.cli;

import io.github.loragraph.error.PlainText;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Rows in columns as wide as their widest cell.
 *
 * @param rows the first is the heading; all are of one length
 * @param rightAligned the indexes of columns with numbers
 */
public record TextTable(List<String[]> rows, Set<Integer> rightAligned) {
  public TextTable {
    rows = rows.stream().map(TextTable::plain).toList();
  }

  private static String[] plain(String[] row) {
    return Arrays.stream(row).map(PlainText::line).toArray(String[]::new);
  }

  public void printTo(PrintWriter out) {
    int columns = rows.get(0).length;
    int[] widths = new int[columns];
    for (String[] row : rows) {
      for (int c = 0; c < columns; c++) {
        widths[c] = Math.max(widths[c], row[c].length());
      }
    }
    for (String[] row : rows) {
      StringBuilder line = new StringBuilder();
      for (int c = 0; c < columns; c++) {
        String padding = " ".repeat(widths[c] - row[c].length());
        line.append(c == 0 ? "" : "  ");
        line.append(rightAligned.contains(c) ? padding + row[c] : row[c] + padding);
      }
      out.println(line.toString().stripTrailing());
    }
  }
}
