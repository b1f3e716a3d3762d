package io.github.loragraph.cli;

import io.github.loragraph.data.Columns;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where text and labels stand in a data file. */
final class ColumnOptions {
  @Mixin private TextColumnOptions texts;

  @Option(
      names = "--label-column",
      paramLabel = "NAME",
      description = "Column or field with the label (default: of label, labels, intent, class).")
  private String label;

  Columns columns() {
    return columns(RunDefaults.NONE);
  }

  /** As these options say, else as the run does. */
  Columns columns(RunDefaults run) {
    return texts.columns(run).with(null, null, label == null ? run.label() : label);
  }

  /** The columns by the names of their options, as a run's {@code config.yaml} has them. */
  Map<String, Object> asMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("textColumn", texts.text);
    map.put("textPairColumn", texts.textPair);
    map.put("labelColumn", label);
    return map;
  }
}
