package io.github.loragraph.cli;

import io.github.loragraph.data.Row;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.task.Prediction;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Answers as lines whose columns are divided by tabs. */
record PredictionLines(PrintWriter out) {
  void print(Row row, Prediction answer, List<String> tokens) {
    List<String> texts = new ArrayList<>(List.of(row.isText() ? row.text() : row.place()));
    if (row.textPair() != null) {
      texts.add(row.textPair());
    }
    for (List<String> cells : answer.lines(texts, tokens)) {
      out.print(cells.stream().map(PredictionLines::escaped).collect(Collectors.joining("\t")));
      out.print('\n');
    }
  }

  /** One line and one column whatever is in it; nothing in it does things to a terminal. */
  static String escaped(String text) {
    return PlainText.line(text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t"));
  }
}
