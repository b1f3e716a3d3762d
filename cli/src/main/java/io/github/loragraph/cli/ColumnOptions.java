package io.github.loragraph.cli;

import io.github.loragraph.data.Columns;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** Where text and labels stand in a data file. */
final class ColumnOptions {
  @Option(
      names = "--text-column",
      paramLabel = "NAME",
      description =
          "Column or field with the text"
              + " (default: the first that is there of text, sentence, sentence1, question1, question, premise).")
  private String text;

  @Option(
      names = "--text-pair-column",
      paramLabel = "NAME",
      description =
          "Column or field with the second text (default: of text_pair, sentence2, question2, answer, hypothesis).")
  private String textPair;

  @Option(
      names = "--label-column",
      paramLabel = "NAME",
      description = "Column or field with the label (default: of label, labels, intent, class).")
  private String label;

  Columns columns() {
    return Columns.USUAL.with(text, textPair, label);
  }

  /** The columns by the names of their options, as a run's {@code config.yaml} has them. */
  Map<String, Object> asMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("textColumn", text);
    map.put("textPairColumn", textPair);
    map.put("labelColumn", label);
    return map;
  }
}
