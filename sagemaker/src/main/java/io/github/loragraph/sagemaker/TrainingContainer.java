package io.github.loragraph.sagemaker;

import io.github.loragraph.Model;
import io.github.loragraph.RunReport;
import io.github.loragraph.StepMetrics;
import io.github.loragraph.TrainingListener;
import io.github.loragraph.cli.Failures;
import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.cli.Signals;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.experiment.JavaCommand;
import io.github.loragraph.experiment.ModelNeeds;
import io.github.loragraph.experiment.RunPlace;
import io.github.loragraph.experiment.RunProgram;
import io.github.loragraph.experiment.RunSettings;
import io.github.loragraph.experiment.SettingsLayer;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.Checksum;
import io.github.loragraph.file.FileStamps;
import io.github.loragraph.file.ProcessEnd;
import io.github.loragraph.file.ProcessLock;
import io.github.loragraph.file.TemporaryFolder;
import io.github.loragraph.trainer.RunFolder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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

  private static final String NAME = "training";

  /** In the work folder: what an archive had in it. */
  private static final String UNPACKED = "given";

  private static final String HEAD = "head";
  private static final String DATA = "data";
  private static final String EVAL = "eval";
  private static final String MODEL = "model";
  private static final String METHOD = "method";
  private static final String ENGINE = "engine";

  /** Of what is held out, when it is no list of examples. */
  private static final Set<String> SEARCH_HELD_OUT =
      Set.of("eval-corpus", "eval-queries", "eval-qrels");

  private static final Set<String> HELD_OUT =
      Stream.concat(SEARCH_HELD_OUT.stream(), Stream.of(EVAL, "eval-split"))
          .collect(Collectors.toSet());

  private final ContainerFolders container;
  private final PrintWriter out;
  private final PrintWriter err;
  private final FailureLine errors;

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
    RunPlace place = orFail(() -> new RunPlace(program(), requireOwn(workFolder())));
    // Where another container is at work, the file for failures is that one's.
    ProcessLock lock = place.lock();
    Runnable cleanUp =
        () -> {
          ending = true;
          deleteQuietly(workFolder());
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
      deleteQuietly(workFolder());
      lock.close();
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
    byte[] text =
        shown(what)
            .substring(0, Math.min(shown(what).length(), LONGEST_FAILURE))
            .getBytes(StandardCharsets.UTF_8);
    try {
      Files.createDirectories(AtomicFile.folderOf(container.failure()));
      Files.write(container.failure(), text);
    } catch (IOException e) {
      say("%s cannot be written: %s".formatted(container.failure(), AtomicFile.reason(e)));
    }
  }

  /** Of what lies in the work folder, which goes with the job, the name that the job knows. */
  private String shown(String what) {
    String work = Pattern.quote(workFolder().toString());
    return what.replaceAll(work + "/" + UNPACKED, Matcher.quoteReplacement(given))
        .replaceAll(work + "/models/[^/\\s]+/model\\.onnx", Matcher.quoteReplacement(given));
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
    // What cannot be written at the end is better known before a training of hours.
    requireWritable(container.model());
    requireWritable(container.outputData());
    CheckpointMirror.requireWritable(container.checkpoints());
    HyperParameters asked = HyperParameters.read(container.hyperParameters());
    if (!asked.ignored().isEmpty()) {
      say("of the platform, and nothing to a training: " + String.join(", ", asked.ignored()));
    }
    if (!asked.unset().isEmpty()) {
      say("null, so not set: " + String.join(", ", asked.unset()));
    }
    clear(workFolder());
    RunSettings settings = settings(asked, workFolder(), this::say);
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
    Path work = workFolder();
    RunSettings settings =
        settings(HyperParameters.read(container.hyperParameters()), work, said -> {});
    new ModelNeeds(program()).require(container.hyperParameters().toString(), settings);
    for (List<String> preparation : new RunPlace(program(), work).preparations(settings)) {
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
      write(run);
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

  private int execute(List<String> arguments, TrainingListener... listeners) {
    CommandLine commandLine = LoraGraph.commandLine(listeners);
    commandLine.setOut(out);
    commandLine.setErr(err);
    say(program().typed(arguments));
    return LoraGraph.execute(commandLine, arguments.toArray(String[]::new));
  }

  private static void requireWritable(Path folder) {
    try {
      Files.createDirectories(folder);
      Files.delete(Files.createTempFile(folder, ".lora-", ".part"));
    } catch (IOException e) {
      throw ContentFile.cannotWrite(folder, e);
    }
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

  /** What the hyperparameters and the channels ask for, checked. */
  private RunSettings settings(HyperParameters asked, Path work, Consumer<String> notes) {
    Channels channels = Channels.read(container);
    String file = container.hyperParameters().toString();
    SettingsLayer.of(program(), file, "", asked.unsetNames());
    Map<String, Object> settings = new LinkedHashMap<>(asked.settings());
    if (settings.containsKey(MODEL)) {
      channels
          .folder(PlatformNames.MODEL)
          .filter(folder -> !named(settings.get(MODEL)).startsWith(folder))
          .ifPresent(
              folder ->
                  notes.accept(
                      "channel 'model' is not used: the hyperparameter 'model' names "
                          + settings.get(MODEL)));
    } else {
      settings.put(
          MODEL,
          channels
              .model(work.resolve(UNPACKED), notes)
              .map(Path::toString)
              .orElseThrow(
                  () ->
                      new LoraGraphException(
                          "the job has no model: add a channel 'model' with one, or name a bundled"
                              + " one in the hyperparameter 'model'")));
    }
    if ("none".equals(String.valueOf(settings.get(METHOD)))) {
      throw new LoraGraphException(
          "%s: %s: none trains nothing: a job is a training".formatted(file, METHOD));
    }
    putFiles(settings, DATA, channels, PlatformNames.TRAIN, notes);
    if (SEARCH_HELD_OUT.stream().noneMatch(settings::containsKey)) {
      putFiles(settings, EVAL, channels, PlatformNames.VALIDATION, notes);
    }
    if (settings.putIfAbsent(ENGINE, EngineKind.GRAPH.toString()) == null) {
      notes.accept(
          "engine: graph: which one is faster is not measured, so that a job ends with the same bytes wherever it is interrupted");
    }
    if (!settings.containsKey(DATA)) {
      throw new LoraGraphException(
          "the job has no data: add a channel 'train' with the files to train on");
    }
    given =
        asked.settings().containsKey(MODEL)
            ? "" + settings.get(MODEL)
            : channels.folder(PlatformNames.MODEL).map(Path::toString).orElse(given);
    RunSettings read = read(file, settings, asked.seed());
    if (!read.passedOver().isEmpty()) {
      notes.accept(
          "%s: a run of method %s puts no adapters on and has no use for: %s"
              .formatted(file, settings.get(METHOD), String.join(", ", read.passedOver())));
    }
    // The article's jobs name layers and a rate alone: its program puts a head on by itself.
    if (asked.ofArticle() && !settings.containsKey(HEAD) && ModelNeeds.lacksHead(read)) {
      notes.accept("the model has no head: one for the labels of the data is put on");
      settings.put(HEAD, Map.of());
      read = read(file, settings, asked.seed());
    }
    channels.sayUnused(read, notes);
    channels.sayOtherModels(read.source().modelFile(), work.resolve(UNPACKED), notes);
    if (HELD_OUT.stream().noneMatch(settings::containsKey)) {
      notes.accept(
          "nothing is held out, so that the model is not measured: add a channel 'validation', or set eval-split");
    }
    return read;
  }

  private Path named(@Nullable Object file) {
    return container.data().resolve("" + file).normalize();
  }

  private static void putFiles(
      Map<String, Object> settings,
      String name,
      Channels channels,
      String channel,
      Consumer<String> notes) {
    if (!settings.containsKey(name)) {
      List<String> files = channels.dataFiles(channel, notes);
      if (!files.isEmpty()) {
        settings.put(name, files);
      }
    }
  }

  private RunSettings read(String file, Map<String, Object> settings, long seed) {
    return RunSettings.of(program(), file, container.data(), NAME, seed, layers(file, settings));
  }

  private List<SettingsLayer> layers(String file, Map<String, Object> settings) {
    return List.of(SettingsLayer.of(program(), file, "", settings));
  }

  /**
   * Where models are prepared and the run is made: in the folder for temporary files, since the
   * platform copies its own folders while they are written to. The same for each container of a
   * job: a run that is gone on with finds its model where it was.
   */
  Path workFolder() {
    String hash =
        new Checksum.Builder()
            .add(realBase().toString().getBytes(StandardCharsets.UTF_8))
            .build()
            .substring(0, 10);
    return Path.of(System.getProperty("java.io.tmpdir"), "lora-graph-training-" + hash);
  }

  /** One folder is one, whatever links lead to it. */
  private Path realBase() {
    try {
      return container.base().toRealPath();
    } catch (IOException e) {
      return container.base();
    }
  }

  /**
   * Refuses a work folder that somebody else has put there: what lies in it is trained with, and
   * deleted.
   *
   * @return the folder, which is there
   */
  private static Path requireOwn(Path work) {
    try {
      Files.createDirectories(AtomicFile.folderOf(work));
      if (!Files.isSymbolicLink(work)) {
        Files.createDirectories(work);
        Path own = Files.createTempFile(work, ".own-", "");
        UserPrincipal user = Files.getOwner(own);
        Files.delete(own);
        if (Files.getOwner(work, LinkOption.NOFOLLOW_LINKS).equals(user)) {
          return work;
        }
      }
    } catch (IOException e) {
      throw ContentFile.cannotWrite(work, e);
    }
    throw new LoraGraphException(
        "%s is a link, or another user's: delete it, or name another folder for temporary files with JDK_JAVA_OPTIONS=-Djava.io.tmpdir=FOLDER"
            .formatted(work));
  }

  /** What a container that was killed has left: only what the platform keeps is gone on with. */
  private static void clear(Path work) {
    try {
      for (Path path : FolderFiles.in(work)) {
        if (!path.getFileName().toString().startsWith(".")) {
          TemporaryFolder.delete(path);
        }
      }
    } catch (IOException e) {
      throw ContentFile.cannotWrite(work, e);
    }
  }

  private static void deleteQuietly(Path folder) {
    try {
      TemporaryFolder.delete(folder);
    } catch (IOException e) {
      // It goes with the container.
    }
  }

  /** The model flat, and all else that the run leaves. */
  private void write(Path run) {
    Model trained = Model.open(run).withNotes(this::say);
    Path folder = container.model();
    Set<String> others;
    try {
      Files.createDirectories(folder);
      Model whole = trained.hasAdapters() ? trained.merge() : trained;
      Map<String, FileStamps> before = new TreeMap<>();
      for (Path file : FolderFiles.in(folder)) {
        before.put(file.getFileName().toString(), FileStamps.of(List.of(file)));
      }
      whole.save(folder, true);
      before.remove(RunFolder.ADAPTER);
      before.values().removeIf(stamps -> !stamps.areUnchanged());
      if (!before.isEmpty()) {
        say(
            "in %s was before, and stays: %s"
                .formatted(folder, String.join(", ", before.keySet())));
      }
      others = before.keySet();
      Path adapter = run.resolve(RunFolder.ADAPTER);
      Path copied = folder.resolve(RunFolder.ADAPTER);
      if (Files.exists(copied)) {
        say("%s was there already: it is replaced".formatted(copied));
        TemporaryFolder.delete(copied);
      }
      if (Files.isDirectory(adapter)) {
        copy(adapter, copied);
      }
    } catch (IOException e) {
      throw ContentFile.cannotWrite(folder, e);
    }
    try {
      copyOutputs(run, container.outputData(), others);
    } catch (IOException e) {
      throw ContentFile.cannotWrite(container.outputData(), e);
    }
    say("written: %s, %s".formatted(folder, container.outputData()));
  }

  /**
   * What was written beside the model is not there twice.
   *
   * @param others what else lies there
   */
  private void copyOutputs(Path run, Path target, Set<String> others) throws IOException {
    Files.createDirectories(target);
    for (Path file : FolderFiles.in(run)) {
      String name = file.getFileName().toString();
      if (Files.isRegularFile(file)
          && !name.startsWith(".")
          && (others.contains(name) || !Files.exists(container.model().resolve(name)))) {
        Files.copy(file, target.resolve(name), StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    for (Path file : FolderFiles.below(from)) {
      Path target = to.resolve(from.relativize(file).toString());
      Files.createDirectories(AtomicFile.folderOf(target));
      Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
    }
  }
}
