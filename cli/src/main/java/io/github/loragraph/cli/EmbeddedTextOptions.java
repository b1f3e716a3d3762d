package io.github.loragraph.cli;

import io.github.loragraph.Dataset;
import io.github.loragraph.InferenceArguments;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Texts that are embedded: where they stand, and how much of each is read. */
final class EmbeddedTextOptions {
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
          "Column or field with the text (default: the first that is there of text, sentence,"
              + " sentence1, question1, question, premise).")
  private @Nullable String text;

  /** The data with this column. */
  Dataset of(Dataset data) {
    return text == null ? data : data.withTextColumn(text);
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
