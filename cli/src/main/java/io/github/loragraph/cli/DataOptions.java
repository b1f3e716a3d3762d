package io.github.loragraph.cli;

import io.github.loragraph.EmbeddingArguments;
import io.github.loragraph.InferenceArguments;
import io.github.loragraph.task.Task;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a model makes of text. */
final class DataOptions {
  @Option(
      names = "--max-length",
      paramLabel = "TOKENS",
      description = "Longer texts are cut (default: what the model takes, at most 512).")
  private @Nullable Integer maxLength;

  @Option(
      names = "--stride",
      paramLabel = "TOKENS",
      description =
          "Tokens that two windows have in common where a text that is read by words is longer than"
              + " --max-length (default: a quarter).")
  private @Nullable Integer stride;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      converter = TaskConverter.class,
      completionCandidates = TaskConverter.class,
      description =
          "What the model answers: ${COMPLETION-CANDIDATES} (default: what config.json says, else"
              + " by the model's outputs).")
  private @Nullable Task task;

  Optional<Integer> maxLength() {
    return Optional.ofNullable(maxLength);
  }

  Optional<Integer> stride() {
    return Optional.ofNullable(stride);
  }

  Optional<io.github.loragraph.Task> task() {
    return Optional.ofNullable(task).flatMap(t -> io.github.loragraph.Task.named(t.name()));
  }

  /** How a model is run to answer, by these options and those of the device. */
  InferenceArguments inference(DeviceOptions device, ThreadsOption threads) {
    return builder(device, threads).build();
  }

  /** The same, with how an encoder embeds. */
  InferenceArguments inference(
      DeviceOptions device, ThreadsOption threads, EmbeddingArguments embedding) {
    return builder(device, threads).embedding(embedding).build();
  }

  private InferenceArguments.Builder builder(DeviceOptions device, ThreadsOption threads) {
    InferenceArguments.Builder builder = device.inference(threads);
    maxLength().ifPresent(builder::maxLength);
    stride().ifPresent(builder::stride);
    task().ifPresent(builder::task);
    return builder;
  }
}
