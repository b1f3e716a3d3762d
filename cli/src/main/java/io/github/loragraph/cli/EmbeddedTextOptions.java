package io.github.loragraph.cli;

import io.github.loragraph.Dataset;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where texts that are embedded stand in a data file. */
final class EmbeddedTextOptions {
  @Option(
      names = "--text-column",
      paramLabel = "NAME",
      description =
          "Column or field with the text (default: the first that is there of text, sentence,"
              + " sentence1, question1, question, premise).")
  private @Nullable String text;

  /** The data with this column. */
  Dataset of(Dataset data) {
    return text == null ? data : data.withTextColumn(text);
  }
}
