package io.github.loragraph;

import io.github.loragraph.adapter.PeftAdapter;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.error.Counted;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.TemporaryFolder;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.AdapterFolder;
import io.github.loragraph.models.AdapterOnModel;
import io.github.loragraph.models.EmbeddingConfig;
import io.github.loragraph.models.FormerRecipes;
import io.github.loragraph.models.ModelConfig;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.models.ModelNotes;
import io.github.loragraph.models.RunConfiguration;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.Device;
import io.github.loragraph.ort.DeviceChoice;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.report.ReportPage;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.task.Report;
import io.github.loragraph.task.Tasks;
import io.github.loragraph.trainer.ContinuedRun;
import io.github.loragraph.trainer.PrefixCache;
import io.github.loragraph.trainer.RunEstimate;
import io.github.loragraph.trainer.RunFolder;
import io.github.loragraph.trainer.RunRecorder;
import io.github.loragraph.trainer.StoppedRun;
import io.github.loragraph.trainer.TensorBoardFile;
import io.github.loragraph.trainer.TrainerSettings;
import io.github.loragraph.trainer.TrainingJob;
import io.github.loragraph.trainer.TrainingStopped;
import io.github.loragraph.training.BasePrecision;
import io.github.loragraph.training.Optimization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One training by the front door: from model, data and arguments to a trained model. Long because
 * it is one course, of which each step needs what came before.
 */
final class Training {
  /** What is copied for a step is then small beside what it computes. */
  private static final int STEPS_PER_CALL_ON_GPU = 8;

  /** In the run folder while the run goes on. */
  private static final String STATES = ".prefix.states";

  private final Model model;
  private final Dataset training;
  private final Optional<Dataset> heldOut;
  private final TrainingArguments arguments;
  private final List<TrainingListener> listeners;
  private final TrainingInputs inputs;
  private final TrainingNotes notes;

  private final long begin = System.nanoTime();

  /** Null where nothing is written. */
  private final @Nullable Path run;

  Training(
      Model model,
      Dataset training,
      Optional<Dataset> heldOut,
      TrainingArguments arguments,
      List<TrainingListener> listeners) {
    this(
        model,
        training,
        heldOut,
        arguments,
        listeners,
        Objects.requireNonNull(arguments, "arguments").outputDir().orElse(null));
  }

  private Training(
      Model model,
      Dataset training,
      Optional<Dataset> heldOut,
      TrainingArguments arguments,
      List<TrainingListener> listeners,
      @Nullable Path run) {
    this.model = model;
    this.training = Objects.requireNonNull(training, "training");
    this.heldOut = heldOut;
    this.arguments = Objects.requireNonNull(arguments, "arguments");
    this.listeners = List.copyOf(listeners);
    this.notes = new TrainingNotes(model, this.listeners);
    this.run = run;
    this.inputs = new TrainingInputs(model, training, heldOut);
  }

  TrainingResult run() {
    Objects.requireNonNull(arguments, "arguments");
    arguments.requireMeasured(heldOut.isPresent());
    if (arguments.continueFrom().isPresent() && arguments.isFewShot()) {
      throw new LoraGraphException(
          "few-shot training has an end, where its head is fitted: it is not continued, but done again with more pairs");
    }
    if (arguments.writesTensorBoard() && run == null) {
      throw new LoraGraphException("event files for TensorBoard need a run folder: name one");
    }
    if (arguments.isToBeStopped() && run == null) {
      throw new LoraGraphException(
          "a training that is to be stopped, and gone on with, needs a run folder: name one");
    }
    if (arguments.resumesFromCheckpoint()) {
      if (run == null) {
        throw new LoraGraphException(
            "no run folder to go on in: name the folder of the training that was stopped");
      }
      try (StoppedRun stopped = StoppedRun.open(run, notes)) {
        return run(stopped, this::trained);
      }
    }
    if (run != null) {
      RunFolder.recover(run, notes);
      RunFolder.checkTarget(run, arguments.overwritesOutputDir());
      inputs.refuseToReplace(run);
    }
    return run(null, this::trained);
  }

