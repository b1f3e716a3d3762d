package io.github.loragraph.cli;

import io.github.loragraph.Dataset;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where texts stand in a data file. */
final class TextColumnOptions {
  @Option(
      names = "--text-column",
      paramLabel = "NAME",
      description =
          "Column or field with the text (default: the first that is there of text, sentence,"
              + " sentence1, question1, question, premise; with --task embedding and rerank anchor,"
              + " query and others).")
  @Nullable String text;

  @Option(
      names = "--text-pair-column",
      paramLabel = "NAME",
      description =
          "Column or field with the second text (default: of text_pair, sentence2, question2,"
              + " answer, hypothesis; with --task embedding and rerank positive, passage, document"
              + " and others).")
  @Nullable String textPair;

  /** The data with these columns. */
  Dataset of(Dataset data) {
    Dataset named = text == null ? data : data.withTextColumn(text);
    return textPair == null ? named : named.withTextPairColumn(textPair);
  }
}
