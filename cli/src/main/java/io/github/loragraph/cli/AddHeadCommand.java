package io.github.loragraph.cli;

import io.github.loragraph.data.Columns;
import io.github.loragraph.data.DataFile;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.models.ClassificationHead;
import io.github.loragraph.models.ModelConfig;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.task.Task;
import io.github.loragraph.task.Tasks;
import io.github.loragraph.training.Logits;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code lora-graph add-head}. */
@Command(
    name = "add-head",
    header = "Puts a classification head on an encoder without one.",
    description = {
      "",
      "The head pools the tokens (or takes a pooled output), then has a dense layer with tanh and a projection to the classes;"
          + " its parameters are named classifier.*, so they are trained in full. Writes a model"
          + " folder, the labels in its config.json.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph add-head all-MiniLM-L6-v2 --labels negative,positive -o sentiment",
      "  lora-graph add-head encoder.onnx --labels-from train.tsv -o intents",
      "  lora-graph add-head encoder.onnx --task regression -o similarity"
    },
    mixinStandardHelpOptions = true)
final class AddHeadCommand implements Callable<Integer> {
  /** More classes than people usually have. */
  private static final int MANY = 10;

  @Mixin private ModelArgument model;

  @Option(
      names = "--output-name",
      paramLabel = "NAME",
      description =
          "The model's output to put the head on, where several could be (default: the states of"
              + " the tokens, else the pooled ones).")
  private String outputName;

  @Mixin private ResultOutput output;

  @ArgGroup(multiplicity = "0..1")
  private Labels labels;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      defaultValue = "classification",
      converter = TaskConverter.class,
      description =
          "classification, regression (one number, no labels), multilabel or token-classification"
              + " (default: ${DEFAULT-VALUE}).")
  private Task task;

  @Spec private CommandSpec spec;

  private static final class Labels {
    @Option(
        names = "--labels",
        split = ",",
        paramLabel = "NAME",
        description = "The classes, separated by commas.")
    private List<String> names;

    @Option(
        names = "--labels-from",
        paramLabel = "FILE",
        description = "A data file whose labels are the classes.")
    private Path file;
  }

  @Option(
      names = "--pooling",
      defaultValue = "mean",
      description = "${COMPLETION-CANDIDATES} token (default: ${DEFAULT-VALUE}).")
  private ClassificationHead.Pooling pooling;

  @Option(
      names = "--seed",
      defaultValue = "0",
      description = "Seed of the head's weights (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--label-column",
      paramLabel = "NAME",
      description = "Column or field with the label (default: label, ...).")
  private String labelColumn;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FOLDER",
      required = true,
      description = "The model folder to write.")
  private Path target;

  @Option(names = "--force", description = "Replace a model in the folder.")
  private boolean force;

  @Override
  public Integer call() {
    ModelFolder folder = model.folder();
    Path file = target.resolve("model.onnx");
    OutputFile.refuseInput(file, folder);
    for (Path written : List.of(file, target.resolve(ModelConfig.FILE))) {
      AtomicFile.checkTarget(written, force);
    }
    LabelSet classes = classes();
    for (List<String> alike : classes.lookalikes()) {
      output.log("two classes with names that are alike: '%s' and '%s'", alike.toArray());
    }
    OnnxModel encoder = OnnxFile.read(folder.modelFile());
    if (outputName != null) {
      encoder = Logits.choose(encoder, outputName);
    }
    ShapeInference inference = new SessionShapeInference(OrtRuntime.ofThisProcess());
    OnnxModel classifier =
        task.answersTokens()
            ? ClassificationHead.addToTokens(encoder, classes.size(), seed, inference)
            : ClassificationHead.add(encoder, classes.size(), pooling, seed, inference);
    ModelConfig config = folder.config().withLabels(classes);
    if (task != Tasks.CLASSIFICATION && task.problemType().isPresent()) {
      config = config.with("problem_type", task.problemType().get());
    }
    ModelFolder.Companions companions;
    try (StagedFiles files = new StagedFiles(target, force)) {
      config.stage(target.resolve(ModelConfig.FILE), files);
      companions = folder.stageCompanions(target, files);
      OnnxFile.stage(classifier, file, files);
      files.commit();
    }
    OutputFile.warnOfDifferent(companions, target, folder, output);

    Map<String, Object> result = new LinkedHashMap<>();
    ParameterCount count = ParameterCount.of(Parameters.of(classifier));
    result.put("output", file.toString());
    result.put("labels", classes.names());
    result.put("totalParameters", count.total());
    output.print(
        result,
        out -> {
          out.println("a head for " + task.describe(classes));
          out.println(count);
          out.println("written: " + file);
        });
    return 0;
  }

  private LabelSet classes() {
    if (task.fixedLabels().isPresent()) {
      if (labels != null) {
        throw new ParameterException(
            spec.commandLine(),
            "a %s has no labels: leave out --labels and --labels-from".formatted(task));
      }
      return task.fixedLabels().get();
    }
    if (labels == null) {
      throw new ParameterException(
          spec.commandLine(), "name the classes with --labels A,B or --labels-from FILE");
    }
    if (labels.names != null) {
      if (labels.names.size() < task.fewestLabels()) {
        throw new ParameterException(
            spec.commandLine(),
            "one class is nothing to choose from: name two or more, or use --task regression");
      }
      return new LabelSet(labels.names.stream().map(String::strip).toList());
    }
    Columns columns = Columns.USUAL.with(null, null, labelColumn);
    List<Row> rows = new DataFile(labels.file, columns, notice -> output.say(notice)).labels();
    LabelSet classes = task.labelsOf(rows);
    if (classes.size() == 0) {
      throw new LoraGraphException(
          labels.file + " has no labels: name their column with --label-column");
    }
    if (classes.size() > MANY && classes.size() * 2 > rows.size()) {
      output.log(
          "%,d different labels in %,d rows: is that column the right one? (--label-column)",
          classes.size(), rows.size());
    }
    return classes;
  }
}