  /** Makes a few steps, and tells by them what a training would take; nothing is written. */
  static TrainingEstimate estimate(
      Model model,
      Dataset training,
      Optional<Dataset> heldOut,
      TrainingArguments arguments,
      List<TrainingListener> listeners) {
    arguments.requireMeasured(heldOut.isPresent());
    if (arguments.continueFrom().isPresent() || arguments.resumesFromCheckpoint()) {
      throw new LoraGraphException(
          "what is estimated is a training that begins, and this one goes on with another");
    }
    RunEstimate estimate =
        new Training(model, training, heldOut, arguments, listeners, null)
            .run(null, ready -> ready.job().estimate(List.of(ready.bridge())));
    return new TrainingEstimate(
        estimate.peakBytes(),
        estimate.seconds(),
        estimate.steps(),
        estimate.secondsPerStep(),
        estimate.evaluations(),
        estimate.secondsPerEvaluation(),
        estimate.microBatch().toString(),
        estimate.memory().chosen());
  }

  /**
   * @param stopped the run to go on with; null to begin one
   */
  private <R> R run(@Nullable StoppedRun stopped, Course<R> course) {
    if (arguments.cachePrefix().isEmpty()) {
      return run(stopped, null, course);
    }
    if (run == null) {
      try (TemporaryFolder folder = TemporaryFolder.create("lora-graph-states-")) {
        return run(stopped, folder.path().resolve(STATES), course);
      }
    }
    Path states = run.resolve(STATES);
    try {
      return run(stopped, states, course);
    } finally {
      try {
        Files.deleteIfExists(states);
      } catch (IOException e) {
        notes.accept("%s is left behind: %s".formatted(states, AtomicFile.reason(e)));
      }
    }
  }

  private PrefixCache cache(Path states) {
    return new PrefixCache(
        states, arguments.cachePrefix().orElseThrow() == TrainingArguments.Precision.FP16);
  }

  /**
   * @param stopped the run to go on with; null to begin one
   * @param states the file for what frozen layers make of examples; null where that is not kept
   */
  private <R> R run(@Nullable StoppedRun stopped, @Nullable Path states, Course<R> course) {
    Checkpoint start = stopped == null ? null : stopped.start().orElse(null);
    long before = start == null ? 0 : start.step();
    // Which engine went before is in the checkpoint: the other one's last digits may differ.
    EngineKind engine =
        start == null
            ? arguments.engineKind()
            : TrainingJob.engineOf(start).orElse(arguments.engineKind());
    InferenceArguments inference = arguments.inference();
    DeviceChoice device = inference.choose(engine);
    OnnxModel onnx = model.graph();
    TrainableSelection selection = arguments.selection();
    Set<String> trainable = trainable(onnx, shapes(engine, device.device()));
    TrainingCancelledException.ifInterrupted(before, stopped == null ? null : run);
    try (ListenerBridge bridge = new ListenerBridge(listeners, notes, run != null);
        ModelData data = open(model, inference, notes, shapes(engine, device.device()))) {
      Optional<String> otherOrder = otherOrder(data, stopped == null);
      Lesson lesson = lesson(data, shapes(engine, device.device()));
      Set<String> trained = LoraGraphException.in(model.shown(), () -> lesson.trained(trainable));
      Optimization optimization = arguments.optimization();
      @Nullable ContinuedRun continued =
          arguments
              .continueFrom()
              .map(ContinuedRun::read)
              .map(former -> former.of(onnx, trained, notes))
              .orElse(null);
      TrainerSettings settings =
          arguments.settings().toBuilder()
              .keepsState(arguments.keepsState())
              .continued(
                  continued == null
                      ? ContinuedRun.Position.START
                      : continued.position(otherOrder.isEmpty()))
              .build();
      OrtRuntime runtime =
          TrainingJob.runtime(
              engine, device.device(), optimization.precision(), settings, lesson.size());
      if (optimization.base() != BasePrecision.FP32 && device.device().isGpu()) {
        throw new LoraGraphException(
            "a base in 8 bits is for the CPU: ONNX Runtime has no such products on a GPU");
      }
      if (optimization.base() != BasePrecision.FP32) {
        notes.accept(
            "frozen layers compute in 8 bits while training (base %s); evaluations and the model that is written are in single precision"
                .formatted(optimization.base()));
      }
      if (optimization.moments().areCodes() && device.device().isGpu()) {
        throw new LoraGraphException(
            "%s is for the CPU: on a GPU moments are in single precision"
                .formatted(optimization.moments()));
      }
      settings.memory().requirePossible(device.device());
      Sessions sessions = inference.sessions(runtime, device.device());
      TrainingJob job =
          lesson
              .job(sessions)
              .trainable(trained)
              .optimization(optimization)
              .settings(settings)
              .engine(engine)
              .sessions(sessions)
              .batchesPerCall(stepsPerCall(device.device()))
              .prefixCache(states == null ? null : cache(states))
              .build();
      // Before anything is said of it: what differs from the run that it goes on with is refused.
      Map<String, Object> configuration =
          run == null ? Map.of() : configuration(run, job, data, stopped);
      notes.accept(
          "training %s of %s on %s, %s"
              .formatted(
                  Counted.of(trained.size(), "tensor", "tensors"),
                  model.shown(),
                  Counted.of(lesson.size(), "example", "examples"),
                  Counted.of(inference.threads(), "thread", "threads")));
      ModelNotes.ofSelection(onnx, selection).forEach(notes);
      lesson.remarks().forEach(notes);
      if (arguments.asksForBest() && !arguments.evaluatesOnTheWay()) {
        notes.accept("there is one evaluation, at the end: nothing to choose the best of");
      }
      if (continued != null && start == null) {
        notes.accept(after(continued, otherOrder));
      }
      if (start != null) {
        notes.accept("going on after step %,d".formatted(before));
        bridge.goesOnAfter(before);
      }
      if (!device.reason().isEmpty()) {
        notes.accept(device.toString());
      }
      bridge.measures(
          report ->
              Evaluation.of(
                  Task.of(data.task()),
                  report,
                  data.labels().names(),
                  List.of(),
                  lesson.truncatedEval(),
                  data.maxLength()));
      TrainingCancelledException.ifInterrupted(before, stopped == null ? null : run);
      return course.take(
          new Ready(
              job,
              data,
              lesson,
              bridge,
              sessions,
              device.device(),
              start == null && continued != null ? continued.state() : start,
              stopped,
              configuration));
    } catch (TrainingStopped e) {
      throw new TrainingCancelledException(e.step(), run, e);
    }
  }

