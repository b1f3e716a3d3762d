package io.github.loragraph.cli;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.data.Example;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.ShellWord;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.file.Checksum;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ModelConfig;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.Device;
import io.github.loragraph.ort.DeviceChoice;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.task.Report;
import io.github.loragraph.task.Task;
import io.github.loragraph.trainer.RunFolder;
import io.github.loragraph.trainer.StoppedRun;
import io.github.loragraph.trainer.TrainerSettings;
import io.github.loragraph.trainer.TrainingData;
import io.github.loragraph.trainer.TrainingJob;
import io.github.loragraph.trainer.TrainingStopped;
import io.github.loragraph.training.Optimization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
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
      "  lora-graph train model.lora.onnx --data train.tsv --eval dev.tsv -o run",
      "  lora-graph train --resume run",
      "",
      "Ctrl-C, SIGTERM and the end of the terminal (SIGHUP) stop a training after the batch that is"
          + " at work, or after the steps of one call, with a checkpoint: also in the midst of a step"
          + " of several batches, or of an evaluation. A second signal ends it at once.",
      "Exit codes: 0 done; 1 failed; 2 wrong usage; 130, 143 and 129 stopped by Ctrl-C, SIGTERM and"
          + " SIGHUP."
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

  private static final String NOTHING_KEPT = "ended before the first step: nothing is kept";

  /** What {@code config.yaml} has besides {@link TrainingOptions} and {@link ColumnOptions}. */
  private static final List<String> NOTED =
      List.of(
          "model",
          "data",
          "eval",
          "pairs",
          "task",
          "outputName",
          "maxLength",
          "threads",
          "device",
          "tf32",
          "stepsPerCall",
          "recipe",
          "checksums",
          "versions");

  private static final List<String> USUAL_DATA = List.of("train.tsv", "train.jsonl", "train.csv");

  @Mixin private OptionalModelArgument model;
  @Mixin private TrainingOptions options;
  @Mixin private DataOptions dataOptions;
  @Mixin private ColumnOptions columns;
  @Mixin private OutputNameOption outputName;
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
          "Steps (with --accumulate: batches) that the graph engine runs in one call, between which"
              + " nothing is copied from or to the device (default: 1 on a CPU, 8 on a GPU).")
  private Integer stepsPerCall;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "YAML with options by their names; the command line wins.")
  private Path config;

  @Option(
      names = {"-o", "--output-dir"},
      paramLabel = "RUN",
      description = "The run folder to write (default: run).")
  private Path run;

  @Option(
      names = "--output",
      paramLabel = "RUN",
      description =
          "The same as -o; but where the model has an output of that name, the same as"
              + " --output-name.")
  private String runOrOutputName;

  @Option(
      names = "--resume",
      paramLabel = "RUN",
      description =
          "Go on with a run that was stopped, from its last checkpoint that is whole and with its"
              + " options.")
  private Path resume;

  @Option(names = "--force", description = "Replace a run folder that exists.")
  private boolean force;

  /** How many texts were cut at the maximum length, as {@code --json} has it. */
  private final Map<String, Integer> truncated = new LinkedHashMap<>();

  @Override
  public Integer call() {
    if (resume != null) {
      requireNothingElse();
      run = resume;
      try (StoppedRun stopped = StoppedRun.open(resume, output::say)) {
        return train(stopped);
      }
    }
    if (options.evalEvery > 0 && eval == null) {
      throw new ParameterException(
          spec.commandLine(), "--eval-every measures on held-out examples: name them with --eval");
    }
    settleOutput();
    RunFolder.recover(run, output::say);
    RunFolder.checkTarget(run, force);
    return train(null);
  }

  /**
   * @param stopped the run to go on with; null to begin one
   */
  private int train(StoppedRun stopped) {
    Checkpoint start = stopped == null ? null : stopped.start().orElse(null);
    if (stopped != null) {
      requireWhereItWas(data);
      requireWhereItWas(eval);
    }
    options.hint().ifPresent(hint -> output.say(hint));
    EngineKind engine = engine(start);
    DeviceChoice device = deviceOptions.choose(engine);
    ModelFolder folder = model.injectedFolder();
    OnnxModel onnx = outputName.choose(OnnxFile.read(folder.modelFile()));
    TrainableSelection selection = options.selection();
    Set<String> trainable = LoraGraphException.in(folder.modelFile(), () -> selection.values(onnx));
    Path trainFile = data == null ? usualData() : data;
    StopRequest stop = new StopRequest(output, start == null ? NOTHING_KEPT : howToGoOn());
    try (stop;
        ModelData modelData =
            dataOptions.open(
                folder, onnx, columns.columns(), output, inference(engine, device.device()))) {
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
          TrainingJob.builder(modelData.answer().model(), trainingData)
              .trainable(trainable)
              .loss(
                  modelData
                      .task()
                      .loss(options.lossOptions(examples, modelData.outputs()), examples))
              .optimization(optimization)
              .settings(settings)
              .engine(engine)
              .sessions(deviceOptions.sessions(runtime, threads, device.device()))
              .batchesPerCall(stepsPerCall(device.device()))
              .build();
      output.say(
          "training %,d tensors of %s on %,d examples, %d threads"
              .formatted(trainable.size(), folder.modelFile(), examples.size(), threads.count()));
      new SelectionNotes(onnx, selection).print(output);
      AbsentClasses.of(modelData, examples)
          .ifPresent(classes -> output.say(trainFile + " has no example of " + classes));
      if (start != null) {
        start
            .group(Checkpoint.GROUP)
            .ifPresent(group -> output.say("going on after step %,d".formatted(group.step())));
      }
      if (!device.reason().isEmpty()) {
        output.say(device.toString());
      }
      Map<String, Object> configuration =
          configuration(folder, trainFile, modelData, job.sessions());
      if (resume != null) {
        ConfigFile.requireSame(
            resume.resolve(RunFolder.CONFIG),
            decidingFiles(folder, trainFile),
            configuration,
            output::say);
      }
      train(folder, job, modelData.task(), configuration, stopped, stop);
      return 0;
    } catch (TrainingStopped e) {
      output.say("stopped after step %,d: %s".formatted(e.step(), howToGoOn()));
      return stop.exitCode();
    }
  }

  private String howToGoOn() {
    return "go on with it: lora-graph train --resume %s".formatted(ShellWord.of(run));
  }

  private void train(
      ModelFolder folder,
      TrainingJob job,
      Task task,
      Map<String, Object> configuration,
      StoppedRun stopped,
      StopRequest stop) {
    TrainingJob.Result result;
    try (RunFolder runFolder =
        stopped == null ? RunFolder.begin(run, force, configuration) : stopped.goOn()) {
      try (ProgressListener progress = new ProgressListener(output)) {
        Checkpoint start = stopped == null ? null : stopped.start().orElse(null);
        result = job.run(List.of(runFolder, progress, stop), start);
      } catch (LoraGraphException e) {
        // What could not be written, to a full disk for example, may be the next time.
        throw e.getCause() instanceof IOException ? withHowToGoOn(e, runFolder) : e;
      }
      stop.writing();
      try {
        folder.copyCompanions(runFolder.path());
        noteTask(folder, task, job.model(), runFolder.path());
        runFolder.finish(options.selection().noteIn(result.model()));
      } catch (LoraGraphException e) {
        throw withHowToGoOn(e, runFolder);
      }
    }
    print(result, job.sessions().device());
  }

  private LoraGraphException withHowToGoOn(LoraGraphException e, RunFolder runFolder) {
    return runFolder.hasCheckpoint()
        ? new LoraGraphException(
            "%s; the training is kept in a checkpoint: when that is mended, %s"
                .formatted(e.getMessage(), howToGoOn()),
            e)
        : e;
  }

  /** {@code --output} had one meaning before models had several outputs, and keeps it, too. */
  private void settleOutput() {
    if (runOrOutputName != null
        && OnnxFile.read(model.injectedFolder().modelFile()).graph().isOutput(runOrOutputName)) {
      outputName.setIfAbsent(runOrOutputName);
      output.log(
          "--output %s names an output of the model: the run folder is named with -o",
          runOrOutputName);
    } else if (runOrOutputName != null && run != null) {
      throw new ParameterException(
          spec.commandLine(), "-o and --output name the run folder both: give one");
    } else if (runOrOutputName != null) {
      run = Path.of(runOrOutputName);
    }
    run = run == null ? Path.of("run") : run;
  }

  /** The build of ONNX Runtime that finds shapes is the one that trains: a process has one. */
  private static ShapeInference inference(EngineKind engine, Device device) {
    return onnx -> {
      boolean trains =
          !device.isGpu()
              && engine != EngineKind.GRAPH
              && OrtRuntime.canOpen(OrtRuntime.Build.TRAINING);
      OrtRuntime runtime =
          trains ? OrtRuntime.open(OrtRuntime.Build.TRAINING) : OrtRuntime.on(device);
      return new SessionShapeInference(runtime).infer(onnx);
    };
  }

  /** Later commands read the task from config.json where the model's shape does not tell it. */
  private static void noteTask(ModelFolder folder, Task task, OnnxModel model, Path runFolder) {
    ModelConfig config = folder.config();
    if (task.problemType().isPresent() && !isClear(task, model, config)) {
      config
          .with("problem_type", task.problemType().get())
          .write(runFolder.resolve(ModelConfig.FILE), true);
    }
  }

  /** Whether a task is what a model is taken to have where nobody names one. */
  private static boolean isClear(Task task, OnnxModel model, ModelConfig config) {
    try {
      Optional<String> stated = config.problemType();
      return Answer.of(model, null, stated, new SessionShapeInference(OrtRuntime.ofThisProcess()))
              .task()
          == task;
    } catch (LoraGraphException e) {
      return false;
    }
  }

  private void print(TrainingJob.Result result, Device device) {
    var summary = result.summary();
    Report report = summary.evaluation();
    Map<String, Double> figures = report == null ? Map.of() : report.finiteFigures();
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("steps", summary.steps());
    json.put("finalTrainLoss", orNull(summary.finalTrainLoss()));
    json.put("evalAccuracy", figures.get("accuracy"));
    json.put("evalLoss", figures.get("loss"));
    if (report != null) {
      json.put("eval", figures);
    }
    json.putAll(truncated);
    json.put("samplesPerSecond", orNull(summary.samplesPerSecond()));
    json.put("runFolder", run.toString());
    json.put("engine", result.engine());
    json.put("device", device.toString());
    output.print(
        json,
        out -> {
          out.printf(
              Locale.ROOT,
              "%,d steps, final training loss %.4f%s (engine %s on %s)%n",
              summary.steps(),
              summary.finalTrainLoss(),
              Double.isNaN(summary.samplesPerSecond())
                  ? ""
                  : String.format(Locale.ROOT, ", %.1f samples/s", summary.samplesPerSecond()),
              result.engine(),
              device);
          if (report != null) {
            out.println("held out: " + ReportOutput.headline(report));
          }
          out.println("written: " + run);
        });
  }

  /** The run's configuration has whole paths: its files may have been moved since. */
  private void requireWhereItWas(Path file) {
    if (file != null && !Files.exists(file)) {
      throw new LoraGraphException(
          "%s, which the run was begun with, is not there: put it back, or write where it is now into %s"
              .formatted(file, run.resolve(RunFolder.CONFIG)));
    }
  }

  /** A figure of steps, which a run that only had its end to write has not made. */
  private static Double orNull(double figure) {
    return Double.isNaN(figure) ? null : figure;
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

  /** What a run is gone on with on the very same content of. */
  private Map<String, Path> decidingFiles(ModelFolder folder, Path trainFile) {
    Map<String, Path> files = new LinkedHashMap<>();
    files.put("model", folder.modelFile());
    for (Path weights : OnnxFile.dataFiles(folder.modelFile())) {
      files.put(weights.getFileName().toString(), weights);
    }
    files.put("data", trainFile);
    if (eval != null) {
      files.put("eval", eval);
    }
    for (Path file : folder.companions()) {
      files.put(file.getFileName().toString(), file);
    }
    return files;
  }

  /** The names of what a run's {@code config.yaml} has. */
  Set<String> configurationKeys() {
    Set<String> keys = new LinkedHashSet<>(NOTED);
    keys.addAll(ConfigFile.asMap(options).keySet());
    keys.addAll(columns.asMap().keySet());
    return keys;
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
    all.put("pairs", modelData.pairs().orElse(null));
    all.put("task", modelData.task().toString());
    all.put("outputName", outputName.ifItMatters(modelData.answer().logits()));
    all.put("maxLength", modelData.maxLength());
    all.put("threads", threads.count());
    all.put("device", device.toString());
    all.put("tf32", deviceOptions.tf32());
    all.put("stepsPerCall", stepsPerCall(device));
    all.put("recipe", RECIPE);
    Map<String, String> checksums = new LinkedHashMap<>();
    decidingFiles(folder, trainFile).forEach((n, file) -> checksums.put(n, Checksum.of(file)));
    all.put("checksums", checksums);
    all.put("versions", Version.ofEverything(sessions.runtime()));
    return all;
  }
}
