package io.github.loragraph.cli;

import io.github.loragraph.Dataset;
import io.github.loragraph.HeadConfig;
import io.github.loragraph.Model;
import io.github.loragraph.ParameterCount;
import io.github.loragraph.RuntimeBuild;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.models.ClassificationHead;
import io.github.loragraph.task.Task;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
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
      "The head pools the tokens (or takes a pooled output), then has a dense layer with tanh and a"
          + " projection to the classes; its parameters are named classifier.*, so they are trained"
          + " in full. Writes a model folder, the labels in its config.json.",
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
  @Mixin private ModelArgument model;

  @Option(
      names = "--output-name",
      paramLabel = "NAME",
      description =
          "The model's output to put the head on, where several could be (default: the states of"
              + " the tokens, else the pooled ones).")
  private @Nullable String outputName;

  @Mixin private WeightsOption weights;
  @Mixin private ResultOutput output;

  @ArgGroup(multiplicity = "0..1")
  private @Nullable Labels labels;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      defaultValue = "classification",
      converter = TaskConverter.class,
      completionCandidates = TaskConverter.class,
      description =
          "What the head answers: ${COMPLETION-CANDIDATES}; a regression answers one number and has"
              + " no labels (default: ${DEFAULT-VALUE}).")
  private Task task;

  @Spec private CommandSpec spec;

  private static final class Labels {
    @Option(
        names = "--labels",
        split = ",",
        paramLabel = "NAME",
        description = "The classes, separated by commas.")
    private @Nullable List<String> names;

    @Option(
        names = "--labels-from",
        paramLabel = "FILE",
        description =
            "A data file whose labels are the classes. Several: the option again, or a pattern.")
    private @Nullable List<String> files;
  }

  @Option(
      names = "--pooling",
      defaultValue = "mean",
      converter = PoolingConverter.class,
      completionCandidates = PoolingConverter.class,
      description =
          "What the head reads of a text's tokens, ${COMPLETION-CANDIDATES}: the mean of all, or"
              + " the first one (default: ${DEFAULT-VALUE}).")
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
  private @Nullable String labelColumn;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FOLDER",
      required = true,
      description = "The model folder to write.")
  private Path folder;

  @Option(names = "--force", description = "Replace a model in the folder.")
  private boolean force;

  @Override
  public Integer call() {
    RuntimeBuild.STOCK.load(); // Of GPUs nothing is needed.
    Model encoder = model.open(output);
    if (outputName != null) {
      encoder = encoder.withOutput(outputName);
    }
    Path target = folder.resolve("model.onnx");
    encoder.checkSave(target, force);
    HeadConfig head = head().withPooling(HeadConfig.Pooling.valueOf(pooling.name())).withSeed(seed);
    Model classifier = encoder.addHead(head);
    Path file = weights.save(classifier, target, force);

    List<String> classes = classifier.labels();
    ParameterCount count = classifier.parameterCount();
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("output", file.toString());
    result.put("labels", classes);
    result.put("totalParameters", count.total());
    result.put("trainableParameters", count.trainable());
    output.print(
        result,
        out -> {
          out.println("a head for " + task.describe(new LabelSet(classes)));
          out.println(count);
          out.println("written: " + file);
        });
    return 0;
  }

  private HeadConfig head() {
    task.refusalOfHead()
        .ifPresent(
            reason -> {
              throw new ParameterException(spec.commandLine(), reason);
            });
    io.github.loragraph.Task wanted = io.github.loragraph.Task.named(task.name()).orElseThrow();
    if (task.fixedLabels().isPresent()) {
      if (labels != null) {
        throw new ParameterException(
            spec.commandLine(),
            "a %s has no labels: leave out --labels and --labels-from".formatted(task));
      }
      return HeadConfig.of(wanted, List.of());
    }
    if (labels == null) {
      throw new ParameterException(
          spec.commandLine(), "name the classes with --labels A,B or --labels-from FILE");
    }
    List<String> names = labels.names;
    if (names == null) {
      Dataset data = Dataset.files(Objects.requireNonNull(labels.files));
      return HeadConfig.of(wanted, labelColumn == null ? data : data.withLabelColumn(labelColumn));
    }
    task.refusalOf(names)
        .ifPresent(
            reason -> {
              throw new ParameterException(
                  spec.commandLine(), reason + ", or use --task regression");
            });
    return HeadConfig.of(wanted, names);
  }
}
