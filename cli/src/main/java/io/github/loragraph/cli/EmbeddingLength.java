package io.github.loragraph.cli;

import io.github.loragraph.EmbeddingArguments;
import io.github.loragraph.InferenceArguments;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How much of a text is read to embed it. */
final class EmbeddingLength {
  @Option(
      names = "--max-length",
      paramLabel = "TOKENS",
      description =
          "Longer texts are cut (default: as the run or sentence_bert_config.json says, else what"
              + " the model takes, at most 512).")
  private @Nullable Integer maxLength;

  /** How a model is run, by this option and those of the device. */
  InferenceArguments inference(
      DeviceOptions device, ThreadsOption threads, EmbeddingArguments embedding) {
    InferenceArguments.Builder builder = device.inference(threads).embedding(embedding);
    if (maxLength != null) {
      builder.maxLength(maxLength);
    }
    return builder.build();
  }
}