  /** What is done with a training when all is there. */
  @FunctionalInterface
  private interface Course<R> {
    R take(Ready ready);
  }

  /**
   * A training of which all is there.
   *
   * @param start what it goes on from; null where it begins
   * @param stopped the run that it goes on with; null where it begins one
   * @param configuration of its run folder; empty where it has none
   */
  private record Ready(
      TrainingJob job,
      ModelData data,
      Lesson lesson,
      ListenerBridge bridge,
      Sessions sessions,
      Device device,
      @Nullable Checkpoint start,
      @Nullable StoppedRun stopped,
      Map<String, Object> configuration) {}

  private TrainingResult trained(Ready ready) {
    TrainingJob job = ready.job();
    ModelData data = ready.data();
    Lesson lesson = ready.lesson();
    ListenerBridge bridge = ready.bridge();
    Sessions sessions = ready.sessions();
    @Nullable StoppedRun stopped = ready.stopped();
    Optional<ModelConfig> config = configNamingTask(data);
    Comparison comparison = Comparison.before(lesson, data, arguments, sessions, bridge);
    TrainingJob.Result result =
        run == null
            ? completed(
                job.run(List.of(bridge), ready.start()),
                lesson,
                comparison,
                sessions,
                List.of(bridge))
            : inFolder(
                run,
                job,
                lesson,
                ready.start(),
                stopped,
                ready.configuration(),
                config,
                bridge,
                comparison,
                data);
    if (run == null) {
      bridge.ended(() -> {});
    }
    job.settings().memory().outcome().ifPresent(notes);
    return result(
        result,
        data,
        lesson,
        comparison,
        deciding(config, lesson, comparison),
        bridge,
        ready.device());
  }

  /**
   * What makes the order of the examples another one than that of the run that is continued; empty
   * where nothing does, or no run is continued.
   *
   * @param begins whether the run begins, and what nobody can tell is said
   * @throws LoraGraphException if examples would be held out that a model was trained on
   */
  private Optional<String> otherOrder(ModelData data, boolean begins) {
    if (arguments.continueFrom().isEmpty()) {
      return Optional.empty();
    }
    FormerRecipes former = FormerRecipes.of(arguments.continueFrom().get());
    Map<String, Object> now = RunRecipe.asked(training, arguments, data);
    now.put(RunConfiguration.CHECKSUMS, Map.of(RunConfiguration.DATA, training.checksum()));
    former.requireUnseen(now, begins ? notes : line -> {});
    return former.otherOrder(now);
  }

