package io.github.loragraph.cli;

import io.github.loragraph.data.Example;
import io.github.loragraph.evaluation.ClassificationReport;
import io.github.loragraph.evaluation.Predictor;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-graph eval}. */
@Command(
    name = "eval",
    header = "Measures a model on labelled examples.",
    description = {
      "",
      "Prints loss, accuracy, precision, recall and F1 of each class and the confusion matrix.",
      ""
    },
    footer = {"", "Example:", "  lora-graph eval run --data dev.tsv"},
    mixinStandardHelpOptions = true)
final class EvalCommand implements Callable<Integer> {
  @Mixin private ModelArgument model;
  @Mixin private DataOptions dataOptions;
  @Mixin private ThreadsOption threads;
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
    try (ModelData modelData =
        new ModelData(folder, onnx, dataOptions.columns(), dataOptions.maxLength())) {
      List<Example> examples = modelData.labelled(data);
      try (Predictor predictor = new Predictor(onnx, modelData.padId(), threads.count())) {
        ClassificationReport report = predictor.evaluate(examples);
        List<String> names = modelData.labels().names();
        output.print(json(report, names), out -> print(out, report, names));
      }
    }
    return 0;
  }

  private static Map<String, Object> json(ClassificationReport report, List<String> names) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("loss", report.loss());
    json.put("accuracy", report.accuracy());
    json.put("examples", report.examples());
    json.put("macroF1", report.macroF1());
    List<Map<String, Object>> classes = new ArrayList<>();
    for (int c = 0; c < names.size(); c++) {
      ClassificationReport.OfClass figures = report.classes().get(c);
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("label", names.get(c));
      entry.put("precision", figures.precision());
      entry.put("recall", figures.recall());
      entry.put("f1", figures.f1());
      entry.put("support", figures.support());
      classes.add(entry);
    }
    json.put("classes", classes);
    json.put("confusion", report.confusion());
    return json;
  }

  private static void print(PrintWriter out, ClassificationReport report, List<String> names) {
    out.printf(
        Locale.ROOT,
        "%,d examples: loss %.4f, accuracy %.4f, macro F1 %.4f%n%n",
        report.examples(),
        report.loss(),
        report.accuracy(),
        report.macroF1());
    List<String[]> rows = new ArrayList<>();
    rows.add(new String[] {"class", "precision", "recall", "F1", "examples"});
    for (int c = 0; c < names.size(); c++) {
      ClassificationReport.OfClass f = report.classes().get(c);
      rows.add(
          new String[] {
            names.get(c),
            figure(f.precision()),
            figure(f.recall()),
            figure(f.f1()),
            Long.toString(f.support())
          });
    }
    new TextTable(rows, Set.of(1, 2, 3, 4)).printTo(out);

    out.println();
    rows.clear();
    String[] heading = new String[names.size() + 1];
    heading[0] = "actual \\ predicted";
    IntStream.range(0, names.size()).forEach(c -> heading[c + 1] = names.get(c));
    rows.add(heading);
    for (int c = 0; c < names.size(); c++) {
      String[] row = new String[names.size() + 1];
      row[0] = names.get(c);
      for (int p = 0; p < names.size(); p++) {
        row[p + 1] = Long.toString(report.confusion()[c][p]);
      }
      rows.add(row);
    }
    Set<Integer> numbers = Set.copyOf(IntStream.rangeClosed(1, names.size()).boxed().toList());
    new TextTable(rows, numbers).printTo(out);
  }

  private static String figure(double value) {
    return String.format(Locale.ROOT, "%.4f", value);
  }
}
