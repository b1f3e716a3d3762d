package io.github.loragraph;

import io.github.loragraph.data.Columns;
import io.github.loragraph.models.RunDefaults;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The columns of some data that were named; null where the usual ones are meant. */
record NamedColumns(@Nullable String text, @Nullable String textPair, @Nullable String label) {
  /** None was named. */
  static final NamedColumns USUAL = new NamedColumns(null, null, null);

  NamedColumns withText(String column) {
    return new NamedColumns(column, textPair, label);
  }

  NamedColumns withTextPair(String column) {
    return new NamedColumns(text, column, label);
  }

  NamedColumns withLabel(String column) {
    return new NamedColumns(text, textPair, column);
  }

  /** These, and where none was named those of a run. */
  NamedColumns or(RunDefaults run) {
    return new NamedColumns(
        text == null ? run.text() : text,
        textPair == null ? run.textPair() : textPair,
        label == null ? run.label() : label);
  }

  /** For rows with labels. */
  Columns withLabels() {
    return Columns.USUAL.with(text, textPair, label);
  }

  /** Without the label's column, which need not be there where labels are not asked for. */
  Columns withoutLabels() {
    return Columns.USUAL.with(text, textPair, null);
  }

  /** By their entries in a run's configuration. */
  Map<String, @Nullable String> asMap() {
    Map<String, @Nullable String> columns = new LinkedHashMap<>();
    columns.put("textColumn", text);
    columns.put("textPairColumn", textPair);
    columns.put("labelColumn", label);
    return columns;
  }
}
