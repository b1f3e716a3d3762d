package io.github.loragraph.cli;

import io.github.loragraph.data.Columns;
import io.github.loragraph.evaluation.Task;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxModel;
import java.util.LinkedHashMap;
import java.util.Map;
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

  @Option(
      names = "--task",
      paramLabel = "TASK",
      converter = TaskConverter.class,
      description =
          "classification, regression (one number), multilabel (any number of classes) or"
              + " token-classification (default: what config.json says, else by the model's"
              + " outputs).")
  private Task task;

  /** The model's data, read as these options say. */
  ModelData open(ModelFolder folder, OnnxModel model) {
    return new ModelData(folder, model, columns(), maxLength, task);
  }

  private Columns columns() {
    return Columns.USUAL.with(text, textPair, label);
  }

  /** The columns by the names of their options, as a run's {@code config.yaml} has them. */
  Map<String, Object> asMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("textColumn", text);
    map.put("textPairColumn", textPair);
    map.put("labelColumn", label);
    return map;
  }
}
