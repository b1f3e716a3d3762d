package io.github.loragraph.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.data.Row;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.evaluation.Prediction;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Answers as lines whose columns are divided by tabs. */
record PredictionLines(PrintWriter out) {
  void print(Row row, Map<String, JsonNode> fields, Prediction answer, List<String> tokens) {
    String text = row.isText() ? escaped(row.text()) : row.place();
    if (row.textPair() != null) {
      text += "\t" + escaped(row.textPair());
    }
    if (!answer.tokens().isEmpty()) {
      for (int t = 0; t < tokens.size(); t++) {
        line(classified(answer.tokens().get(t)) + "\t" + escaped(tokens.get(t)));
      }
      line("");
    } else if (answer.probabilities().isEmpty()) {
      line(String.format(Locale.ROOT, "%.4f\t%s", answer.value(), text));
    } else if (answer.several()) {
      line(labelled(answer) + "\t" + text);
    } else {
      line(classified(answer) + "\t" + text);
    }
  }

  private void line(String line) {
    out.print(line);
    out.print('\n');
  }

  private static String classified(Prediction answer) {
    return String.format(
        Locale.ROOT, "%s\t%.4f", escaped(answer.label()), answer.probability(answer.label()));
  }

  private static String labelled(Prediction answer) {
    if (answer.labels().isEmpty()) {
      return "-\t-";
    }
    String probabilities =
        answer.labels().stream()
            .map(label -> String.format(Locale.ROOT, "%.4f", answer.probability(label)))
            .collect(Collectors.joining(","));
    return escaped(String.join(",", answer.labels())) + "\t" + probabilities;
  }

  /** One line and one column whatever is in it; nothing in it does things to a terminal. */
  static String escaped(String text) {
    return PlainText.line(text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t"));
  }
}
