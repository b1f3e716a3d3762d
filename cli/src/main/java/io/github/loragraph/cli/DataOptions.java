package io.github.loragraph.cli;

import io.github.loragraph.data.Columns;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.task.Task;
import picocli.CommandLine.Option;

/** What a model makes of text. */
final class DataOptions {
  @Option(
      names = "--max-length",
      paramLabel = "TOKENS",
      description = "Longer texts are cut (default: what the model takes, at most 512).")
  private Integer maxLength;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      converter = TaskConverter.class,
      description =
          "classification, regression (one number), multilabel (any number of classes) or"
              + " token-classification (default: what config.json says, else by the model's"
              + " outputs).")
  private Task task;

  /**
   * The model's data, read as these options say; what is guessed or cut is logged.
   *
   * @param inference asked only where the model does not declare what it answers
   */
  ModelData open(
      ModelFolder folder,
      OnnxModel model,
      Columns columns,
      ResultOutput output,
      ShapeInference inference) {
    return open(folder, model, RunDefaults.NONE, columns, output, inference);
  }

  /** For answers, as the model's run says where these options do not; what is noted is said. */
  ModelData openToAnswer(
      ModelFolder folder, OnnxModel model, RunDefaults run, Columns columns, ResultOutput output) {
    ShapeInference inference = new SessionShapeInference(OrtRuntime.ofThisProcess());
    ModelData data = open(folder, model, run, columns, output, inference);
    data.notes().forEach(line -> output.say(line));
    return data;
  }

  private ModelData open(
      ModelFolder folder,
      OnnxModel model,
      RunDefaults run,
      Columns columns,
      ResultOutput output,
      ShapeInference inference) {
    return LoraGraphException.in(
        folder.modelFile(),
        () ->
            new ModelData(
                folder,
                model,
                columns,
                maxLength == null ? run.maxLength() : maxLength,
                task == null ? run.task() : task,
                notice -> output.say(notice),
                inference));
  }
}
