package io.github.loragraph.cli;

import io.github.loragraph.Model;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.training.Logits;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which of a model's outputs is its answer. */
final class OutputNameOption {
  @Option(
      names = "--output-name",
      paramLabel = "NAME",
      description =
          "The model's output that is its answer, where several could be (default: the only one"
              + " whose shape fits, or the one that the model was trained with).")
  private @Nullable String name;

  /**
   * The model, with the named output noted in its metadata.
   *
   * @throws io.github.loragraph.error.LoraGraphException if it has no such output
   */
  OnnxModel choose(OnnxModel model) {
    String chosen = name;
    return chosen == null ? model : model.namingFile(() -> Logits.choose(model, chosen));
  }

  /** The same of a model with its files. */
  Model choose(Model model) {
    return name == null ? model : model.withOutput(name);
  }

  /** Takes a name that was given in another way, unless there is one. */
  void setIfAbsent(String other) {
    name = name == null ? other : name;
  }
}
