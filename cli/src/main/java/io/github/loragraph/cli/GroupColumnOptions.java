package io.github.loragraph.cli;

import io.github.loragraph.Dataset;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where anchor and positive stand in a data file. */
final class GroupColumnOptions {
  @Option(
      names = "--text-column",
      paramLabel = "NAME",
      description =
          "Column or field with the anchor (default: the first that is there of anchor, query,"
              + " question, sentence1, text and others).")
  private @Nullable String text;

  @Option(
      names = "--text-pair-column",
      paramLabel = "NAME",
      description =
          "Column or field with the positive (default: of positive, passage, document, answer,"
              + " sentence2 and others).")
  private @Nullable String textPair;

  /** The data with these columns. */
  Dataset of(Dataset data) {
    Dataset named = text == null ? data : data.withTextColumn(text);
    return textPair == null ? named : named.withTextPairColumn(textPair);
  }
}
