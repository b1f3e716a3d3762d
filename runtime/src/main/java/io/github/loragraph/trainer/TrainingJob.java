package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.data.Batch;
import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.EpochView;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.InputSizes;
import io.github.loragraph.data.StatedExamples;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.engine.Engines;
import io.github.loragraph.engine.LossSession;
import io.github.loragraph.error.Advice;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.evaluation.Classifier;
import io.github.loragraph.evaluation.Evaluator;
import io.github.loragraph.evaluation.Measurement;
import io.github.loragraph.evaluation.Predictor;
import io.github.loragraph.lora.InitializerUntying;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.Device;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.task.LossOptions;
import io.github.loragraph.task.Report;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.FrozenPrefix;
import io.github.loragraph.training.GradientLoss;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.LossGradient;
import io.github.loragraph.training.Optimization;
import io.github.loragraph.training.Precision;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One training from a model to a trained model. Made by a {@link #builder}.
 *
 * <p>Long because a training is described and run here, in the order in which things are opened and
 * closed.
 *
 * @param trainable the values of the parameters to train
 * @param batchesPerCall the most batches that the engine is given at once
 * @param graph what is trained in the place of the model as it answers; null for that itself
 * @param measurement measures in the place of the held-out examples; null for those
 * @param prefixCache where what comes before all that is trained is kept; null where it is computed
 *     in each step. Not together with another graph
 */
public record TrainingJob(
    OnnxModel model,
    Set<String> trainable,
    Loss loss,
    Optimization optimization,
    TrainerSettings settings,
    TrainingData data,
    EngineKind kind,
    Sessions sessions,
    int batchesPerCall,
    @Nullable TrainedGraph graph,
    @Nullable Measurement measurement,
    @Nullable PrefixCache prefixCache) {
  /** Where nothing else is given; that of the Trainer of transformers. */
  public static final double MAX_GRADIENT_NORM = 1;

  /**
   * What came out.
   *
   * @param model the given model with the trained parameters
   * @param unreached trainable values that got no gradient: unchanged
   */
  public record Result(
      Trainer.Summary summary, OnnxModel model, String engine, List<String> unreached) {
    /** The same with another evaluation of the model. */
    public Result withEvaluation(Report evaluation) {
      return new Result(summary.withEvaluation(evaluation), model, engine, unreached);
    }
  }

  /** The engine that made a checkpoint; empty where it does not say. */
  public static Optional<EngineKind> engineOf(Checkpoint checkpoint) {
    return Arrays.stream(EngineKind.values())
        .filter(k -> k.toString().equals(checkpoint.properties().get(CheckpointMarks.ENGINE)))
        .findFirst();
  }

  /**
   * Opens the build of ONNX Runtime for a training: the sessions of a job are made with it.
   *
   * @throws LoraGraphException if the build is not to be had here
   */
  public static OrtRuntime runtime(
      EngineKind kind, Device device, Precision precision, TrainerSettings settings, int examples) {
    return Engines.runtime(kind, device, precision, steps(settings, examples));
  }

  private static long steps(TrainerSettings settings, int examples) {
    return settings.ownSteps(settings.batchesPerEpoch(examples));
  }

  /**
   * A training with the usual settings: the adapters, the task's plain loss, AdamW without weight
   * decay and gradients of norm 1 at most, on the CPU with all its cores, by {@link
   * EngineKind#AUTO} and one batch in a call.
   */
  public static Builder builder(OnnxModel model, TrainingData data) {
    return new Builder(model, data);
  }

  /** A builder that begins with this training. */
  public Builder toBuilder() {
    return new Builder(model, data)
        .trainable(trainable)
        .loss(loss)
        .optimization(optimization)
        .settings(settings)
        .engine(kind)
        .sessions(sessions)
        .batchesPerCall(batchesPerCall)
        .graph(graph)
        .measurement(measurement)
        .prefixCache(prefixCache);
  }

  /** What a training is to be. */
  public static final class Builder {
    private final OnnxModel model;
    private TrainingData data;
    private @Nullable Set<String> trainable;
    private @Nullable Loss loss;
    private Optimization optimization =
        new Optimization(AdamW.ofTrainer(), MAX_GRADIENT_NORM, LoraDropout.NONE);
    private TrainerSettings settings = TrainerSettings.builder().build();
    private EngineKind kind = EngineKind.AUTO;
    private @Nullable Sessions sessions;
    private int batchesPerCall = 1;
    private @Nullable TrainedGraph graph;
    private @Nullable Measurement measurement;
    private @Nullable PrefixCache prefixCache;

    private Builder(OnnxModel model, TrainingData data) {
      this.model = model;
      this.data = data;
    }

    private Builder data(TrainingData data) {
      this.data = data;
      return this;
    }

    /** The values of the parameters to train; those of the adapters unless told otherwise. */
    public Builder trainable(Set<String> values) {
      this.trainable = values;
      return this;
    }

    /** What training lessens; the task's loss without options unless told otherwise. */
    public Builder loss(Loss loss) {
      this.loss = loss;
      return this;
    }

    public Builder optimization(Optimization optimization) {
      this.optimization = optimization;
      return this;
    }

    public Builder settings(TrainerSettings settings) {
      this.settings = settings;
      return this;
    }

    /** What runs the steps. */
    public Builder engine(EngineKind kind) {
      this.kind = kind;
      return this;
    }

    /**
     * What the sessions are made with; of a runtime that {@link TrainingJob#runtime} opened for
     * this very training.
     */
    public Builder sessions(Sessions sessions) {
      this.sessions = sessions;
      return this;
    }

    /** The most batches that the engine is given at once. */
    public Builder batchesPerCall(int batchesPerCall) {
      this.batchesPerCall = batchesPerCall;
      return this;
    }

    /** What is trained in the place of the model as it answers. */
    public Builder graph(@Nullable TrainedGraph graph) {
      this.graph = graph;
      return this;
    }

    /** What measures in the place of the held-out examples. */
    public Builder measurement(@Nullable Measurement measurement) {
      this.measurement = measurement;
      return this;
    }

    /** Where what comes before all that is trained is kept. */
    public Builder prefixCache(@Nullable PrefixCache cache) {
      this.prefixCache = cache;
      return this;
    }

    /**
     * @throws LoraGraphException if the model has no adapters and nothing else to train was named,
     *     or the build of ONNX Runtime for it is not to be had here
     */
    public TrainingJob build() {
      return new TrainingJob(
          model,
          trainable == null ? TrainableSelection.of(Method.LORA).values(model) : trainable,
          loss == null ? data.task().loss(LossOptions.PLAIN, data.training()) : loss,
          optimization,
          settings,
          data,
          kind,
          sessions == null ? onAllCores() : sessions,
          batchesPerCall,
          graph,
          measurement,
          prefixCache);
    }

    private Sessions onAllCores() {
      return new Sessions(
          runtime(kind, Device.CPU, optimization.precision(), settings, data.training().size()), 0);
    }
  }

  /**
   * Trains.
   *
   * @param start the checkpoint of an earlier run of this very job to go on from; null to begin
   * @throws LoraGraphException if the model cannot be trained, or the loss stops being a number
   */
  public Result run(List<TrainingListener> listeners, @Nullable Checkpoint start) {
    return run(listeners, start, BestParameters.inMemory());
  }

  /**
   * The same with a place for the parameters of the best evaluation.
   *
   * @throws LoraGraphException as before, or if they cannot be written or read again
   */
  public Result run(
      List<TrainingListener> listeners, @Nullable Checkpoint start, BestParameters best) {
    return opened(listeners, start, (job, opening) -> job.trained(opening, listeners, start, best));
  }

  /**
   * Opens all that a training needs, makes a few of its steps and what else it would do, and ends:
   * nothing is left of it.
   *
   * @throws LoraGraphException if the model cannot be trained
   */
  public RunEstimate estimate(List<TrainingListener> listeners) {
    return opened(listeners, null, (job, opening) -> job.estimated(opening));
  }

  private RunEstimate estimated(Opening opening) {
    return fewSteps(opening).measured();
  }

  private EstimatedRun fewSteps(Opening opening) {
    int outputs = opening.answer().outputs();
    Measurement whole = measurement;
    return new EstimatedRun(
        opening.opened().engine(),
        opening.runner(),
        opening.batches(),
        loss,
        settings,
        data,
        whole == null
            ? examples ->
                opening
                    .evaluator()
                    .evaluate(
                        opening.opened().engine().classifier(),
                        examples,
                        data.task(),
                        outputs,
                        data.names())
            : examples -> whole.of(opening.opened().engine().classifier()),
        whole != null);
  }

  /** What is done with a training that is opened. */
  @FunctionalInterface
  private interface Course<R> {
    R take(TrainingJob job, Opening opening);
  }

  /**
   * A training that is opened.
   *
   * @param runner runs its batches
   * @param evaluator of the model as it answers
   */
  private record Opening(
      Answer answer,
      Engines.Opened opened,
      BatchRunner runner,
      BatchSource batches,
      Evaluator evaluator) {}

  private <R> R opened(
      List<TrainingListener> listeners, @Nullable Checkpoint start, Course<R> course) {
    if (graph != null) {
      graph.answer().notes().forEach(line -> listeners.forEach(l -> l.note(line)));
      return opened(graph.answer(), listeners, start, course);
    }
    Answer answer =
        Answer.of(
            model, data.task(), Optional.empty(), new SessionShapeInference(sessions.runtime()));
    InputSizes sizes = InputSizes.of(model.graph().requiredInputs());
    Stream.of(answer.notes(), sizes.notes(), notes(sizes))
        .flatMap(List::stream)
        .forEach(line -> listeners.forEach(l -> l.note(line)));
    TrainingJob fitted = fitted(sizes);
    return (fitted.prefixCache == null ? fitted : fitted.afterPrefix(answer, start, listeners))
        .opened(answer, listeners, start, course);
  }

  /**
   * The training of what comes after the frozen part alone, on what that makes of the examples.
   *
   * @throws LoraGraphException if there is no such part, or if examples are others in each epoch
   */
  private TrainingJob afterPrefix(
      Answer answer, @Nullable Checkpoint start, List<TrainingListener> listeners) {
    PrefixCache cache = Objects.requireNonNull(prefixCache);
    if (data.view() != EpochView.SAME) {
      throw new LoraGraphException(
          "the examples of %s are others in each epoch: there is nothing of them to be kept"
              .formatted(data.task()));
    }
    FrozenPrefix parts =
        FrozenPrefix.of(
            answer.answering(), trainable, new SessionShapeInference(sessions.runtime()));
    List<Example> examples = data.training();
    long before = start == null ? 0 : start.step();
    long begin = System.nanoTime();
    StatedExamples stated =
        cache.of(
            examples,
            parts,
            data.padId(),
            sessions,
            () -> TrainingStopped.ifWanted(listeners, before));
    String line =
        String.format(
            Locale.ROOT,
            "the frozen part of the model is computed once for each of %,d examples: %,d of %,d nodes; %.1f MB in %.1f s%s",
            examples.size(),
            parts.prefix().graph().nodes().size(),
            answer.answering().graph().nodes().size(),
            stated.bytes() / 1e6,
            (System.nanoTime() - begin) / 1e9,
            cache.half() ? ", rounded to 16 bits" : "");
    listeners.forEach(l -> l.note(line));
    return toBuilder()
        .data(data.withTraining(stated))
        .graph(new TrainedGraph(answer, parts.rest(), 0))
        .prefixCache(null)
        .build();
  }

  private List<String> notes(InputSizes sizes) {
    if (sizes.batchSize(settings.batchSize()) == settings.batchSize()) {
      return List.of();
    }
    int batches = accumulation(sizes);
    return List.of(
        "the model takes batches of %,d: %,d of them make up a step, of %,d examples"
            .formatted(sizes.rows(), batches, (long) batches * sizes.rows()));
  }

  /** So many batches of the model's size as have the examples that a step is asked to have. */
  private int accumulation(InputSizes sizes) {
    long examples = (long) settings.batchSize() * settings.accumulation();
    return (int) Math.min(Integer.MAX_VALUE, (examples + sizes.rows() - 1) / sizes.rows());
  }

  /**
   * The same training in batches of the size that the model fixes. They are filled up with rows
   * that count nothing.
   *
   * @throws LoraGraphException if the loss cannot leave rows out, and the examples do not fill
   *     batches
   */
  private TrainingJob fitted(InputSizes sizes) {
    if (sizes.rows() == 0) {
      return this;
    }
    if (loss.comparesRows()) {
      throw new LoraGraphException(
          "the model takes batches of %,d, and a loss that compares rows needs batches of any size: export it with an open batch"
              .formatted(sizes.rows()));
    }
    List<Example> training = data.training();
    Loss fitted = loss;
    int left = training.size() % sizes.rows();
    if (left > 0) {
      int whole = training.size() - left;
      fitted =
          loss.ignoring(CrossEntropyLoss.IGNORE_INDEX)
              .orElseThrow(
                  () ->
                      new LoraGraphException(
                          "the model takes batches of %,d, and %,d examples do not fill them"
                              .formatted(sizes.rows(), data.training().size()),
                          Remedy.TRAIN_ON.with("%,d".formatted(whole))));
      List<Example> all = training;
      training = sizes.filled(all, () -> all.get(all.size() - 1).uncounted());
    }
    boolean asIs = sizes.rows() == settings.batchSize();
    return toBuilder()
        .loss(fitted)
        .settings(
            asIs
                ? settings
                : settings.toBuilder()
                    .batchSize(sizes.rows())
                    .accumulation(accumulation(sizes))
                    .build())
        .data(data.withTraining(training))
        .build();
  }

  private <R> R opened(
      Answer answer,
      List<TrainingListener> listeners,
      @Nullable Checkpoint start,
      Course<R> course) {
    Consumer<String> log = line -> listeners.forEach(l -> l.note(line));
    OnnxModel trained = graph == null ? answer.answering() : graph.model();
    MicroBatchChoice choice = new MicroBatchChoice(this, trained.graph().requiredInputs());
    Optional<MicroBatch> before = CheckpointMarks.microBatch(start);
    MicroBatch settled = choice.settled(before, log);
    boolean measures =
        before.isEmpty()
            && settings.microBatch().equals(MicroBatch.AUTO)
            && !settled.equals(MicroBatch.WHOLE);
    TrainingJob job = in(settled);
    if (job.settings.memory().isOpen()) {
      OptionalInt chosen = CheckpointMarks.recomputed(start);
      job =
          chosen.isPresent()
              ? job.recomputing(chosen.getAsInt())
              : job.within(trained, answer, before.isPresent() || !choice.isFree(), listeners);
    }
    return job.opened(trained, answer, measures ? choice : null, listeners, start, course);
  }

  /** The examples of a batch that are carried through the model at once; 0 for all of them. */
  int partsOfBatches() {
    return graph != null && graph.divides(settings.batchSize()) ? graph.partSize() : 0;
  }

  /** The same when it is chosen what is computed again. */
  private TrainingJob recomputing(int pieces) {
    return toBuilder()
        .optimization(optimization.recomputing(pieces))
        .settings(settings.toBuilder().memory(settings.memory().recomputing(pieces)).build())
        .build();
  }

  /**
   * The same with steps that keep so much that the process stays below its limit.
   *
   * @param fixed whether pieces of batches are to have the size that is settled
   * @throws LoraGraphException if no choice stays below it; it names the limit that would do
   */
  private TrainingJob within(
      OnnxModel trained, Answer answer, boolean fixed, List<TrainingListener> listeners) {
    Consumer<String> log = line -> listeners.forEach(l -> l.note(line));
    MemoryMeasurement.requireMeasurable(trained.graph().requiredInputs());
    if (kind == EngineKind.AUTO) {
      log.accept("engine graph: engines are not measured where memory is limited");
      return toBuilder().engine(EngineKind.GRAPH).build().within(trained, answer, fixed, listeners);
    }
    log.accept("memory is measured on a few examples");
    MemoryMeasurement measurement = new MemoryMeasurement(this, trained.graph().requiredInputs());
    List<MemoryPlan.Size> sizes = measurement.sizes(fixed);
    long most = sizes.get(0).tokens();
    Runnable after = () -> TrainingStopped.ifWanted(listeners, 0);
    MemoryPlan plan = planned(trained, answer, measurement, most, after);
    long limit = settings.memory().bytes();
    MemoryPlan.Choice chosen =
        plan.below(limit, sizes).orElseThrow(() -> refusal(plan, plan.least(sizes), sizes.get(0)));
    log.accept(
        "memory at most %s: %s, with %s%s; a peak of at most %s is expected"
            .formatted(
                MemoryLimit.gigabytes(limit),
                plan.pieces() == 0
                    ? "nothing can be computed again"
                    : "%,d of %,d pieces of the layers are computed again"
                        .formatted(chosen.recomputed(), plan.pieces()),
                chosen.microBatch().inWords(),
                chosen.microBatch().equals(settings.microBatch())
                        || optimization.dropout().equals(LoraDropout.NONE)
                    ? ""
                    : ", and dropout is drawn for each",
                MemoryLimit.gigabytes(chosen.peak())));
    return in(chosen.microBatch()).recomputing(chosen.recomputed());
  }

  private LoraGraphException refusal(
      MemoryPlan plan, MemoryPlan.Choice least, MemoryPlan.Size settled) {
    long limit = settings.memory().bytes();
    return new LoraGraphException(
        "%s of memory are not enough: the training may take %s%s%s%s%s"
            .formatted(
                MemoryLimit.gigabytes(limit),
                MemoryLimit.gigabytesUp(least.peak()),
                plan.pieces() == 0 ? "" : ", with all pieces of its layers computed again",
                least.microBatch().equals(settled.microBatch())
                    ? ""
                    : ", with " + least.microBatch().inWords(),
                plan.floor() > limit
                    ? "; the process has had %s before its first step, the measurement with it"
                        .formatted(MemoryLimit.gigabytes(plan.floor()))
                    : "",
                loss.comparesExamples() && partsOfBatches() == 0
                    ? "; the loss compares all examples of a batch, and a mini-batch size needs less"
                    : ""));
  }

  /** What few tokens take, with all computed again and with all kept. */
  private MemoryPlan planned(
      OnnxModel trained, Answer answer, MemoryMeasurement measurement, long most, Runnable after) {
    MemoryPlan again;
    try {
      again = recomputing(Optimization.ALL).measured(trained, answer, measurement, most, after);
    } catch (LoraGraphException e) {
      if (e.advice().map(Advice::remedy).filter(Remedy.KEEP_ALL::equals).isEmpty()) {
        throw e;
      }
      return recomputing(0).measured(trained, answer, measurement, most, after);
    }
    if (!again.holdsLessThan(settings.memory().bytes())) {
      return again;
    }
    MemoryMeasurement.Growth kept =
        recomputing(0)
            .opened(
                trained,
                answer,
                null,
                List.of(),
                null,
                (job, opening) ->
                    measurement.growth(
                        opening.runner(), most, OptionalDouble.of(again.ofTokenAgain()), after));
    JavaHeap.collect();
    return again.with(MemoryMeasurement.peak(), kept.ofToken());
  }

  private MemoryPlan measured(
      OnnxModel trained, Answer answer, MemoryMeasurement measurement, long most, Runnable after) {
    JavaHeap.collect();
    MemoryPlan plan =
        opened(
            trained,
            answer,
            null,
            List.of(),
            null,
            (job, opening) -> {
              MemoryMeasurement.Growth growth =
                  measurement.growth(opening.runner(), most, OptionalDouble.empty(), after);
              double held =
                  job.fewSteps(opening).besideSteps()
                      + JavaHeap.ROOM
                      - growth.ofToken() * growth.tokens();
              return new MemoryPlan(
                  MemoryMeasurement.peak(),
                  held,
                  growth.ofToken(),
                  growth.ofToken(),
                  opening.opened().pieces());
            });
    JavaHeap.collect();
    return plan;
  }

  private TrainingJob in(MicroBatch microBatch) {
    return toBuilder().settings(settings.toBuilder().microBatch(microBatch).build()).build();
  }

  /**
   * The same when it is settled how much of a batch is computed at once.
   *
   * @param choice measures what is faster than what was settled; null to keep that
   */
  private <R> R opened(
      OnnxModel trained,
      Answer answer,
      @Nullable MicroBatchChoice choice,
      List<TrainingListener> listeners,
      @Nullable Checkpoint start,
      Course<R> course) {
    Consumer<String> log = line -> listeners.forEach(l -> l.note(line));
    boolean divides = graph != null && graph.divides(settings.batchSize());
    Engines engines = engines(trained, answer, divides);
    try (Engines.Opened opened =
        engines.open(
            graph == null ? kind : graph.engine(kind, settings.batchSize(), log),
            CheckpointMarks.engineStart(start),
            ownSteps(),
            (inputs, labels) -> firstBatch(batches(inputs, labels)),
            log)) {
      opened.unreached().notes().forEach(log);
      Engine engine = opened.engine();
      Evaluator evaluator =
          new Evaluator(
              graph == null ? opened.inputs() : answer.answering().graph().requiredInputs(),
              data.padId());
      BatchSource batches = batches(opened.inputs(), opened.labels());
      MicroBatch microBatch =
          choice == null
              ? settings.microBatch()
              : choice.measured(
                  engine, batches(opened.inputs(), opened.labels()), settings.microBatch(), log);
      listeners.forEach(l -> l.computes(microBatch));
      settings.memory().chosen().ifPresent(pieces -> listeners.forEach(l -> l.recomputes(pieces)));
      try (LossSession lossAlone = divides ? lossAlone(answer) : null) {
        BatchRunner runner =
            lossAlone == null
                ? new DirectBatches(engine, batches)
                : new CachedGradients(
                    engine,
                    evaluator,
                    lossAlone,
                    batches(List.of(), lossAlone.labels()),
                    batches,
                    Objects.requireNonNull(graph).partSize());
        return course.take(in(microBatch), new Opening(answer, opened, runner, batches, evaluator));
      }
    }
  }

  private Result trained(
      Opening opening,
      List<TrainingListener> listeners,
      @Nullable Checkpoint start,
      BestParameters best) {
    Answer answer = opening.answer();
    Engine engine = opening.opened().engine();
    @Nullable Function<Classifier, Report> measure =
        measure(answer, opening.evaluator(), listeners, listeners);
    Trainer trainer =
        new Trainer(
            engine,
            opening.runner(),
            opening.batches(),
            loss,
            settings,
            measure == null ? null : () -> measure.apply(engine.classifier()),
            watched(listeners),
            start,
            best);
    Trainer.Summary summary = trainer.run();
    BestEvaluation chosen = summary.best();
    if (chosen != null && summary.evaluation() == null) {
      summary =
          summary.withEvaluation(
              new KeptReport(
                  again(answer, opening.evaluator(), trainer.parameters(), listeners),
                  chosen.figures()));
    }
    return new Result(
        summary,
        InitializerUntying.withValues(answer.model(), trainer.parameters()),
        engine.name(),
        opening.opened().unreached().values());
  }

  private List<TrainingListener> watched(List<TrainingListener> listeners) {
    if (!settings.memory().isSet()) {
      return listeners;
    }
    MemoryWatch watch =
        new MemoryWatch(settings.memory().bytes(), line -> listeners.forEach(l -> l.note(line)));
    return Stream.concat(listeners.stream(), Stream.of(watch)).toList();
  }

  /** What engines are compared on. */
  private Batch firstBatch(BatchSource batches) {
    List<Example> first = batches.order(0).get(0);
    return batches.batch(settings.microBatch().pieces(first, batches).get(0), first);
  }

  private Engines engines(OnnxModel trained, Answer answer, boolean divides) {
    return new Engines(
        trained,
        graph == null ? null : answer.answering(),
        trainable,
        divides ? new GradientLoss() : loss,
        optimization,
        settings.accumulation(),
        divides || !settings.microBatch().isWhole(settings.batchSize()),
        divides ? 1 : perCall(),
        settings.seed(),
        sessions);
  }

  private LossSession lossAlone(Answer answer) {
    return new LossSession(
        LossGradient.of(loss, Shape.Dimension.named("texts"), answer.outputs()), sessions);
  }

  /**
   * @param stopping may stop it in its midst
   * @param hearing hear each answer
   */
  private @Nullable Function<Classifier, Report> measure(
      Answer answer,
      Evaluator evaluator,
      List<TrainingListener> stopping,
      List<TrainingListener> hearing) {
    if (measurement == null && data.heldOut().isEmpty()) {
      return null;
    }
    int outputs = answer.outputs();
    return answering -> {
      Classifier classifier = answering.after(() -> Trainer.abandonIfStopped(stopping));
      return measurement == null
          ? evaluator.evaluate(
              classifier,
              data.heldOut(),
              data.task(),
              outputs,
              data.names(),
              (number, logits) -> hearing.forEach(l -> l.answered(number, logits)))
          : measurement.of(classifier);
    };
  }

  /** The evaluation of parameters that the engine does not have any more. */
  private Report again(
      Answer answer,
      Evaluator evaluator,
      Map<String, Tensor> parameters,
      List<TrainingListener> hearing) {
    OnnxModel model = InitializerUntying.withValues(answer.answering(), parameters);
    try (Predictor predictor = new Predictor(model, data.padId(), sessions)) {
      return Objects.requireNonNull(measure(answer, evaluator, List.of(), hearing))
          .apply(predictor.classifier());
    }
  }

  private long perEpoch() {
    List<Example> examples = data.training();
    return settings.batchesPerEpoch(BatchSource.units(examples, loss.comparesRows()).size());
  }

  /** The steps that the run makes itself. */
  long ownSteps() {
    return settings.ownSteps(perEpoch());
  }

  /** A call has memory for all its batches: no more than the run has. */
  private int perCall() {
    long perEpoch = perEpoch();
    long perStep =
        Math.min(settings.accumulation(), perEpoch)
            * settings.microBatch().mostPieces(settings.batchSize());
    long steps = Math.min(Integer.MAX_VALUE, ownSteps());
    return (int) Math.min(batchesPerCall, steps * perStep);
  }

  /**
   * @param labels declares the labels; null where batches need none
   */
  BatchSource batches(List<ValueInfo> inputs, @Nullable ValueInfo labels) {
    return BatchSource.of(data.training(), inputs)
        .labels(labels)
        .batchSize(settings.batchSize())
        .padId(data.padId())
        .shuffle(settings.shuffle())
        .seed(settings.seed())
        .view(data.view())
        .together(loss.comparesRows())
        .build();
  }
}
