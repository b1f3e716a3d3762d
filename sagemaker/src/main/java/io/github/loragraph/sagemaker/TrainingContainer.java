package io.github.loragraph.sagemaker;

import io.github.loragraph.RunReport;
import io.github.loragraph.StepMetrics;
import io.github.loragraph.TrainingListener;
import io.github.loragraph.cli.Failures;
import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.cli.Signals;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.experiment.JavaCommand;
import io.github.loragraph.experiment.ModelNeeds;
import io.github.loragraph.experiment.RunPlace;
import io.github.loragraph.experiment.RunProgram;
import io.github.loragraph.experiment.RunSettings;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.Checksum;
import io.github.loragraph.file.ProcessEnd;
import io.github.loragraph.file.ProcessLock;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * A training as a job of Amazon SageMaker, in the folders of <a
 * href="https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html">the
 * platform's contract</a>: {@code input/config/*.json} and {@code input/data/CHANNEL} are read,
 * {@code model}, {@code output/data} and {@code output/failure} written, and the training goes on
 * from {@code checkpoints} where it was interrupted. It is the training that the same settings make
 * anywhere else by the same engine, to the last byte of its model.
 *
 * <p>Long because one job is one chain, from what the platform gives to what it takes.
 */
public final class TrainingContainer {
  /** What the platform reads of a failure. */
  private static final int LONGEST_FAILURE = 1024;

  /** Exit codes of what a signal ends are above it, by the number of the signal. */
  private static final int SIGNALS = 128;

  private final ContainerFolders container;
  private final PrintWriter out;
  private final PrintWriter err;
  private final FailureLine errors;
  private final WorkFolder work;
  private final JobOutputs outputs;

  /** How far the job is, for what a signal does: it comes in a thread of its own. */
  private volatile Phase phase = Phase.PREPARING;

  /** Since when a signal is held; 0 before. Of the thread of signals. */
  private long held;

  /** The process is being ended by its thread of signals: what fails by that is no failure. */
  private volatile boolean ending;

  /** The model as it was given, for messages. */
  private String given = "the model";

  /** Found when it is needed: what hinders that is a failure of the job as any other. */
  private @Nullable RunProgram program;

  private enum Phase {
    PREPARING,
    TRAINING,
    /** The last step was made: it is measured with, and written. */
    DONE
  }

  /**
   * @param base the folder of all others, {@code /opt/ml} on the platform
   * @param out takes the metrics and the results of commands; stays open
   * @param err takes what is said meanwhile, and failures; stays open
   */
  public TrainingContainer(Path base, PrintWriter out, PrintWriter err) {
    this(new ContainerFolders(base), out, err);
  }

  TrainingContainer(ContainerFolders container, PrintWriter out, PrintWriter err) {
    this.container = container;
    this.out = out;
    this.errors = new FailureLine(err);
    this.err = new PrintWriter(errors, true);
    this.work = WorkFolder.of(container);
    this.outputs = new JobOutputs(container, this::say);
  }

  /**
   * Trains. What fails is in {@code output/failure}, too.
   *
   * @return 0 when all is done, 143 where SIGTERM has stopped it (130 and 129: Ctrl-C, SIGHUP),
   *     else 1; the line that says why has been printed
   * @throws LoraGraphException if something that is given is not possible, or something cannot be
   *     read or written
   */
  public int run() {
    requireContainer();
    Signals.firstTakenBy(this::isHeld);
    RunPlace place = orFail(() -> new RunPlace(program(), work.requireOwn()));
    // Where another container is at work, the file for failures is that one's.
    ProcessLock lock = place.lock();
    Runnable cleanUp =
        () -> {
          ending = true;
          work.delete();
        };
    ProcessEnd.add(cleanUp);
    try {
      int code = orFail(() -> train(place));
      if (code == 0 && out.checkError()) {
        fail("the model is written, but standard output is lost, and the metrics with it");
        say("standard output is lost, and the metrics with it");
        return CommandLine.ExitCode.SOFTWARE;
      }
      if (code == 0 || isStop(code)) {
        return code;
      }
      fail(errors.text());
      return CommandLine.ExitCode.SOFTWARE;
    } finally {
      awaitEnd();
      ProcessEnd.remove(cleanUp);
      work.delete();
      lock.close();
      Signals.firstTakenBy(signal -> false);
    }
  }