  private static String after(ContinuedRun continued, Optional<String> otherOrder) {
    ContinuedRun.Passed passed = continued.passed();
    String steps = "%s is continued after its %,d steps".formatted(continued.run(), passed.steps());
    boolean within = passed.steps() % passed.stepsPerEpoch() != 0;
    return otherOrder
        .filter(name -> within)
        .map(
            name ->
                "%s, with epoch %,d: '%s' is another one, so the epoch that it had begun cannot be gone on with"
                    .formatted(steps, passed.epochs() + 1, name))
        .orElse(steps);
  }

  private Set<String> trainable(OnnxModel onnx, ShapeInference shapes) {
    try {
      return LoraGraphException.in(model.shown(), () -> arguments.selection().values(onnx));
    } catch (LoraGraphException e) {
      // What has no head either needs that first: adapters alone would be refused next.
      open(model, arguments.inference(), line -> {}, shapes).close();
      throw e;
    }
  }

  private Lesson lesson(ModelData data, ShapeInference shapes) {
    EmbeddingConfig embedding = data.embedding();
    arguments.refuseUnfitting(Task.of(data.task()));
    arguments.requireMetric(Task.of(data.task()));
    Dataset.Split split = split(data);
    Dataset taught = split == null ? training : split.training();
    Optional<Dataset> measured = split == null ? heldOut : Optional.of(split.heldOut());
    training.repeated().forEach(notes);
    heldOut.ifPresent(set -> set.repeated().forEach(notes));
    tellWhatIsNotStreamed(data);
    if (arguments.isFewShot()) {
      return new FewShotLesson(data, taught, measured, arguments, notes, shapes);
    }
    return embedding == null
        ? new LabelledLesson(data, taught, measured, arguments, notes)
        : new EmbeddingLesson(model, data, embedding, taught, measured, arguments, notes, shapes);
  }

  /** Who asks for streaming is told where there is none. */
  private void tellWhatIsNotStreamed(ModelData data) {
    boolean rows = data.task().isRowByRow() && data.embedding() == null && !arguments.isFewShot();
    if (arguments.streaming().orElse(false) && !(rows && training.isOfFiles())) {
      notes.accept(
          training.name()
              + " is held in memory: "
              + (rows
                  ? "examples of a program are there already"
                  : "a training of %s is not streamed"
                      .formatted(arguments.isFewShot() ? "few examples" : data.task().toString())));
    }
  }

  /** The data in two parts; null where none of it is to be held out. */
  private Dataset.@Nullable Split split(ModelData data) {
    @Nullable Double share = arguments.evalSplit().orElse(null);
    if (share == null) {
      return null;
    }
    HeldOutSplit drawn = HeldOutSplit.of(training, data.task(), share, arguments.evalSplitSeed());
    notes.accept(drawn.note());
    return training.split(drawn);
  }

  /**
   * The model with what turns data into its input, as a training has it.
   *
   * @throws LoraGraphException if the model, its configuration and the arguments do not fit
   */
  static ModelData open(
      Model model, InferenceArguments inference, Consumer<String> notes, ShapeInference shapes) {
    RunDefaults before = model.defaults(line -> {});
    if (inference.task().map(Task::internal).orElse(before.task()) == Tasks.EMBEDDING) {
      return LoraGraphException.in(
          model.shown(),
          () ->
              ModelData.ofEmbedding(
                  model.files(),
                  model.graph(),
                  EmbeddingConfig.of(
                      model.files(), inference.embedding().asked(), before.embedding(), notes),
                  inference.maxLength().orElse(before.maxLength()),
                  notes,
                  shapes));
    }
    return LoraGraphException.in(
        model.shown(),
        () ->
            new ModelData(
                model.files(),
                model.graph(),
                inference.maxLength().orElse(null),
                inference.stride().orElse(null),
                inference.task().map(Task::internal).orElse(null),
                notes,
                shapes));
  }

