package io.github.loragraph.cli;

import io.github.loragraph.data.Columns;
import picocli.CommandLine.Option;

/** How data files are read. */
final class DataOptions {
  @Option(
      names = "--text-column",
      paramLabel = "NAME",
      description = "Column or field with the text (default: text, sentence, ...).")
  private String text;

  @Option(
      names = "--text-pair-column",
      paramLabel = "NAME",
      description = "Column or field with the second text (default: text_pair, sentence2, ...).")
  private String textPair;

  @Option(
      names = "--label-column",
      paramLabel = "NAME",
      description = "Column or field with the label (default: label, ...).")
  private String label;

  @Option(
      names = "--max-length",
      paramLabel = "TOKENS",
      description = "Longer texts are cut (default: what the model takes, at most 512).")
  private Integer maxLength;

  Columns columns() {
    return Columns.USUAL.with(text, textPair, label);
  }

  Integer maxLength() {
    return maxLength;
  }
}