  /** Who ends the process tidies up for it: this thread has nothing more to do. */
  private void awaitEnd() {
    while (ending) {
      LockSupport.park(this);
    }
  }

  /** Nothing is written where no job was meant to be. */
  private void requireContainer() {
    Path config = AtomicFile.folderOf(container.hyperParameters());
    if (!Files.isDirectory(config)) {
      throw new LoraGraphException(
          "there is no folder %s: this command is for the container of a job; to try one, make the folders of docs/sagemaker.md, and name the one they are in by SAGEMAKER_BASE_DIR"
              .formatted(config));
    }
  }

  /**
   * A model that is trained is written, in the time that is left for it; a second wish to end is
   * heard.
   */
  private boolean isHeld(int signal) {
    if (phase == Phase.TRAINING) {
      return false;
    }
    if (phase == Phase.DONE) {
      if (held == 0) {
        held = System.nanoTime();
        say("the last step was made: ending when the model is written; once more to end at once");
        return true;
      }
      if (System.nanoTime() - held < Signals.SAME_NANOS) {
        return true;
      }
    } else {
      say("ended before the training began, or went on");
    }
    ending = true;
    return false;
  }

  private RunProgram program() {
    RunProgram found = program;
    if (found == null) {
      found = RunProgram.ofThisProcess();
      program = found;
    }
    return found;
  }

  private <T> T orFail(Supplier<T> step) {
    try {
      return step.get();
    } catch (RuntimeException | Error e) {
      awaitEnd();
      fail(Failures.inOneLine(e));
      throw e;
    }
  }

  private static boolean isStop(int code) {
    return code > SIGNALS;
  }

  private void fail(String what) {
    String line = work.shown(what, given);
    byte[] text =
        line.substring(0, Math.min(line.length(), LONGEST_FAILURE))
            .getBytes(StandardCharsets.UTF_8);
    try {
      Files.createDirectories(AtomicFile.folderOf(container.failure()));
      Files.write(container.failure(), text);
    } catch (IOException e) {
      say("%s cannot be written: %s".formatted(container.failure(), AtomicFile.reason(e)));
    }
  }

  /** Where the run is made. */
  Path workFolder() {
    return work.path();
  }

  private void say(String line) {
    err.println(PlainText.line(line));
  }

  private int train(RunPlace place) {
    try {
      Files.deleteIfExists(container.failure());
    } catch (IOException e) {
      throw ContentFile.cannotWrite(container.failure(), e);
    }
    requireOneHost();
    outputs.requireWritable();
    CheckpointMirror.requireWritable(container.checkpoints());
    HyperParameters asked = HyperParameters.read(container.hyperParameters());
    if (!asked.ignored().isEmpty()) {
      say("of the platform, and nothing to a training: " + String.join(", ", asked.ignored()));
    }
    if (!asked.unset().isEmpty()) {
      say("null, so not set: " + String.join(", ", asked.unset()));
    }
    work.clear();
    RunSettings settings = settings(asked, this::say);
    int code = prepareApart();
    return code == 0 ? train(place, settings, new MetricLines(out, asked.ofArticle())) : code;
  }

  /**
   * Checks what a job asks for, and prepares its model, for a process that trains.
   *
   * @return 0, or what the command that failed has returned
   * @throws LoraGraphException if something is not possible
   */
  int prepare() {
    RunSettings settings = settings(HyperParameters.read(container.hyperParameters()), said -> {});
    new ModelNeeds(program()).require(container.hyperParameters().toString(), settings);
    for (List<String> preparation : new RunPlace(program(), work.path()).preparations(settings)) {
      int code = execute(preparation);
      if (code != 0) {
        return code;
      }
    }
    return 0;
  }

