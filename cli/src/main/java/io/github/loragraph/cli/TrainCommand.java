package io.github.loragraph.cli;

import io.github.loragraph.Dataset;
import io.github.loragraph.Evaluation;
import io.github.loragraph.Model;
import io.github.loragraph.Task;
import io.github.loragraph.TrainingArguments;
import io.github.loragraph.TrainingCancelledException;
import io.github.loragraph.TrainingListener;
import io.github.loragraph.TrainingResult;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.RunProgram;
import io.github.loragraph.trainer.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code lora-graph train}. Long because what goes together and what does not is settled here. */
@Command(
    name = "train",
    header = "Trains a model on labelled examples.",
    description = {
      "",
      "Writes a run folder: adapter/ (what was learned, in PEFT's layout), config.json and"
          + " tokenizer.json of the model, metrics.jsonl (a line for each log entry) and config.yaml"
          + " (all options; --config takes it back). The run can be named wherever a MODEL can; it"
          + " is MODEL with the adapter. The whole model is written as model.onnx by --write-model,"
          + " and where there are no adapters (--method full, or head where MODEL has none). Without MODEL the one *.lora.onnx of the current folder is"
          + " taken, without --data its train.tsv, train.jsonl or train.csv.",
      "",
      "Examples are texts with labels; with --task embedding pairs of texts that belong together,"
          + " with negatives or scores where there are; with --task rerank queries with documents;"
          + " with --task masked-lm texts alone.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph train model.lora.onnx --data train.tsv --eval dev.tsv -o run",
      "  lora-graph train model.lora.onnx --task embedding --data pairs.tsv --eval held-out.tsv",
      "  lora-graph train --resume run",
      "  lora-graph train --continue-from run --epochs 2",
      "",
      "Ctrl-C, SIGTERM and the end of the terminal (SIGHUP) stop a training after the batch that is"
          + " at work, or after the steps of one call, with a checkpoint: also in the midst of a"
          + " step of several batches, or of an evaluation. A second signal ends it at once.",
      "Exit codes: 0 done; 1 failed; 2 wrong usage; 3 the run folder has a run that is not over: one"
          + " that was stopped, or that another process trains; 130, 143 and 129 stopped by Ctrl-C,"
          + " SIGTERM and SIGHUP."
    },
    mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer>, SettingsCheck {
  private static final Set<String> GO_WITH_RESUME =
      Set.of("--resume", "--stop-after", "--json", "--stacktrace");

  private static final List<String> USUAL_DATA = List.of("train.tsv", "train.jsonl", "train.csv");

  @Mixin private OptionalModelArgument model;
  @Mixin private TrainingOptions options;
  @Mixin private EmbeddingTrainingOptions embeddingTraining;
  @Mixin private EmbeddingOptions embeddingOptions;
  @Mixin private DataOptions dataOptions;
  @Mixin private HeldOutOptions heldOutOptions;
  @Mixin private DataFiles dataFiles;
  @Mixin private ColumnOptions columns;
  @Mixin private OutputNameOption outputName;
  @Mixin private ThreadsOption threads;
  @Mixin private DeviceOptions deviceOptions;
  @Mixin private ResultOutput output;
  @Spec private CommandSpec spec;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description =
          "Labelled examples: .tsv, .csv, .jsonl or .conll; of a task without labels also .txt, a"
              + " text in each line; also packed (.gz, .zst). Several: the option again, or a pattern, as"
              + " 'data/*.tsv.gz'; '-' is standard input.")
  private @Nullable List<String> data;

  @Option(
      names = "--steps-per-call",
      paramLabel = "N",
      description =
          "Steps (with --accumulate: batches) that the graph engine runs in one call, between which"
              + " nothing is copied from or to the device (default: 1 on a CPU, 8 on a GPU).")
  private @Nullable Integer stepsPerCall;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "YAML with options by their names; the command line wins.")
  @SuppressWarnings("UnusedVariable") // read before the options are: ConfigFile
  private @Nullable Path config;

  @Option(
      names = {"-o", "--output-dir"},
      paramLabel = "RUN",
      description = "The run folder to write (default: run).")
  private @Nullable Path run;

  @Option(
      names = "--output",
      paramLabel = "RUN",
      description =
          "The same as -o; but where the model has an output of that name, the same as"
              + " --output-name.")
  private @Nullable String runOrOutputName;

  @Option(
      names = "--resume",
      paramLabel = "RUN",
      description =
          "Go on with a run that was stopped, from its last checkpoint that is whole and with its"
              + " options.")
  private @Nullable Path resume;

  @Option(
      names = "--continue-from",
      paramLabel = "RUN",
      description =
          "Train a finished run further, for --epochs or --steps more, with its options, in another"
              + " run folder (default: RUN-continued).")
  private @Nullable Path continueFrom;

  @Option(
      names = "--stop-after",
      paramLabel = "N",
      description =
          "Stop after step N, with a checkpoint and an evaluation: --resume RUN goes on to the very"
              + " same bytes, and takes --stop-after, too.")
  private @Nullable Long stopAfter;

  @Option(
      names = "--estimate",
      description =
          "Make a few steps, the one of the longest batch among them, print by them the memory and"
              + " the time that the run would take, and end: nothing is written.")
  private boolean estimate;

  @Option(
      names = "--write-model",
      description = "Write the whole model, too, as model.onnx in the run folder.")
  private boolean writeModel;

  @Option(
      names = "--no-report-texts",
      description =
          "Leave the texts of the worst mistakes out of run.json and report.html of the run folder.")
  private boolean noReportTexts;

  @Option(names = "--force", description = "Replace a run folder that exists.")
  private boolean force;

  /** Are told of the training beside those of the command itself. */
  private List<TrainingListener> listeners = List.of();

  void tell(TrainingListener... others) {
    listeners = List.of(others);
  }

  /** The run folder, once it is settled. */
  private Path runFolder() {
    return Objects.requireNonNull(run);
  }

  @Override
  public Integer call() {
    if (stopAfter != null && stopAfter < 1) {
      throw new ParameterException(spec.commandLine(), "--stop-after must be 1 or more");
    }
    if (resume == null && continueFrom != null) {
      requireContinuation();
    }
    if (resume != null) {
      requireNothingElse();
      run = resume;
      requireFiles();
    } else {
      requireHeldOut();
    }
    @Nullable Model adapted = null;
    if (resume == null) {
      adapted = settleOutput();
    }
    if (resume == null && !estimate) {
      RunFolder.recover(runFolder(), output::say);
      RunFolder.checkTarget(runFolder(), force);
    }
    options.hint().ifPresent(hint -> output.say(hint));
    adapted = adapted == null ? model.open(output) : adapted;
    if (estimate) {
      return printEstimate(outputName.choose(adapted));
    }
    Kept kept = new Kept();
    kept.checkpoint = resume != null && RunFolder.hasCheckpoint(resume);
    try (StopRequest stop =
            new StopRequest(
                output,
                listeners.isEmpty()
                    ? "ended before the first step" + howToGoOn(kept.checkpoint)
                    : null);
        ProgressListener progress = new ProgressListener(output, continueFrom != null)) {
      kept.stop = stop;
      TrainingOutput.print(
          train(outputName.choose(adapted), progress, stop, kept), runFolder(), output);
      return 0;
    } catch (TrainingCancelledException e) {
      if (e.isPlanned()) {
        TrainingOutput.printStopped(
            e.step(), kept.evaluation, runFolder(), howToGoOn(true), output);
        return 0;
      }
      output.say(
          "stopped after step %,d%s".formatted(e.step(), howToGoOn(e.runFolder().isPresent())));
      return kept.stop().exitCode();
    } catch (LoraGraphException e) {
      // What could not be written, to a full disk for example, may be the next time.
      throw listeners.isEmpty() && kept.mayGoOn(e) ? withHowToGoOn(e) : e;
    }
  }

  private void requireHeldOut() {
    if (options.evalSplit != null && !heldOutOptions.files().isEmpty()) {
      throw new ParameterException(
          spec.commandLine(),
          "--eval-split holds training data out, and held-out data are given: leave one of the two"
              + " out");
    }
    if (options.evalSplitSeed != null && options.evalSplit == null) {
      throw new ParameterException(
          spec.commandLine(),
          "--eval-split-seed draws what --eval-split holds out, and that is not given: leave it out,"
              + " or hold some out");
    }
    if (options.fitThresholds && options.evalSplit == null && heldOutOptions.files().isEmpty()) {
      throw new ParameterException(
          spec.commandLine(),
          "--fit-thresholds fits to held-out examples, and there are none: give --eval, or"
              + " --eval-split");
    }
    if (options.evalEvery != 0 && options.evalSplit == null && heldOutOptions.files().isEmpty()) {
      throw new ParameterException(
          spec.commandLine(),
          "--eval-every measures on held-out examples: name them with --eval, or hold some out with"
              + " --eval-split");
    }
  }

  @Override
  public void checkSettings() {
    run = Path.of("run");
    requireHeldOut();
    heldOutOptions.data(columns);
    arguments(0).build();
  }

  /**
   * @param classes the number of the model's classes; 0 where it does not name them
   */
  private TrainingArguments.Builder arguments(int classes) {
    TrainingArguments.Builder arguments =
        options
            .arguments(classes)
            .device(deviceOptions.asked())
            .threads(threads.count())
            .tf32(deviceOptions.tf32())
            .deterministic(deviceOptions.deterministic())
            .outputDir(runFolder())
            .overwriteOutputDir(force)
            .writeModel(writeModel)
            .reportTexts(!noReportTexts)
            .resumeFromCheckpoint(resume != null);
    if (stopAfter != null) {
      arguments.stopAfterSteps(stopAfter);
    }
    if (continueFrom != null) {
      arguments.continueFrom(continueFrom);
    }
    embeddingTraining.addTo(arguments);
    arguments.embedding(embeddingOptions.asked());
    dataOptions.maxLength().ifPresent(arguments::maxLength);
    dataOptions.stride().ifPresent(arguments::stride);
    dataOptions.task().ifPresent(arguments::task);
    if (stepsPerCall != null) {
      arguments.stepsPerCall(stepsPerCall);
    }
    return arguments;
  }

  private int printEstimate(Model adapted) {
    RunProgram.Examples examples = examples();
    TrainingOutput.print(
        adapted
            .withNotes(line -> output.say(TrainingWords.of(line)))
            .estimate(
                examples.training(),
                examples.heldOut(),
                arguments(adapted.labels().size()).build()),
        output);
    return 0;
  }

  private TrainingResult train(
      Model adapted, ProgressListener progress, StopRequest stop, Kept kept) {
    TrainingArguments.Builder arguments = arguments(adapted.labels().size());
    Model said = adapted.withNotes(line -> output.say(TrainingWords.of(line)));
    if (data == null) {
      said.checkTrain(arguments.build());
    }
    RunProgram.Examples examples = examples();
    TrainingListener[] all =
        Stream.concat(Stream.of(progress, stop, kept), listeners.stream())
            .toArray(TrainingListener[]::new);
    return examples
        .heldOut()
        .map(set -> said.train(examples.training(), set, arguments.build(), all))
        .orElseGet(() -> said.train(examples.training(), arguments.build(), all));
  }

  /**
   * Refuses options that do not go with a task.
   *
   * @throws LoraGraphException if there are such
   */
  void checkFor(Task task) {
    arguments(0).build().validate(task, !heldOutOptions.files().isEmpty());
  }

  /** What is trained on and what is measured with. */
  RunProgram.Examples examples() {
    return new RunProgram.Examples(
        columns.of(data == null ? Dataset.file(usualData()) : dataFiles.of(data)),
        Optional.ofNullable(heldOutOptions.data(columns)));
  }

  /** Knows whether the run has something that it can be gone on with from. */
  private static final class Kept implements TrainingListener {
    private @Nullable StopRequest stop;
    private boolean training;
    private boolean writing;
    private boolean checkpoint;

    /** The last one; null before it. */
    private @Nullable Evaluation evaluation;

    @Override
    public void onEvaluate(long step, Evaluation measured) {
      evaluation = measured;
    }

    @Override
    public void onTrainBegin(long totalSteps) {
      training = true;
    }

    @Override
    public void onSave(long step) {
      checkpoint = true;
    }

    @Override
    public void onTrainEnd() {
      writing = true;
    }

    StopRequest stop() {
      return Objects.requireNonNull(stop);
    }

    boolean mayGoOn(LoraGraphException e) {
      return checkpoint && (writing || training && e.getCause() instanceof IOException);
    }
  }

  /**
   * The end of a line on a training that has not ended. Who made a command line with listeners
   * knows itself how its training goes on, and says it.
   */
  private String howToGoOn(boolean kept) {
    if (!listeners.isEmpty()) {
      return "";
    }
    return kept ? ": " + resuming() : ": nothing is kept";
  }

  private String resuming() {
    return "go on with it: lora-graph train --resume " + ShellWord.of(runFolder());
  }

  private LoraGraphException withHowToGoOn(LoraGraphException e) {
    return new LoraGraphException(
        "%s; the training is kept in a checkpoint: when that is mended, %s"
            .formatted(AdviceText.message(e), resuming()),
        e);
  }

  /**
   * {@code --output} had one meaning before models had several outputs, and keeps it, too.
   *
   * @return the model, if it had to be read for that
   */
  private @Nullable Model settleOutput() {
    @Nullable Model read = null;
    if (runOrOutputName != null) {
      read = model.open(output);
      if (read.onnx().graph().isOutput(runOrOutputName)) {
        outputName.setIfAbsent(runOrOutputName);
        output.log(
            "--output %s names an output of the model: the run folder is named with -o",
            runOrOutputName);
      } else if (run != null) {
        throw new ParameterException(
            spec.commandLine(), "-o and --output name the run folder both: give one");
      } else {
        run = Path.of(runOrOutputName);
      }
    }
    run = run == null ? usualRun() : run;
    return read;
  }

  /** The run's configuration has whole paths: its files may have been moved since. */
  private void requireFiles() {
    List<Path> files = new ArrayList<>(heldOutOptions.files());
    if (data != null) {
      DataFiles.lines(data).stream().map(Path::of).forEach(files::add);
    }
    for (Path file : files) {
      if (!Files.exists(file)) {
        throw new LoraGraphException(
            "%s, which the run was begun with, is not there: put it back, or write where it is now into %s"
                .formatted(file, runFolder().resolve(RunFolder.CONFIG)));
      }
    }
    if (data == null) {
      throw new LoraGraphException(
          "the run in %s was begun by a program with examples of its own: only that program can go on with it"
              .formatted(run));
    }
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

  private void requireContinuation() {
    if (estimate) {
      throw new ParameterException(
          spec.commandLine(),
          "--estimate is of a run that begins, and --continue-from goes on with one: leave one of"
              + " the two out");
    }
    if (options.epochs == null && options.steps == null) {
      throw new ParameterException(
          spec.commandLine(),
          "--continue-from trains for --epochs or --steps more: give one of the two");
    }
    if (config != null) {
      throw new ParameterException(
          spec.commandLine(), "--continue-from has the options of its run: leave --config out");
    }
  }

  /** Beside the run that is continued, unless it is named. */
  private Path usualRun() {
    Path former = continueFrom;
    return former == null
        ? Path.of("run")
        : former.resolveSibling(former.toAbsolutePath().normalize().getFileName() + "-continued");
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
}