  /** The build of ONNX Runtime that finds shapes is the one that trains: a process has one. */
  private static ShapeInference shapes(EngineKind engine, Device device) {
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

  private int stepsPerCall(Device device) {
    return arguments.stepsPerCall().orElse(device.isGpu() ? STEPS_PER_CALL_ON_GPU : 1);
  }

  /**
   * What the run folder notes of the run.
   *
   * @param stopped the run to go on with; null to begin one
   * @throws LoraGraphException if that was begun with something else
   */
  private Map<String, Object> configuration(
      Path target, TrainingJob job, ModelData data, @Nullable StoppedRun stopped) {
    RunRecipe recipe =
        new RunRecipe(
            model,
            training,
            heldOut,
            arguments,
            data,
            job.sessions(),
            stepsPerCall(job.sessions().device()));
    inputs.requireAsRead();
    Map<String, Object> configuration = recipe.configuration();
    if (stopped != null) {
      RunConfiguration.requireSame(
          target.resolve(RunFolder.CONFIG), recipe.named(), configuration, notes);
    }
    return configuration;
  }

  private TrainingJob.Result inFolder(
      Path target,
      TrainingJob job,
      Lesson lesson,
      @Nullable Checkpoint start,
      @Nullable StoppedRun stopped,
      Map<String, Object> configuration,
      Optional<ModelConfig> named,
      ListenerBridge bridge,
      Comparison comparison,
      ModelData data) {
    @Nullable RunRecorder recorder = null;
    DataFacts facts = new DataFacts(lesson, data.maxLength());
    try (RunFolder folder =
        stopped == null
            ? RunFolder.begin(target, arguments.overwritesOutputDir(), configuration)
            : stopped.goOn()) {
      recorder =
          new RunRecorder(
              target,
              RunFacts.of(job, facts, comparison),
              report ->
                  RunFacts.of(
                      report,
                      data.labels().names(),
                      comparison.keptBase() ? null : lesson.worst().orElse(null),
                      arguments.reportsTexts()),
              begin,
              notes);
      try {
        RunRecorder record = recorder;
        if (stopped == null) {
          arguments
              .continueFrom()
              .ifPresent(
                  former ->
                      record.continues(
                          former, FormerRecipes.of(former).hasSameHeldOut(configuration)));
        }
        record.begin();
        // A checkpoint is there before the record says so.
        List<io.github.loragraph.trainer.TrainingListener> hearing =
            new ArrayList<>(List.of(folder));
        lesson.worst().ifPresent(hearing::add);
        hearing.addAll(List.of(facts, recorder, bridge));
        TrainingJob.Result result;
        try (TensorBoardFile events =
            arguments.writesTensorBoard() ? new TensorBoardFile(target) : null) {
          if (events != null) {
            hearing.add(events);
          }
          result =
              completed(
                  job.run(hearing, start, folder.bestParameters()),
                  lesson,
                  comparison,
                  job.sessions(),
                  hearing);
        }
        var chosen = result.summary().best();
        if (chosen != null) {
          long step = chosen.step();
          lesson.worst().ifPresent(worst -> worst.ends(step));
        }
        recorder.ends(result.summary());
        Report measured = result.summary().evaluation();
        if (comparison.keptBase() && measured != null) {
          recorder.keepsBase(measured);
        }
        bridge.ended(
            () -> {
              files(data).copyCompanions(folder.path());
              Optional<ModelConfig> config = deciding(named, lesson, comparison);
              config
                  .or(() -> model.files().ownConfig())
                  .ifPresent(own -> own.write(folder.path().resolve(ModelConfig.FILE), true));
              folder.finish(
                  outcome(made(result, lesson, comparison), config, configuration, data.task()),
                  record.finished(),
                  result.summary().state());
            });
        if (!facts.areWhole()) {
          // A short run over streamed texts: the rest is encoded for the next one, and counted.
          lesson.truncated();
          lesson.truncatedEval();
          recorder.amend();
        }
        return result;
      } catch (TrainingStopped e) {
        recorder.ended(null);
        throw e;
      } catch (RuntimeException | Error e) {
        if (!RunFolder.isFinished(target)) {
          recorder.ended(e);
        }
        throw e;
      }
    } finally {
      if (recorder != null && recorder.isInFolder()) {
        report(target);
      }
    }
  }

  /** What was made, or the model as it was: of that there is nothing to complete. */
  private TrainingJob.Result completed(
      TrainingJob.Result trained,
      Lesson lesson,
      Comparison comparison,
      Sessions sessions,
      List<io.github.loragraph.trainer.TrainingListener> hearing) {
    TrainingJob.Result settled = comparison.settle(trained, model, notes);
    return comparison.keptBase() ? settled : lesson.completed(settled, sessions, hearing);
  }

  /** A run without its page is a run nevertheless. */
  private void report(Path target) {
    try {
      ReportPage.write(target, target.resolve(ReportPage.FILE));
    } catch (LoraGraphException | OutOfMemoryError e) {
      notes.accept("no %s was written: %s".formatted(ReportPage.FILE, e.getMessage()));
    }
  }

  /**
   * The adapter, where it and the model that was trained are what was made; else, or where it is
   * asked for, the whole model.
   */
  private RunFolder.Outcome outcome(
      OnnxModel made,
      Optional<ModelConfig> config,
      Map<String, Object> configuration,
      io.github.loragraph.task.Task task) {
    boolean lora = arguments.trainsAdapters();
    // A head alone goes into an adapter only where the model has some.
    PeftAdapter adapter =
        lora && model.hasAdapters()
            ? AdapterOnModel.between(
                    below(),
                    made,
                    PeftFiles.about(model, task),
                    reason -> notes.accept("the model is written, without an adapter: " + reason))
                .orElse(null)
            : null;
    boolean found = adapter != null && model.isAsInFile();
    boolean whole = arguments.writesModel() || !found;
    if (adapter != null && !model.isAsInFile() && !arguments.writesModel()) {
      notes.accept("the model is written, too: what was trained on is in no file");
    }
    Map<String, byte[]> beside = new LinkedHashMap<>();
    if (adapter != null) {
      config
          .or(() -> model.files().ownConfig())
          .map(ModelConfig::bytes)
          .or(() -> model.files().configBytes())
          .ifPresent(bytes -> beside.put(ModelConfig.FILE, bytes));
      beside.put(AdapterFolder.READING, RunDefaults.reading(configuration));
    }
    boolean shares = lora && !arguments.writesModel() && !model.isBundled();
    return new RunFolder.Outcome(adapter, beside, whole ? made : null, shares);
  }

  /** What the adapter is put onto when the run is opened: a model in a file without an adapter. */
  private OnnxModel below() {
    return model.isAsInFile() ? OnnxFile.read(model.files().modelFile()) : model.graph();
  }

  /** What was made, with what it says of itself; the model as it was says what it said. */
  private OnnxModel made(TrainingJob.Result result, Lesson lesson, Comparison comparison) {
    OnnxModel noted = arguments.selection().noteIn(result.model());
    return comparison.keptBase() ? noted : lesson.noted(noted);
  }

  /** The files that go with what was made, which say how texts become embeddings. */
  private ModelFolder files(ModelData data) {
    EmbeddingConfig config = data.embedding();
    return config == null
        ? model.files()
        : model
            .files()
            .withSentenceFiles(
                config.files(
                    model.files(),
                    Objects.requireNonNull(data.answer().embedding()),
                    data.maxLength()));
  }

  /**
   * The configuration with the task, where the model's shape does not tell it to who comes next.
   */
  private Optional<ModelConfig> configNamingTask(ModelData data) {
    ModelConfig config = model.files().config();
    return data.task()
        .problemType()
        .filter(type -> !isClear(data, config))
        .map(config::withProblemType);
  }

  /**
   * The configuration with the thresholds that were fitted: those of the model as it was are not
   * those of what was made.
   */
  private Optional<ModelConfig> deciding(
      Optional<ModelConfig> config, Lesson lesson, Comparison comparison) {
    ModelConfig stated = config.orElseGet(() -> model.files().config());
    return comparison.keptBase() || stated.thresholds().equals(lesson.thresholds())
        ? config
        : Optional.of(stated.withThresholds(lesson.thresholds()));
  }

  /** Whether a task is what a model is taken to have where nobody names one. */
  private static boolean isClear(ModelData data, ModelConfig config) {
    try {
      ShapeInference shapes = new SessionShapeInference(OrtRuntime.ofThisProcess());
      return Answer.of(data.answer().model(), null, config.problemType(), shapes).task()
          == data.task();
    } catch (LoraGraphException e) {
      return false;
    }
  }

  private TrainingResult result(
      TrainingJob.Result result,
      ModelData data,
      Lesson lesson,
      Comparison comparison,
      Optional<ModelConfig> config,
      ListenerBridge bridge,
      Device device) {
    Report report = result.summary().evaluation();
    return new TrainingResult(
        model.trained(
            made(result, lesson, comparison), files(data), config, lesson.defaults(training, data)),
        result.summary().steps(),
        result.summary().finalTrainLoss(),
        result.summary().samplesPerSecond(),
        Optional.ofNullable(report).map(bridge::evaluation),
        Optional.ofNullable(result.summary().best())
            .map(best -> new BestEvaluation(best.step(), best.metric(), best.value())),
        comparison.base(),
        comparison.keptBase(),
        TrainingArguments.Engine.named(result.engine()),
        io.github.loragraph.Device.parse(device.toString()),
        lesson.truncated(),
        lesson.truncatedEval(),
        result.unreached(),
        Optional.ofNullable(run),
        notes.lines());
  }
}
