package io.github.loragraph.cli;

import io.github.loragraph.Example;
import io.github.loragraph.Prediction;
import io.github.loragraph.error.PlainText;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Answers as lines whose columns are divided by tabs. */
record PredictionLines(PrintWriter out) {
  void print(Example example, Prediction answer) {
    List<String> texts = new ArrayList<>();
    texts.add(example.text().or(example::place).orElse(""));
    example.textPair().ifPresent(texts::add);
    for (List<String> cells : answer.lines(texts)) {
      out.print(cells.stream().map(PredictionLines::escaped).collect(Collectors.joining("\t")));
      out.print('\n');
    }
  }

  /** One line and one column whatever is in it; nothing in it does things to a terminal. */
  static String escaped(String text) {
    return PlainText.line(text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t"));
  }
}
