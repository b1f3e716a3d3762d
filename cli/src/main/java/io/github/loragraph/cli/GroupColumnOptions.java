package io.github.loragraph.cli;

import io.github.loragraph.Dataset;
import io.github.loragraph.InferenceArguments;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where anchor and positive stand in a data file, and how much of a text is read. */
final class GroupColumnOptions {
  @Option(
      names = "--max-length",
      paramLabel = "TOKENS",
      description =
          "Longer texts are cut (default: as the run or sentence_bert_config.json says, else what"
              + " the model takes, at most 512).")
  private @Nullable Integer maxLength;

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

  /** How a model is run, by these options and those of the device. */
  InferenceArguments inference(
      DeviceOptions device, ThreadsOption threads, EmbeddingOptions embedding) {
    InferenceArguments.Builder builder = device.inference(threads).embedding(embedding.asked());
    if (maxLength != null) {
      builder.maxLength(maxLength);
    }
    return builder.build();
  }
}
