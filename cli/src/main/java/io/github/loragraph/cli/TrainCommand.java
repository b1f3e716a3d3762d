package io.github.loragraph.cli;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.data.Example;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.evaluation.Report;
import io.github.loragraph.evaluation.Task;
import io.github.loragraph.file.Checksum;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ModelConfig;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.Device;
import io.github.loragraph.ort.DeviceChoice;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.trainer.RunFolder;
import io.github.loragraph.trainer.TrainerSettings;
import io.github.loragraph.trainer.TrainingData;
import io.github.loragraph.trainer.TrainingJob;
import io.github.loragraph.trainer.TrainingStopped;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Optimization;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code lora-graph train}. */
@Command(
    name = "train",
    header = "Trains a model on labelled examples.",
    description = {
      "",
      "Writes a run folder: model.onnx (trained, with its adapters, config.json and tokenizer.json"
          + " beside it), metrics.jsonl (a line for each log entry) and config.yaml (all options;"
          + " --config takes it back). Without MODEL the one *.lora.onnx of the current folder is"
          + " taken, without --data its train.tsv, train.jsonl or train.csv.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph train model.lora.onnx --data train.tsv --eval dev.tsv --epochs 3 -o run",
      "  lora-graph train --resume run"
    },
    mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
  private static final Set<String> GO_WITH_RESUME = Set.of("--resume", "--json", "--stacktrace");

  /**
   * The version of the recipe: how steps, rates, decay and shares follow from the options. A run is
   * not gone on with by another one.
   */
  private static final int RECIPE = 2;

  /** What is copied for a step is then small beside what it computes. */
  private static final int STEPS_PER_CALL_ON_GPU = 8;

  private static final List<String> USUAL_DATA = List.of("train.tsv", "train.jsonl", "train.csv");

  @Mixin private OptionalModelArgument model;
  @Mixin private TrainingOptions options;
  @Mixin private DataOptions dataOptions;
  @Mixin private ColumnOptions columns;
  @Mixin private ThreadsOption threads;
  @Mixin private DeviceOptions deviceOptions;
  @Mixin private ResultOutput output;
  @Spec private CommandSpec spec;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description = "Labelled examples: .tsv, .csv or .jsonl.")
  private Path data;

  @Option(
      names = "--eval",
      paramLabel = "FILE",
      description = "Held-out examples, to measure with.")
  private Path eval;

  @Option(
      names = "--steps-per-call",
      paramLabel = "N",
      description =
          "Steps that the graph engine runs in one call, between which nothing is copied from or to"
              + " the device (default: 1 on a CPU, 8 on a GPU).")
  private Integer stepsPerCall;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "YAML with options by their names; the command line wins.")
  private Path config;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "RUN",
      defaultValue = "run",
      description = "The run folder to write (default: ${DEFAULT-VALUE}).")
  private Path run;

  @Option(
      names = "--resume",
      paramLabel = "RUN",
      description =
          "Go on with a run that was stopped, from its last checkpoint and with its options.")
  private Path resume;

  @Option(names = "--force", description = "Replace a run folder that exists.")
  private boolean force;

  /** How many texts were cut at the maximum length, as {@code --json} has it. */
  private final Map<String, Integer> truncated = new LinkedHashMap<>();

  @Override
  public Integer call() {
    Checkpoint start = null;
    if (resume == null) {
      RunFolder.checkTarget(run, force);
    } else {
      requireNothingElse();
      RunFolder.requireUnfinished(resume);
      start = RunFolder.lastCheckpoint(resume).orElse(null);
      run = resume;
    }
    options.hint().ifPresent(hint -> output.log("%s", hint));
    EngineKind engine = engine(start);
    DeviceChoice device = deviceOptions.choose(engine);
    ModelFolder folder = model.injectedFolder();
    OnnxModel onnx = OnnxFile.read(folder.modelFile());
    TrainableSelection selection = options.selection();
    Set<String> trainable = LoraGraphException.in(folder.modelFile(), () -> selection.values(onnx));
    Path trainFile = data == null ? usualData() : data;
    try (ModelData modelData = dataOptions.open(folder, onnx, columns.columns(), output)) {
      List<Example> examples = sample(modelData.labelled(trainFile));
      List<Example> heldOut = eval == null ? List.of() : modelData.labelled(eval);
      truncated.put("truncated", modelData.truncated(trainFile));
      truncated.put("truncatedEval", eval == null ? 0 : modelData.truncated(eval));
      Optimization optimization = options.optimization();
      TrainerSettings settings = options.trainerSettings();
      TrainingData trainingData =
          new TrainingData(modelData.task(), examples, heldOut, modelData.padId());
      OrtRuntime runtime =
          TrainingJob.runtime(
              engine, device.device(), optimization.precision(), settings, trainingData);
      TrainingJob job =
          new TrainingJob(
              onnx,
              trainable,
              modelData.task().loss(options.lossOptions(examples, modelData.outputs()), examples),
              optimization,
              settings,
              trainingData,
              engine,
              deviceOptions.sessions(runtime, threads, device.device()),
              stepsPerCall(device.device()));
      output.log(
          "%s",
          "training %,d tensors of %s on %,d examples, %d threads"
              .formatted(trainable.size(), folder.modelFile(), examples.size(), threads.count()));
      noteParameters(onnx, selection);
      if (!device.reason().isEmpty()) {
        output.log("%s", device);
      }
      Map<String, Object> configuration =
          configuration(folder, trainFile, modelData, job.sessions());
      if (resume != null) {
        ConfigFile.requireSameFiles(resume.resolve(RunFolder.CONFIG), configuration);
      }
      train(folder, job, modelData.task(), configuration, start);
      return 0;
    } catch (TrainingStopped e) {
      output.log(
          "%s",
          "stopped after step %,d: go on with 'lora-graph train --resume %s'"
              .formatted(e.step(), run));
      return Signals.INTERRUPTED;
    }
  }

  /** What is trained as one, and what is not trained although it was asked for. */
  private void noteParameters(OnnxModel onnx, TrainableSelection selection) {
    if (!selection.untied()) {
      selection.parameters(onnx).stream()
          .filter(p -> !p.copies().isEmpty())
          .forEach(p -> output.log("%s", Tied.inOneLine(p)));
    }
    List<Parameter> left = selection.left(onnx);
    if (!left.isEmpty()) {
      output.log(
          "%s",
          "not trained: %d parameters, as %s, since %s"
              .formatted(left.size(), left.get(0).name(), left.get(0).obstacle()));
    }
  }

  private void train(
      ModelFolder folder,
      TrainingJob job,
      Task task,
      Map<String, Object> configuration,
      Checkpoint start) {
    TrainingJob.Result result;
    try (RunFolder runFolder =
        resume == null
            ? RunFolder.begin(run, force, configuration)
            : RunFolder.resume(resume, start)) {
      try (ProgressListener progress = new ProgressListener(output);
          StopRequest stop = new StopRequest(output)) {
        result = job.run(List.of(runFolder, progress, stop), start);
      }
      folder.copyCompanions(runFolder.path());
      noteTask(folder, task, job.model(), runFolder.path());
      runFolder.finish(options.selection().noteIn(result.model()));
    }
    print(result, job.sessions().device());
  }

  /** Later commands read the task from config.json where the model's shape does not tell it. */
  private static void noteTask(ModelFolder folder, Task task, OnnxModel model, Path runFolder) {
    ModelConfig config = folder.config();
    Task stated = Task.stated(config.problemType(), Logits.of(model.graph()));
    if (stated != task && task.problemType().isPresent()) {
      config
          .with("problem_type", task.problemType().get())
          .write(runFolder.resolve(ModelConfig.FILE), true);
    }
  }

  private void print(TrainingJob.Result result, Device device) {
    var summary = result.summary();
    Report report = summary.evaluation();
    Map<String, Double> figures = report == null ? Map.of() : report.finiteFigures();
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("steps", summary.steps());
    json.put("finalTrainLoss", summary.finalTrainLoss());
    json.put("evalAccuracy", figures.get("accuracy"));
    json.put("evalLoss", figures.get("loss"));
    if (report != null) {
      json.put("eval", figures);
    }
    json.putAll(truncated);
    json.put("samplesPerSecond", summary.samplesPerSecond());
    json.put("runFolder", run.toString());
    json.put("engine", result.engine());
    json.put("device", device.toString());
    output.print(
        json,
        out -> {
          out.printf(
              Locale.ROOT,
              "%,d steps, final training loss %.4f, %.1f samples/s (engine %s on %s)%n",
              summary.steps(),
              summary.finalTrainLoss(),
              summary.samplesPerSecond(),
              result.engine(),
              device);
          if (report != null) {
            out.println("held out: " + ReportOutput.headline(report));
          }
          out.println("written: " + run);
        });
  }

  /** A run is gone on with as it was begun; other options would make it another one. */
  private void requireNothingElse() {
    for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
      if (!GO_WITH_RESUME.contains(option.longestName())) {
        throw new ParameterException(
            spec.commandLine(),
            "%s does not go with --resume, which takes all options from the run's %s"
                .formatted(option.names()[0], RunFolder.CONFIG));
      }
    }
  }

  private int stepsPerCall(Device device) {
    return stepsPerCall != null ? stepsPerCall : device.isGpu() ? STEPS_PER_CALL_ON_GPU : 1;
  }

  /** Which engine went before is in the checkpoint: the other one's last digits may differ. */
  private EngineKind engine(Checkpoint start) {
    return start == null ? options.engine : TrainingJob.engineOf(start).orElse(options.engine);
  }

  private static Path usualData() {
    return USUAL_DATA.stream()
        .map(Path::of)
        .filter(Files::exists)
        .findFirst()
        .orElseThrow(
            () ->
                new LoraGraphException(
                    "no --data given, and the current folder has none of: "
                        + String.join(", ", USUAL_DATA)));
  }

  private List<Example> sample(List<Example> examples) {
    if (options.maxTrainExamples == null || options.maxTrainExamples >= examples.size()) {
      return examples;
    }
    if (options.maxTrainExamples < 1) {
      throw new LoraGraphException("--max-train-examples must be 1 or more");
    }
    SplittableRandom random = new SplittableRandom(options.seed);
    List<Example> drawn = new ArrayList<>(examples);
    for (int i = 0; i < options.maxTrainExamples; i++) {
      int j = random.nextInt(i, drawn.size());
      Example moved = drawn.get(i);
      drawn.set(i, drawn.get(j));
      drawn.set(j, moved);
    }
    return drawn.subList(0, options.maxTrainExamples);
  }

  /** So that a run is gone on with on the very same files. */
  private Map<String, String> checksums(Path modelFile, Path trainFile) {
    Map<String, String> checksums = new LinkedHashMap<>();
    checksums.put("model", Checksum.of(modelFile));
    checksums.put("data", Checksum.of(trainFile));
    return checksums;
  }

  /** A run may be gone on with from any folder. */
  private static String absolute(Path file) {
    return file.toAbsolutePath().normalize().toString();
  }

  private Map<String, Object> configuration(
      ModelFolder folder, Path trainFile, ModelData modelData, Sessions sessions) {
    Device device = sessions.device();
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("model", absolute(folder.modelFile()));
    all.put("data", absolute(trainFile));
    all.put("eval", eval == null ? null : absolute(eval));
    all.putAll(ConfigFile.asMap(options));
    all.put("lr", options.learningRate());
    all.putAll(columns.asMap());
    all.put("task", modelData.task().toString());
    all.put("maxLength", modelData.maxLength());
    all.put("threads", threads.count());
    all.put("device", device.toString());
    all.put("tf32", deviceOptions.tf32());
    all.put("stepsPerCall", stepsPerCall(device));
    all.put("recipe", RECIPE);
    all.put("checksums", checksums(folder.modelFile(), trainFile));
    all.put("versions", Version.ofEverything(sessions.runtime()));
    return all;
  }
}
