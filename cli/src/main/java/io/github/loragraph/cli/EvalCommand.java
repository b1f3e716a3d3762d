package io.github.loragraph.cli;

import io.github.loragraph.data.Example;
import io.github.loragraph.evaluation.Predictor;
import io.github.loragraph.evaluation.Report;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-graph eval}. */
@Command(
    name = "eval",
    header = "Measures a model on labelled examples.",
    description = {
      "",
      "Prints loss and accuracy, precision, recall and F1 of each class and the confusion matrix;"
          + " for a regression the correlations of Pearson and Spearman.",
      ""
    },
    footer = {"", "Example:", "  lora-graph eval run --data dev.tsv"},
    mixinStandardHelpOptions = true)
final class EvalCommand implements Callable<Integer> {
  @Mixin private ModelArgument model;
  @Mixin private DataOptions dataOptions;
  @Mixin private ColumnOptions columns;
  @Mixin private ThreadsOption threads;
  @Mixin private DeviceOptions device;
  @Mixin private ResultOutput output;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      required = true,
      description = "Labelled examples: .tsv, .csv or .jsonl.")
  private Path data;

  @Override
  public Integer call() {
    ModelFolder folder = model.folder();
    OnnxModel onnx = OnnxFile.read(folder.modelFile());
    try (ModelData modelData = dataOptions.open(folder, onnx, columns.columns(), output)) {
      List<Example> examples = modelData.labelled(data);
      try (Predictor predictor =
          new Predictor(onnx, modelData.padId(), device.sessions(threads, output))) {
        Report report = predictor.evaluate(examples, modelData.task(), modelData.outputs());
        ReportOutput printed = new ReportOutput(report, modelData.labels().names());
        output.print(printed.json(), printed::printTo);
      }
    }
    return 0;
  }
}