  /**
   * Prepares in a process of its own: a process can load one build of ONNX Runtime, and which one
   * the training wants is settled when it begins.
   */
  private int prepareApart() {
    ProcessBuilder builder =
        new ProcessBuilder(
            JavaCommand.of(program().main(), List.of("sagemaker", "train", TrainCommand.PREPARE)));
    container.nameIn(builder.environment());
    try {
      Process process = builder.start();
      Runnable end = process.toHandle()::destroyForcibly;
      ProcessEnd.add(end);
      try {
        process.getOutputStream().close();
        CompletableFuture<Void> said =
            CompletableFuture.runAsync(
                () -> copy(process.errorReader(StandardCharsets.UTF_8), err));
        copy(process.inputReader(StandardCharsets.UTF_8), out);
        said.join();
        int code = process.waitFor();
        if (isStop(code)) {
          throw new LoraGraphException(
              "the process that prepares the model was ended by signal %d: was there too little memory?"
                  .formatted(code - SIGNALS));
        }
        if (code != 0 && errors.text().isEmpty()) {
          throw new LoraGraphException(
              "the process that prepares the model ended with exit code %d: %s"
                  .formatted(code, errors.lastLine()));
        }
        return code;
      } finally {
        ProcessEnd.remove(end);
        process.destroyForcibly();
      }
    } catch (IOException e) {
      throw new LoraGraphException(
          "a process that prepares the model cannot be started: " + AtomicFile.reason(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LoraGraphException("interrupted while the model was prepared", e);
    }
  }

  private static void copy(BufferedReader from, PrintWriter to) {
    from.lines().forEach(to::println);
  }

  private int train(RunPlace place, RunSettings settings, MetricLines metrics) {
    String configuration = Checksum.of(place.writeSettings(settings));
    Path run = place.run(settings);
    List<TrainingListener> listeners = new ArrayList<>(List.of(metrics, new Progress()));
    CheckpointMirror mirror =
        new CheckpointMirror(container.checkpoints(), configuration, run, this::say);
    if (Files.isDirectory(container.checkpoints())) {
      mirror.restore();
      listeners.add(mirror);
    } else {
      say(
          "there is no %s: a training that is interrupted begins anew"
              .formatted(container.checkpoints()));
    }
    int code = execute(place.training(settings), listeners.toArray(TrainingListener[]::new));
    if (isStop(code)) {
      say(
          mirror.keepsSome()
              ? "the training goes on from %s when the job is started again"
                  .formatted(container.checkpoints())
              : "nothing of the training is kept");
    }
    if (code == 0) {
      metrics.end(RunReport.of(run).metrics(), this::say);
      outputs.write(run);
    }
    return code;
  }

  private final class Progress implements TrainingListener {
    private long last;

    @Override
    public void onTrainBegin(long totalSteps) {
      last = totalSteps;
      phase = Phase.TRAINING;
    }

    @Override
    public void onStepEnd(StepMetrics step) {
      if (step.step() == last) {
        phase = Phase.DONE;
      }
    }

    @Override
    public void onTrainEnd() {
      phase = Phase.DONE;
    }
  }

  private RunSettings settings(HyperParameters asked, Consumer<String> notes) {
    JobSettings settings = new JobSettings(program(), container, work.unpacked(), notes);
    try {
      return settings.read(asked);
    } finally {
      given = settings.model();
    }
  }

  private int execute(List<String> arguments, TrainingListener... listeners) {
    CommandLine commandLine = LoraGraph.commandLine(listeners);
    commandLine.setOut(out);
    commandLine.setErr(err);
    say(program().typed(arguments));
    return LoraGraph.execute(commandLine, arguments.toArray(String[]::new));
  }

  private void requireOneHost() {
    JsonFile.read(container.resourceConfig())
        .map(object -> object.path("hosts"))
        .map(hosts -> hosts.isArray() ? hosts.size() : hosts.isMissingNode() ? 1 : 0)
        .filter(hosts -> hosts != 1)
        .ifPresent(
            hosts -> {
              throw new LoraGraphException(
                  "%s: the job has %d hosts, and a training has one: set InstanceCount to 1"
                      .formatted(container.resourceConfig(), hosts));
            });
  }
}
