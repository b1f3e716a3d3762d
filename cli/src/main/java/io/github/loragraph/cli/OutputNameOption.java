package io.github.loragraph.cli;

import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.training.Logits;
import picocli.CommandLine.Option;

/** Which of a model's outputs is its answer. */
final class OutputNameOption {
  @Option(
      names = "--output-name",
      paramLabel = "NAME",
      description =
          "The model's output that is its answer, where several could be (default: the only one"
              + " whose shape fits, or the one that the model was trained with).")
  private String name;

  /**
   * The model, with the named output noted in its metadata.
   *
   * @throws io.github.loragraph.error.LoraGraphException if it has no such output
   */
  OnnxModel choose(OnnxModel model) {
    return name == null ? model : model.namingFile(() -> Logits.choose(model, name));
  }

  /**
   * The answer's name for a run's configuration; null where the model has no other output and
   * nobody named it: whoever takes the configuration back is to get the same file, in whose
   * metadata a named output is noted.
   */
  String ifItMatters(Logits answer) {
    return name == null && answer.others().isEmpty() ? null : answer.output();
  }

  /** Takes a name that was given in another way, unless there is one. */
  void setIfAbsent(String other) {
    name = name == null ? other : name;
  }
}
