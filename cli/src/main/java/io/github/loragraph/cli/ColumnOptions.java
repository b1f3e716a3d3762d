package io.github.loragraph.cli;

import io.github.loragraph.Dataset;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where text and labels stand in a data file. */
final class ColumnOptions {
  @Mixin private TextColumnOptions texts;

  @Option(
      names = "--label-column",
      paramLabel = "NAME",
      description =
          "Column or field with the label (default: of label, labels, intent, class, tags,"
              + " ner_tags, entities, spans; with --task embedding and rerank score and others).")
  private @Nullable String label;

  /** The data with these columns. */
  Dataset of(Dataset data) {
    Dataset named = texts.of(data);
    return label == null ? named : named.withLabelColumn(label);
  }
}
