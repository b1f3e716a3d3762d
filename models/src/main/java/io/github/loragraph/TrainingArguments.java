package io.github.loragraph;

import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Masking;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.fewshot.ExamplePairs;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.RunConfiguration;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.task.LossOptions;
import io.github.loragraph.trainer.BestEvaluation;
import io.github.loragraph.trainer.LearningRateSchedule;
import io.github.loragraph.trainer.MemoryLimit;
import io.github.loragraph.trainer.MicroBatch;
import io.github.loragraph.trainer.TrainerSettings;
import io.github.loragraph.trainer.TrainingJob;
import io.github.loragraph.trainer.WarmUp;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Moments;
import io.github.loragraph.training.Optimization;
import io.github.loragraph.training.WeightDecay;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What decides a training, with the names that {@code TrainingArguments} of Hugging Face's
 * transformers has for it, where it has one. Immutable, made by a {@link #builder()}, whose
 * defaults suit the training of adapters.
 *
 * <p>Long because each argument has a field, a getter and a documented method of the builder, in
 * one place as a reader looks them up.
 */
public final class TrainingArguments {
  /** What a training changes. */
  public enum Method {
    /** The adapters and the head of a model with adapters. */
    LORA,
    /** Every parameter. */
    FULL,
    /** The head alone. */
    HEAD
  }

  /** What the learning rate does after the warm-up. */
  public enum Scheduler {
    /** Falls to zero at the end of the run. */
    LINEAR,
    /** Falls to zero at the end of the run along half a cosine. */
    COSINE,
    /** Stays as it is, without a warm-up. */
    CONSTANT,
    /** Stays as it is. */
    CONSTANT_WITH_WARMUP
  }

  /** Which parameters weight decay is on. */
  public enum DecayOn {
    /** All but biases and normalization weights, as in transformers. */
    WEIGHTS,
    /** All, as in PyTorch. */
    ALL
  }

  /** What runs the steps. */
  public enum Engine {
    /** {@link #GRAPH}, unless the other one is more than a tenth faster, measured in long runs. */
    AUTO,
    /** A step graph in an ordinary session, on any build and device of ONNX Runtime. */
    GRAPH,
    /** ONNX Runtime's own training, on the CPU; it writes temporary files. */
    TRAINING_API;

    /** The one that calls itself so. */
    static Engine named(String name) {
      return Arrays.stream(EngineKind.values())
          .filter(kind -> kind.toString().equals(name))
          .map(kind -> valueOf(kind.name()))
          .findFirst()
          .orElseThrow(() -> new IllegalArgumentException("no engine " + name));
    }
  }

  /**
   * What matrix products are computed in; all else, and the parameters, stay in single precision.
   */
  public enum Precision {
    /** Single precision. */
    FP32,
    /** Half precision, with loss scaling. */
    FP16,
    /** bfloat16. */
    BF16
  }

  /** In what frozen layers compute. */
  public enum BasePrecision {
    /** As the model has its weights. */
    FP32,
    /** In 8 bits, and the gradient that comes back through them in single precision. */
    INT8_FORWARD,
    /** In 8 bits, and so the gradient that comes back through them. */
    INT8
  }

  /** In what AdamW keeps its moments. */
  public enum Optim {
    /** In single precision. */
    ADAMW,
    /** In codes of 16 bits, those of large tensors. */
    ADAMW_16BIT,
    /** In codes of 8 bits, those of large tensors. */
    ADAMW_8BIT
  }

  private static final String BALANCED = "balanced";

  /** SetFit's, where nothing else is given. */
  private static final int FEW_SHOT_BATCH_SIZE = 16;

  /** SetFit's, which trains all of the encoder. */
  private static final double FEW_SHOT_FULL_LEARNING_RATE = 2e-5;

  /**
   * There are some dozens of steps, and adapters begin at nothing: with 2e-3 and less the cosines
   * of MiniLM's vectors on SST-2 only come to one value for all pairs (loss 0.25).
   */
  private static final double FEW_SHOT_LEARNING_RATE = 5e-3;

  /** SetFit's: each example is in many pairs already. */
  private static final double FEW_SHOT_EPOCHS = 1;

  private final Method method;
  private final @Nullable Pattern trainable;
  private final boolean untie;
  private final boolean trainBias;
  private final double loraDropout;
  private final @Nullable String loss;
  private final double labelSmoothing;
  private final double mlmProbability;
  private final boolean wholeWordMasking;
  private final @Nullable String classWeights;
  private final @Nullable Double numTrainEpochs;
  private final @Nullable Long maxSteps;
  private final @Nullable Integer trainBatchSize;
  private final int gradientAccumulationSteps;
  private final MicroBatch microBatch;
  private final @Nullable Double learningRate;
  private final Scheduler lrScheduler;
  private final long warmupSteps;
  private final double warmupRatio;
  private final double weightDecay;
  private final DecayOn weightDecayOn;
  private final double adamBeta1;
  private final double adamBeta2;
  private final double adamEpsilon;
  private final double maxGradNorm;
  private final long seed;
  private final boolean shuffle;
  private final long loggingSteps;
  private final long evalSteps;
  private final long saveSteps;
  private final @Nullable Integer maxTrainSamples;
  private final @Nullable Boolean streaming;
  private final @Nullable Path cacheDir;
  private final @Nullable Integer examplesPerClass;
  private final boolean fewShot;
  private final @Nullable Integer fewShotIterations;
  private final Engine engine;
  private final Precision precision;
  private final @Nullable Integer stepsPerCall;
  private final @Nullable Integer maxLength;
  private final @Nullable Integer stride;
  private final boolean labelAllSubwords;
  private final @Nullable Task task;
  private final EmbeddingArguments embedding;
  private final Device device;
  private final int threads;
  private final boolean tf32;
  private final boolean deterministic;
  private final @Nullable EmbeddingLoss embeddingLoss;
  private final @Nullable Integer miniBatchSize;
  private final boolean querySide;
  private final boolean keepIfBetter;
  private final @Nullable Path outputDir;
  private final boolean overwriteOutputDir;
  private final boolean writeModel;
  private final boolean reportTexts;
  private final boolean resume;
  private final long stopAfterSteps;
  private final boolean evalEachEpoch;
  private final @Nullable Boolean loadBest;
  private final @Nullable String metricForBest;
  private final int patience;
  private final @Nullable Double evalSplit;
  private final @Nullable Long evalSplitSeed;
  private final boolean fitThresholds;
  private final @Nullable Precision cachePrefix;
  private final BasePrecision base;
  private final boolean recompute;
  private final MemoryLimit memory;
  private final Optim optim;
  private final boolean tensorBoard;
  private final @Nullable Path continueFrom;

  private TrainingArguments(Builder b) {
    method = b.method;
    trainable = b.trainable;
    untie = b.untie;
    trainBias = b.trainBias;
    loraDropout = b.loraDropout;
    loss = b.loss;
    labelSmoothing = b.labelSmoothing;
    mlmProbability = b.mlmProbability;
    wholeWordMasking = b.wholeWordMasking;
    classWeights = b.classWeights;
    numTrainEpochs = b.numTrainEpochs;
    maxSteps = b.maxSteps;
    trainBatchSize = b.trainBatchSize;
    gradientAccumulationSteps = b.gradientAccumulationSteps;
    microBatch = b.microBatch;
    learningRate = b.learningRate;
    lrScheduler = b.lrScheduler;
    warmupSteps = b.warmupSteps;
    warmupRatio = b.warmupRatio;
    weightDecay = b.weightDecay;
    weightDecayOn = b.weightDecayOn;
    adamBeta1 = b.adamBeta1;
    adamBeta2 = b.adamBeta2;
    adamEpsilon = b.adamEpsilon;
    maxGradNorm = b.maxGradNorm;
    seed = b.seed;
    shuffle = b.shuffle;
    loggingSteps = b.loggingSteps;
    evalSteps = b.evalSteps;
    saveSteps = b.saveSteps;
    maxTrainSamples = b.maxTrainSamples;
    streaming = b.streaming;
    cacheDir = b.cacheDir;
    examplesPerClass = b.examplesPerClass;
    fewShot = b.fewShot;
    fewShotIterations = b.fewShotIterations;
    engine = b.engine;
    precision = b.precision;
    stepsPerCall = b.stepsPerCall;
    maxLength = b.maxLength;
    stride = b.stride;
    labelAllSubwords = b.labelAllSubwords;
    task = b.task;
    embedding = b.embedding;
    device = b.device;
    threads = b.threads;
    tf32 = b.tf32;
    deterministic = b.deterministic;
    embeddingLoss = b.embeddingLoss;
    miniBatchSize = b.miniBatchSize;
    querySide = b.querySide;
    keepIfBetter = b.keepIfBetter;
    outputDir = b.outputDir;
    overwriteOutputDir = b.overwriteOutputDir;
    writeModel = b.writeModel;
    reportTexts = b.reportTexts;
    resume = b.resume;
    stopAfterSteps = b.stopAfterSteps;
    evalEachEpoch = b.evalEachEpoch;
    loadBest = b.loadBest;
    metricForBest = b.metricForBest;
    patience = b.patience;
    evalSplit = b.evalSplit;
    evalSplitSeed = b.evalSplitSeed;
    fitThresholds = b.fitThresholds;
    cachePrefix = b.cachePrefix;
    base = b.base;
    recompute = b.recompute;
    memory = b.memory;
    optim = b.optim;
    tensorBoard = b.tensorBoard;
    continueFrom = b.continueFrom;
  }

  /** Arguments with the defaults, which the setters name. */
  public static Builder builder() {
    return new Builder();
  }

  /** A builder that begins with these arguments. */
  public Builder toBuilder() {
    Builder b = new Builder();
    b.method = method;
    b.trainable = trainable;
    b.untie = untie;
    b.trainBias = trainBias;
    b.loraDropout = loraDropout;
    b.loss = loss;
    b.labelSmoothing = labelSmoothing;
    b.mlmProbability = mlmProbability;
    b.wholeWordMasking = wholeWordMasking;
    b.classWeights = classWeights;
    b.numTrainEpochs = numTrainEpochs;
    b.maxSteps = maxSteps;
    b.trainBatchSize = trainBatchSize;
    b.gradientAccumulationSteps = gradientAccumulationSteps;
    b.microBatch = microBatch;
    b.learningRate = learningRate;
    b.lrScheduler = lrScheduler;
    b.warmupSteps = warmupSteps;
    b.warmupRatio = warmupRatio;
    b.weightDecay = weightDecay;
    b.weightDecayOn = weightDecayOn;
    b.adamBeta1 = adamBeta1;
    b.adamBeta2 = adamBeta2;
    b.adamEpsilon = adamEpsilon;
    b.maxGradNorm = maxGradNorm;
    b.seed = seed;
    b.shuffle = shuffle;
    b.loggingSteps = loggingSteps;
    b.evalSteps = evalSteps;
    b.saveSteps = saveSteps;
    b.maxTrainSamples = maxTrainSamples;
    b.streaming = streaming;
    b.cacheDir = cacheDir;
    b.examplesPerClass = examplesPerClass;
    b.fewShot = fewShot;
    b.fewShotIterations = fewShotIterations;
    b.engine = engine;
    b.precision = precision;
    b.stepsPerCall = stepsPerCall;
    b.maxLength = maxLength;
    b.stride = stride;
    b.labelAllSubwords = labelAllSubwords;
    b.task = task;
    b.embedding = embedding;
    b.device = device;
    b.threads = threads;
    b.tf32 = tf32;
    b.deterministic = deterministic;
    b.embeddingLoss = embeddingLoss;
    b.miniBatchSize = miniBatchSize;
    b.querySide = querySide;
    b.keepIfBetter = keepIfBetter;
    b.outputDir = outputDir;
    b.overwriteOutputDir = overwriteOutputDir;
    b.writeModel = writeModel;
    b.reportTexts = reportTexts;
    b.resume = resume;
    b.stopAfterSteps = stopAfterSteps;
    b.evalEachEpoch = evalEachEpoch;
    b.loadBest = loadBest;
    b.metricForBest = metricForBest;
    b.patience = patience;
    b.evalSplit = evalSplit;
    b.evalSplitSeed = evalSplitSeed;
    b.fitThresholds = fitThresholds;
    b.cachePrefix = cachePrefix;
    b.base = base;
    b.recompute = recompute;
    b.memory = memory;
    b.optim = optim;
    b.tensorBoard = tensorBoard;
    b.continueFrom = continueFrom;
    return b;
  }

  /** What is trained. */
  public Method method() {
    return method;
  }

  /** The highest learning rate. */
  public double learningRate() {
    if (learningRate != null) {
      return learningRate;
    }
    if (fewShot) {
      return method == Method.FULL ? FEW_SHOT_FULL_LEARNING_RATE : FEW_SHOT_LEARNING_RATE;
    }
    return method == Method.FULL
        ? TrainerSettings.FULL_LEARNING_RATE
        : TrainerSettings.ADAPTER_LEARNING_RATE;
  }

  /** What runs the steps. */
  public Engine engine() {
    return engine;
  }

  /** Seed of the order of the data, of dropout and of drawn examples. */
  public long seed() {
    return seed;
  }

  /** The run folder. */
  public Optional<Path> outputDir() {
    return Optional.ofNullable(outputDir);
  }

  /** Whether the training in the run folder is gone on with. */
  public boolean resumesFromCheckpoint() {
    return resume;
  }

  /** Of all examples those to train on, drawn by the seed. */
  <E> List<E> sample(List<E> all) {
    int most = maxTrainSamples == null ? Integer.MAX_VALUE : maxTrainSamples;
    return most >= all.size() ? all : drawn(all, most, new SplittableRandom(seed));
  }

  /**
   * The same of examples with one class each, where so many may be asked for of each class.
   *
   * @param names of the classes
   * @param notes takes a line for each class that has fewer
   */
  int[] sampleOfClasses(
      List<io.github.loragraph.data.Example> all, List<String> names, Consumer<String> notes) {
    if (examplesPerClass == null) {
      return sample(IntStream.range(0, all.size()).boxed().toList()).stream()
          .mapToInt(Integer::intValue)
          .toArray();
    }
    int wanted = examplesPerClass;
    Map<Integer, List<Integer>> classes = new TreeMap<>();
    int number = 0;
    for (io.github.loragraph.data.Example example : all) {
      if (example.label() >= 0) {
        classes.computeIfAbsent((int) example.label(), c -> new ArrayList<>()).add(number);
      }
      number++;
    }
    SplittableRandom random = new SplittableRandom(seed);
    List<Integer> drawn = new ArrayList<>();
    classes.forEach(
        (label, examples) -> {
          if (examples.size() < wanted) {
            notes.accept(
                "the class '%s' has %,d examples, and %,d are asked for: all of it are taken"
                    .formatted(names.get(label), examples.size(), wanted));
            drawn.addAll(examples);
          } else {
            drawn.addAll(drawn(examples, wanted, random));
          }
        });
    return drawn.stream().mapToInt(Integer::intValue).toArray();
  }

  private static <E> List<E> drawn(List<E> all, int most, SplittableRandom random) {
    List<E> drawn = new ArrayList<>(all);
    for (int i = 0; i < most; i++) {
      int j = random.nextInt(i, drawn.size());
      E moved = drawn.get(i);
      drawn.set(i, drawn.get(j));
      drawn.set(j, moved);
    }
    return drawn.subList(0, most);
  }

  /** Whether data is not to be held in memory; empty for what its size says. */
  Optional<Boolean> streaming() {
    return Optional.ofNullable(streaming);
  }

  /** Where tokens are kept; empty for the tool's cache. */
  Optional<Path> cacheDir() {
    return Optional.ofNullable(cacheDir);
  }

  /** Whether so many examples of each class are asked for. */
  boolean drawsOfClasses() {
    return examplesPerClass != null;
  }

  boolean isFewShot() {
    return fewShot;
  }

  /** Pairs of each kind that each example is the first of. */
  int fewShotIterations() {
    return fewShotIterations == null ? ExamplePairs.ITERATIONS : fewShotIterations;
  }

  /**
   * Refuses arguments that do not go together, or with a task, as a training does before it reads
   * anything; what depends on the model's parameters and on labels shows in the training.
   *
   * @param heldOut whether there are held-out data of their own
   * @throws LoraGraphException if there are such
   */
  public void validate(Task task, boolean heldOut) {
    requireMeasured(heldOut);
    refuseUnfitting(task);
    requireMetric(task);
  }

  /** Refuses what needs held-out examples, or evaluations, where there are none. */
  void requireMeasured(boolean heldOut) {
    if (heldOut && evalSplit != null) {
      throw new LoraGraphException(
          "held-out data are given, and a share of the training data is to be held out: leave one of the two out");
    }
    boolean measures = heldOut || evalSplit != null;
    if (evaluatesOnTheWay() && !measures) {
      throw new LoraGraphException(
          "evaluations on the way are asked for, and there are no held-out examples: give some");
    }
    if (asksForBest() && !measures) {
      throw new LoraGraphException(
          "which evaluation was the best shows on held-out examples: give some");
    }
    if (fitsThresholds() && !measures) {
      throw new LoraGraphException("thresholds are fitted to held-out examples: give some");
    }
    if (patience() > 0 && !evaluatesOnTheWay()) {
      throw new LoraGraphException(
          "patience counts evaluations on the way, and there are none: say how often to evaluate");
    }
    if (keepsIfBetter() && !measures) {
      throw new LoraGraphException(
          "whether the model became better shows on held-out examples: give some");
    }
  }

  /**
   * Refuses what counts for other tasks alone: losses, and what belongs to classes or to words.
   *
   * @throws LoraGraphException if there is some of it
   */
  void refuseUnfitting(Task task) {
    inference().refuseUnfitting(task);
    if (labelAllSubwords && !task.equals(Task.TOKEN_CLASSIFICATION)) {
      throw new LoraGraphException(
          "only words have sub-words that may be labelled (token-classification), and the task is %s"
              .formatted(task));
    }
    if (fitThresholds && !task.internal().hasThresholds()) {
      throw new LoraGraphException(
          "thresholds are of any number of classes for each example (multilabel), and the task is %s"
              .formatted(task));
    }
    if (cachePrefix != null && (fewShot || task.equals(Task.EMBEDDING))) {
      throw new LoraGraphException(
          "what frozen layers make of examples is kept of single texts and pairs with labels: not %s"
              .formatted(fewShot ? "with few examples" : "of " + task));
    }
    if (base != BasePrecision.FP32 && precision != Precision.FP32) {
      throw new LoraGraphException(
          "a base in 8 bits computes beside single precision: leave the precision at fp32");
    }
    if (optim != Optim.ADAMW && precision != Precision.FP32) {
      throw new LoraGraphException(
          "moments of %s are kept beside single precision: leave the precision at fp32"
              .formatted(Moments.valueOf(optim.name())));
    }
    if (optim != Optim.ADAMW && engine == Engine.TRAINING_API) {
      throw new LoraGraphException(
          "%s needs the graph engine: the optimizer of ONNX Runtime's training API keeps moments in fp32"
              .formatted(Moments.valueOf(optim.name())));
    }
    boolean embeds = task.equals(Task.EMBEDDING);
    if (!embeds) {
      refuseEmbedding(task);
    }
    List<String> losses = embeds ? EmbeddingLoss.names() : task.internal().lossNames();
    if (loss != null && !losses.contains(loss)) {
      throw new LoraGraphException(
          "%s has no loss '%s': it has %s".formatted(task, loss, String.join(", ", losses)));
    }
    if (loss != null && embeds) {
      throw new LoraGraphException(
          "the loss of embeddings is given by embeddingLoss, which has its numbers, too");
    }
    if (!task.equals(Task.CLASSIFICATION) && (fewShot || examplesPerClass != null)) {
      throw new LoraGraphException(
          "%s needs one class for each example (classification), and the task is %s"
              .formatted(
                  fewShot ? "few-shot training" : "a number of examples of each class", task));
    }
  }

  /** The loss of embeddings; multiple negatives unless another one is given. */
  EmbeddingLoss embeddingLoss() {
    return embeddingLoss == null ? EmbeddingLoss.multipleNegatives() : embeddingLoss;
  }

  /** The most groups that go through the model at once; 0 for whole batches. */
  int miniBatchSize() {
    return miniBatchSize == null ? 0 : miniBatchSize;
  }

  boolean trainsQuerySide() {
    return querySide;
  }

  boolean keepsIfBetter() {
    return keepIfBetter;
  }

  /** What counts for embeddings alone, by the names of a run's configuration. */
  Map<String, @Nullable Object> embeddingAsMap() {
    Map<String, @Nullable Object> map = new LinkedHashMap<>(embeddingLoss().asMap());
    map.put("miniBatchSize", miniBatchSize);
    map.put("querySide", querySide);
    return map;
  }

  /**
   * Refuses what counts for embeddings alone.
   *
   * @throws LoraGraphException if there is some of it
   */
  private void refuseEmbedding(Task other) {
    if (embeddingLoss != null && miniBatchSize == null && !querySide) {
      throw new LoraGraphException(
          "%s has no loss '%s': it has %s"
              .formatted(
                  other, embeddingLoss.name(), String.join(", ", other.internal().lossNames())));
    }
    if (embeddingLoss != null || miniBatchSize != null || querySide) {
      throw new LoraGraphException(
          "losses, parts of batches and query-side training of embeddings do not belong to %s"
              .formatted(other));
    }
  }

  /** Whether adapters are what is trained, maybe besides other parameters. */
  boolean trainsAdapters() {
    return method != Method.FULL;
  }

  /** Whether the run folder gets the whole model besides the adapter. */
  boolean writesModel() {
    return writeModel;
  }

  /** Whether texts of the held-out data may be kept in the run folder. */
  boolean reportsTexts() {
    return reportTexts;
  }

  boolean overwritesOutputDir() {
    return overwriteOutputDir;
  }

  boolean isToBeStopped() {
    return stopAfterSteps > 0;
  }

  /** Whether there are evaluations on the way. */
  boolean evaluatesOnTheWay() {
    return evalSteps > 0 || evalEachEpoch;
  }

  /** Whether it is said by which figure the best of several evaluations is to be told. */
  boolean asksForBest() {
    return !metric().equals(BestEvaluation.SCORE);
  }

  private boolean keepsBest() {
    return !Boolean.FALSE.equals(loadBest);
  }

  /** The figure that tells the best evaluation; in transformers names have a prefix. */
  private String metric() {
    return metricForBest == null ? BestEvaluation.SCORE : metricForBest.replaceFirst("^eval_", "");
  }

  Optional<Precision> cachePrefix() {
    return Optional.ofNullable(cachePrefix);
  }

  /** Whether thresholds of classes are fitted after the last step. */
  boolean fitsThresholds() {
    return fitThresholds;
  }

  /** The share of the training data that is held out; empty for none. */
  Optional<Double> evalSplit() {
    return Optional.ofNullable(evalSplit);
  }

  /** Draws what is held out. */
  long evalSplitSeed() {
    return evalSplitSeed == null ? seed : evalSplitSeed;
  }

  /** The run that is gone on from in another one. */
  Optional<Path> continueFrom() {
    return Optional.ofNullable(continueFrom);
  }

  /** Whether what the optimizer knows is small enough to be kept. */
  boolean keepsState() {
    return outputDir != null && method != Method.FULL && !fewShot;
  }

  boolean writesTensorBoard() {
    return tensorBoard;
  }

  int patience() {
    return patience;
  }

  /**
   * Refuses a figure that is not measured.
   *
   * @throws LoraGraphException if the best evaluation is to be told by one
   */
  void requireMetric(Task task) {
    List<String> names = task.internal().figureNames();
    if (!metric().equals(BestEvaluation.SCORE) && !names.contains(metric())) {
      throw new LoraGraphException(
          "%s has no figure '%s' to tell the best evaluation by: it has %s"
              .formatted(task, metricForBest, String.join(", ", names)));
    }
  }

  /** Whether all classes are to count as much as each other. */
  boolean balancesClasses() {
    return BALANCED.equals(classWeights);
  }

  /** What the loss is told; weights that balance the classes follow from the examples. */
  LossOptions lossOptions() {
    return new LossOptions(labelSmoothing, numbers(), loss);
  }

  /** How tokens are masked, where the task is to find them. */
  Masking masking() {
    return new Masking(mlmProbability, wholeWordMasking);
  }

  /** The weights that are given as numbers; empty where none are. */
  private List<Double> numbers() {
    String text = classWeights;
    if (text == null || balancesClasses()) {
      return List.of();
    }
    try {
      return Arrays.stream(text.split(",", -1)).map(String::strip).map(Double::valueOf).toList();
    } catch (NumberFormatException e) {
      throw new LoraGraphException(
          "the class weights '%s' are no numbers: give one for each class, or '%s'"
              .formatted(text, BALANCED),
          e);
    }
  }

  Optional<Integer> stepsPerCall() {
    return Optional.ofNullable(stepsPerCall);
  }

  EngineKind engineKind() {
    return EngineKind.valueOf(engine.name());
  }

  /** The same as far as it is not about training. */
  InferenceArguments inference() {
    InferenceArguments.Builder builder =
        InferenceArguments.builder()
            .device(device)
            .threads(threads)
            .tf32(tf32)
            .deterministic(deterministic)
            .embedding(embedding);
    if (maxLength != null) {
      builder.maxLength(maxLength);
    }
    if (stride != null) {
      builder.stride(stride);
    }
    if (task != null) {
      builder.task(task);
    }
    return builder.build();
  }

  boolean labelsAllSubwords() {
    return labelAllSubwords;
  }

  TrainableSelection selection() {
    return new TrainableSelection(
        io.github.loragraph.lora.Method.valueOf(method.name()), trainable, trainBias, untie);
  }

  Optimization optimization() {
    if (method == Method.HEAD && loraDropout > 0) {
      throw new LoraGraphException(
          "LoRA dropout drops what enters adapters, and a training of the head alone has none:"
              + " leave it out");
    }
    return new Optimization(
            new AdamW(
                adamBeta1,
                adamBeta2,
                adamEpsilon,
                weightDecay,
                WeightDecay.valueOf(weightDecayOn.name())),
            maxGradNorm,
            new LoraDropout(loraDropout),
            io.github.loragraph.training.Precision.valueOf(precision.name()))
        .withBase(io.github.loragraph.training.BasePrecision.valueOf(base.name()))
        .recomputing(recompute ? Optimization.ALL : 0)
        .withMoments(Moments.valueOf(optim.name()));
  }

  TrainerSettings settings() {
    return settings(outputDir == null ? 0 : saveSteps);
  }

  private TrainerSettings settings(long checkpointEvery) {
    return TrainerSettings.builder()
        .steps(maxSteps)
        .epochs(epochs())
        .learningRate(learningRate())
        .decay(decay())
        .warmUp(new WarmUp(warmupSteps, warmupRatio))
        .logEvery(loggingSteps)
        .evalEvery(evalSteps)
        .checkpointEvery(checkpointEvery)
        .stopAfter(stopAfterSteps)
        .evalEachEpoch(evalEachEpoch)
        .keepsBest(keepsBest())
        .metric(metric())
        .patience(patience)
        .batchSize(trainBatchSize())
        .accumulation(gradientAccumulationSteps)
        .microBatch(microBatch)
        .memory(memory)
        .shuffle(shuffle)
        .seed(seed)
        .build();
  }

  private @Nullable Double epochs() {
    return fewShot && numTrainEpochs == null && maxSteps == null
        ? Double.valueOf(FEW_SHOT_EPOCHS)
        : numTrainEpochs;
  }

  /** Examples in a batch. */
  int trainBatchSize() {
    if (trainBatchSize != null) {
      return trainBatchSize;
    }
    return fewShot ? FEW_SHOT_BATCH_SIZE : BatchSource.BATCH_SIZE;
  }

  private LearningRateSchedule.Decay decay() {
    return LearningRateSchedule.Decay.valueOf(lrScheduler.name());
  }

  /** By the names of {@link RunConfiguration#ARGUMENTS}, as a run's configuration has them. */
  Map<String, Object> asMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("method", io.github.loragraph.lora.Method.valueOf(method.name()).toString());
    map.put("trainable", trainable == null ? null : trainable.pattern());
    map.put("untie", untie);
    map.put("trainBias", trainBias);
    map.put("loraDropout", loraDropout);
    if (loss != null) {
      map.put("loss", loss);
    }
    map.put("labelSmoothing", labelSmoothing);
    map.put("classWeights", classWeights);
    map.put("epochs", numTrainEpochs);
    map.put("steps", maxSteps);
    map.put("batchSize", trainBatchSize());
    map.put("accumulate", gradientAccumulationSteps);
    if (!microBatch.equals(MicroBatch.RULE)) {
      map.put("microBatch", microBatch.toString());
    }
    map.put("lr", learningRate());
    map.put("schedule", decay().toString());
    map.put("warmupSteps", warmupSteps);
    map.put("warmupRatio", warmupRatio);
    map.put("warmup", null);
    map.put("weightDecay", weightDecay);
    map.put("weightDecayOn", WeightDecay.valueOf(weightDecayOn.name()).toString());
    map.put("beta1", adamBeta1);
    map.put("beta2", adamBeta2);
    map.put("epsilon", adamEpsilon);
    map.put("maxGradNorm", maxGradNorm);
    map.put("seed", seed);
    map.put("shuffle", shuffle);
    map.put("logEvery", loggingSteps);
    map.put("evalEvery", evalEachEpoch ? RunConfiguration.EPOCH : evalSteps);
    map.put(RunConfiguration.SAVE_BEST, keepsBest() ? metric() : RunConfiguration.NONE);
    if (patience > 0) {
      map.put(RunConfiguration.PATIENCE, patience);
    }
    if (continueFrom != null) {
      map.put(RunConfiguration.CONTINUE_FROM, continueFrom.toAbsolutePath().normalize().toString());
    }
    if (tensorBoard) {
      map.put(RunConfiguration.TENSORBOARD, true);
    }
    if (evalSplit != null) {
      map.put(RunConfiguration.EVAL_SPLIT, evalSplit);
    }
    if (evalSplitSeed != null) {
      map.put(RunConfiguration.EVAL_SPLIT_SEED, evalSplitSeed);
    }
    if (fitThresholds) {
      map.put(RunConfiguration.FIT_THRESHOLDS, true);
    }
    if (base != BasePrecision.FP32) {
      map.put(RunConfiguration.BASE, optimization().base().toString());
    }
    if (recompute) {
      map.put(RunConfiguration.RECOMPUTE, true);
    }
    if (!memory.equals(MemoryLimit.NONE)) {
      map.put(RunConfiguration.MEMORY, memory.bytes());
    }
    if (optim != Optim.ADAMW) {
      map.put(RunConfiguration.OPTIM, optimization().moments().toString());
    }
    if (cachePrefix != null) {
      map.put(RunConfiguration.CACHE_PREFIX, true);
      map.put(
          RunConfiguration.CACHE_PRECISION,
          io.github.loragraph.training.Precision.valueOf(cachePrefix.name()).toString());
    }
    map.put("checkpointEvery", saveSteps);
    map.put("maxTrainExamples", maxTrainSamples);
    if (examplesPerClass != null) {
      map.put("examplesPerClass", examplesPerClass);
    }
    if (fewShot) {
      map.put("fewShot", true);
      map.put("fewShotIterations", fewShotIterations());
    }
    map.put("engine", engineKind().toString());
    map.put("precision", optimization().precision().toString());
    if (keepIfBetter) {
      map.put("keepIfBetter", true);
    }
    if (writeModel) {
      map.put(RunConfiguration.WRITE_MODEL, true);
    }
    if (!reportTexts) {
      map.put(RunConfiguration.NO_REPORT_TEXTS, true);
    }
    streaming()
        .ifPresent(
            streams ->
                map.put(
                    streams ? RunConfiguration.STREAMING : RunConfiguration.NO_STREAMING, true));
    return map;
  }

  /**
   * Builds {@link TrainingArguments}. Not for use by several threads. What is not set is left out:
   * none of the setters takes null.
   */
  public static final class Builder {
    private Method method = Method.LORA;
    private @Nullable Pattern trainable;
    private boolean untie;
    private boolean trainBias;
    private double loraDropout;
    private @Nullable String loss;
    private double labelSmoothing;
    private double mlmProbability = Masking.PROBABILITY;
    private boolean wholeWordMasking;
    private @Nullable String classWeights;
    private @Nullable Double numTrainEpochs;
    private @Nullable Long maxSteps;
    private @Nullable Integer trainBatchSize;
    private int gradientAccumulationSteps = 1;
    private MicroBatch microBatch = MicroBatch.RULE;
    private @Nullable Double learningRate;
    private Scheduler lrScheduler = Scheduler.LINEAR;
    private long warmupSteps;
    private double warmupRatio;
    private double weightDecay;
    private DecayOn weightDecayOn = DecayOn.WEIGHTS;
    private double adamBeta1 = 0.9;
    private double adamBeta2 = 0.999;
    private double adamEpsilon = 1e-8;
    private double maxGradNorm = TrainingJob.MAX_GRADIENT_NORM;
    private long seed;
    private boolean shuffle = true;
    private long loggingSteps = 10;
    private long evalSteps;
    private long saveSteps = 500;
    private @Nullable Integer maxTrainSamples;
    private @Nullable Boolean streaming;
    private @Nullable Path cacheDir;
    private @Nullable Integer examplesPerClass;
    private boolean fewShot;
    private @Nullable Integer fewShotIterations;
    private Engine engine = Engine.AUTO;
    private Precision precision = Precision.FP32;
    private @Nullable Integer stepsPerCall;
    private @Nullable Integer maxLength;
    private @Nullable Integer stride;
    private boolean labelAllSubwords;
    private @Nullable Task task;
    private EmbeddingArguments embedding = EmbeddingArguments.AS_FOUND;
    private Device device = Device.AUTO;
    private int threads;
    private boolean tf32 = true;
    private boolean deterministic = true;
    private @Nullable EmbeddingLoss embeddingLoss;
    private @Nullable Integer miniBatchSize;
    private boolean querySide;
    private boolean keepIfBetter;
    private @Nullable Path outputDir;
    private boolean overwriteOutputDir;
    private boolean writeModel;
    private boolean reportTexts = true;
    private boolean resume;
    private long stopAfterSteps;
    private boolean evalEachEpoch;
    private @Nullable Boolean loadBest;
    private @Nullable String metricForBest;
    private int patience;
    private @Nullable Double evalSplit;
    private @Nullable Long evalSplitSeed;
    private boolean fitThresholds;
    private @Nullable Precision cachePrefix;
    private BasePrecision base = BasePrecision.FP32;
    private boolean recompute;
    private MemoryLimit memory = MemoryLimit.NONE;
    private Optim optim = Optim.ADAMW;
    private boolean tensorBoard;
    private @Nullable Path continueFrom;

    private Builder() {}

    /** What is trained; the adapters and the head unless set. */
    public Builder method(Method method) {
      this.method = Objects.requireNonNull(method, "method");
      return this;
    }

    /**
     * Further parameters to train: those in whose names the expression is found anywhere, {@code
     * "LayerNorm"} for example; none unless set.
     */
    public Builder trainable(Pattern expression) {
      trainable = Objects.requireNonNull(expression, "trainable");
      return this;
    }

    /**
     * The same; a text is a regular expression.
     *
     * @throws java.util.regex.PatternSyntaxException if it is none
     */
    public Builder trainable(String expression) {
      return trainable(Pattern.compile(expression));
    }

    /**
     * Whether the copies of a tied weight, which a file may hold several times, are trained each
     * for itself.
     */
    public Builder untie(boolean untie) {
      this.untie = untie;
      return this;
    }

    /** Whether the biases of adapted layers are trained, too: {@code bias="lora_only"} of PEFT. */
    public Builder trainBias(boolean trainBias) {
      this.trainBias = trainBias;
      return this;
    }

    /**
     * PEFT's {@code lora_dropout}: share of the adapters' input that is dropped in training, in [0,
     * 1); 0 unless set.
     */
    public Builder loraDropout(double loraDropout) {
      this.loraDropout = loraDropout;
      return this;
    }

    /**
     * The loss of a task that has several, by its name: {@code list-net} of {@link Task#RERANK};
     * the usual one unless set.
     */
    public Builder loss(String name) {
      loss = Objects.requireNonNull(name, "loss");
      return this;
    }

    /** Share of a label that is spread over all classes, in [0, 1); 0 unless set. */
    public Builder labelSmoothing(double labelSmoothing) {
      this.labelSmoothing = labelSmoothing;
      return this;
    }

    /**
     * The probability of each token to be masked, above 0 and at most 1, for {@link Task#MASKED_LM}
     * alone; 0.15 unless set.
     */
    public Builder mlmProbability(double mlmProbability) {
      this.mlmProbability = mlmProbability;
      return this;
    }

    /** Whether all tokens of a word are masked together, for {@link Task#MASKED_LM} alone. */
    public Builder wholeWordMasking(boolean wholeWordMasking) {
      this.wholeWordMasking = wholeWordMasking;
      return this;
    }

    /**
     * How much each class counts in the loss, in the order of the model's labels; all as much as
     * each other unless set.
     */
    public Builder classWeights(double... weights) {
      return classWeights(
          Arrays.stream(weights).mapToObj(Double::toString).collect(Collectors.joining(",")));
    }

    /**
     * The same as text: numbers divided by commas, or {@code balanced}: all classes count as much
     * as each other, however many examples they have.
     */
    public Builder classWeights(String weights) {
      classWeights = Objects.requireNonNull(weights, "classWeights");
      return this;
    }

    /**
     * Passes over the data, more than 0; 3 unless set, where no steps are set either, and 1 over
     * the pairs of {@link #fewShot}.
     */
    public Builder numTrainEpochs(double epochs) {
      numTrainEpochs = epochs;
      return this;
    }

    /** Steps, 1 or more. Beside epochs the run ends with what ends first. */
    public Builder maxSteps(long steps) {
      maxSteps = steps;
      return this;
    }

    /**
     * {@code per_device_train_batch_size}: examples in a batch, 1 or more; 8 unless set, and 16
     * pairs with {@link #fewShot}.
     */
    public Builder trainBatchSize(int examples) {
      trainBatchSize = examples;
      return this;
    }

    /** Batches that make up one step, as one batch of all their examples would; 1 unless set. */
    public Builder gradientAccumulationSteps(int gradientAccumulationSteps) {
      this.gradientAccumulationSteps = gradientAccumulationSteps;
      return this;
    }

    /**
     * The most examples of a batch that go through the model at once, 1 or more; a batch that has
     * no more is in one piece. A step learns from its whole batch all the same, with its numbers
     * but for rounding; memory and time are those of the pieces. Unless set, a rule says it: on a
     * CPU 512 tokens, or 1,024 where much of the model is trained; on a GPU each batch is in one.
     */
    public Builder microBatchSize(int examples) {
      microBatch = MicroBatch.ofExamples(examples);
      return this;
    }

    /**
     * Takes what a short measurement at the beginning says, in trainings of 200 steps and more:
     * what the rule says unless another size is more than a tenth faster. What was taken is kept
     * where the training is gone on with.
     */
    public Builder microBatchByMeasurement() {
      microBatch = MicroBatch.AUTO;
      return this;
    }

    /**
     * The same in tokens, those counted that pad them: pieces of short texts have more examples.
     * One example is in a piece in any case.
     */
    public Builder microBatchTokens(int tokens) {
      microBatch = MicroBatch.ofTokens(tokens);
      return this;
    }

    /**
     * The highest learning rate, more than 0; 5e-4 unless set, and 5e-5 with {@link Method#FULL};
     * over the pairs of {@link #fewShot} 5e-3 and 2e-5.
     */
    public Builder learningRate(double rate) {
      learningRate = rate;
      return this;
    }

    /** What the learning rate does; {@link Scheduler#LINEAR} unless set. */
    public Builder lrScheduler(Scheduler lrScheduler) {
      this.lrScheduler = Objects.requireNonNull(lrScheduler, "lrScheduler");
      return this;
    }

    /** Steps over which the learning rate rises from 0; none unless set. */
    public Builder warmupSteps(long warmupSteps) {
      this.warmupSteps = warmupSteps;
      return this;
    }

    /** The same as a share of all steps, in [0, 1]; {@link #warmupSteps} wins. */
    public Builder warmupRatio(double warmupRatio) {
      this.warmupRatio = warmupRatio;
      return this;
    }

    /** AdamW's weight decay; 0 unless set. */
    public Builder weightDecay(double weightDecay) {
      this.weightDecay = weightDecay;
      return this;
    }

    /** Which parameters decay; {@link DecayOn#WEIGHTS} unless set. */
    public Builder weightDecayOn(DecayOn weightDecayOn) {
      this.weightDecayOn = Objects.requireNonNull(weightDecayOn, "weightDecayOn");
      return this;
    }

    /** AdamW's; 0.9 unless set. */
    public Builder adamBeta1(double adamBeta1) {
      this.adamBeta1 = adamBeta1;
      return this;
    }

    /** AdamW's; 0.999 unless set. */
    public Builder adamBeta2(double adamBeta2) {
      this.adamBeta2 = adamBeta2;
      return this;
    }

    /** AdamW's; 1e-8 unless set. */
    public Builder adamEpsilon(double adamEpsilon) {
      this.adamEpsilon = adamEpsilon;
      return this;
    }

    /** Gradients are scaled down to this norm; 1 unless set, 0 for never. */
    public Builder maxGradNorm(double maxGradNorm) {
      this.maxGradNorm = maxGradNorm;
      return this;
    }

    /** Seed of the order of the data, of dropout and of {@link #maxTrainSamples}; 0 unless set. */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /** Whether each epoch is shuffled, batches by length; yes unless set. */
    public Builder shuffle(boolean shuffle) {
      this.shuffle = shuffle;
      return this;
    }

    /** Steps between two log entries; 10 unless set, 0 for none. */
    public Builder loggingSteps(long loggingSteps) {
      this.loggingSteps = loggingSteps;
      return this;
    }

    /** Steps between two evaluations on the way; 0 unless set: one at the end only. */
    public Builder evalSteps(long evalSteps) {
      this.evalSteps = evalSteps;
      return this;
    }

    /**
     * A share of the training data to hold out and measure with, where no held-out data are given:
     * drawn by {@link #evalSplitSeed} as {@link Dataset#split} draws, before anything else is drawn
     * of it.
     *
     * @throws LoraGraphException if it is not above 0 and below 1
     */
    public Builder evalSplit(double share) {
      if (!(share > 0 && share < 1)) {
        throw new LoraGraphException(
            "a share of %s cannot be held out: give one above 0 and below 1".formatted(share));
      }
      evalSplit = share;
      return this;
    }

    /**
     * Draws what {@link #evalSplit} holds out; unless set the {@link #seed} does. Trainings from
     * several seeds are measured on the same examples by one of their own for this.
     */
    public Builder evalSplitSeed(long evalSplitSeed) {
      this.evalSplitSeed = evalSplitSeed;
      return this;
    }

    /**
     * Whether, after the last step, the threshold of each class of a {@link Task#MULTILABEL} model
     * is set to where the F1 of the class is largest on the held-out data, in place of a half. The
     * thresholds go into {@code config.json} with the model, and decide its answers from then on;
     * evaluations on the way are by a half.
     */
    public Builder fitThresholds(boolean fitThresholds) {
      this.fitThresholds = fitThresholds;
      return this;
    }

    /**
     * In what the frozen layers compute while training: 8 bits are several times faster on
     * processors with instructions for them (VNNI, AMX), and round. What is trained, evaluations
     * and the model that is written are in single precision. For a training on the CPU in {@link
     * Precision#FP32}.
     */
    public Builder base(BasePrecision base) {
      this.base = Objects.requireNonNull(base, "base");
      return this;
    }

    /**
     * Whether a step keeps of its forward pass only what comes out of each half of a layer, and
     * computes the rest a second time on its way back: {@code gradient_checkpointing} of
     * transformers. That takes a fraction of the memory for a batch and about a third more time;
     * the loss is that of a training without it, but for rounding.
     */
    public Builder recompute(boolean recompute) {
      this.recompute = recompute;
      return this;
    }

    /**
     * Keeps the peak of the memory of the whole process, since it began and with what it has from
     * before the training, below so many bytes, 1 or more: as many pieces of the layers are
     * computed a second time as that takes, as by {@link #recompute}, and, where all of them are
     * not enough and no size of micro-batches is set, those are smaller. It is found by a short
     * measurement at the beginning, said in a line, and kept where the training is gone on with. A
     * training for which nothing is enough is refused. The heap of the whole Java machine is
     * collected before the first step, and where it has grown by 64 MiB. For a training on the CPU,
     * on Linux.
     */
    public Builder memory(long bytes) {
      memory = MemoryLimit.of(bytes);
      return this;
    }

    /**
     * In what AdamW keeps the moments of large tensors between steps: codes of 8 bits need a
     * quarter of their memory, and round by chance. What is trained and the update are in single
     * precision. For a training on the CPU by the engine {@code graph} in {@link Precision#FP32}.
     */
    public Builder optim(Optim optim) {
      this.optim = Objects.requireNonNull(optim, "optim");
      return this;
    }

    /**
     * Keeps what the frozen layers below the first one that is trained make of each example in a
     * file, so that an epoch costs what comes after them alone: with adapters in the last layers,
     * or a head alone. The file is as large as the examples have tokens times the width of a layer,
     * and goes with the training. The loss is that of a training without it, but for rounding:
     * {@link Precision#FP32} keeps the numbers, {@link Precision#FP16} rounds them in half the
     * room.
     *
     * @throws LoraGraphException if another precision is asked for
     */
    public Builder cachePrefix(Precision precision) {
      if (precision == Precision.BF16) {
        throw new LoraGraphException("what frozen layers make of examples is kept in fp32 or fp16");
      }
      this.cachePrefix = precision;
      return this;
    }

    /**
     * Whether the run folder gets event files, which TensorBoard shows: {@code report_to} of
     * transformers.
     */
    public Builder tensorBoard(boolean write) {
      tensorBoard = write;
      return this;
    }

    /**
     * A finished run to go on from, whose model is the one that is trained: the epochs are those
     * after its own, so that the order of the examples is another one, and AdamW goes on with the
     * moments that the run kept, where it trained adapters or a head. Epochs, steps, learning rate
     * and warm-up are those of the new run.
     */
    public Builder continueFrom(Path run) {
      continueFrom = Objects.requireNonNull(run, "run");
      return this;
    }

    /** Whether the end of each epoch is evaluated, in the place of {@link #evalSteps}. */
    public Builder evalEachEpoch(boolean evaluate) {
      evalEachEpoch = evaluate;
      return this;
    }

    /**
     * Whether a training with several evaluations on held-out data ends with the parameters of the
     * best of them, of equal ones the first; yes unless set, otherwise than in transformers.
     * Evaluations of {@link #stopAfterSteps} do not count.
     */
    public Builder loadBestModelAtEnd(boolean loadBest) {
      this.loadBest = loadBest;
      return this;
    }

    /**
     * The figure that tells the best evaluation, as {@link Evaluation#metrics} names it; {@link
     * Evaluation#score} unless set. Whether more or less of it is better is known.
     */
    public Builder metricForBestModel(String metric) {
      metricForBest = Objects.requireNonNull(metric, "metric");
      return this;
    }

    /**
     * How many evaluations on the way, one after the other and none better than the best, end the
     * training; unless set none do.
     *
     * @throws LoraGraphException if it is not 1 or more
     */
    public Builder earlyStoppingPatience(int evaluations) {
      if (evaluations < 1) {
        throw new LoraGraphException(
            "patience for %d evaluations is not possible: give 1 or more".formatted(evaluations));
      }
      patience = evaluations;
      return this;
    }

    /** Steps between two checkpoints in the run folder; 500 unless set, 0 for none. */
    public Builder saveSteps(long saveSteps) {
      this.saveSteps = saveSteps;
      return this;
    }

    /** Train on so many examples, drawn by the seed; on all unless set. */
    public Builder maxTrainSamples(int examples) {
      maxTrainSamples = examples;
      return this;
    }

    /**
     * Whether files of examples with one label each are not held in memory: their rows are read
     * once, and become tokens in files of the cache while the training goes on. Nothing of a
     * training depends on it. Files of 64 MB and more are, unless set.
     */
    public Builder streaming(boolean streams) {
      streaming = streams;
      return this;
    }

    /** Where the tokens of streamed data are kept; in the tool's cache unless set. */
    public Builder cacheDir(Path folder) {
      cacheDir = folder;
      return this;
    }

    /**
     * Train on so many examples of each class, drawn by the seed; on all unless set. Only for
     * {@link Task#CLASSIFICATION}, and not beside {@link #maxTrainSamples}.
     */
    public Builder maxTrainSamplesPerClass(int examples) {
      examplesPerClass = examples;
      return this;
    }

    /**
     * Whether a classifier is trained by the recipe of SetFit (Tunstall et al., 2022, arXiv
     * 2209.11055), which needs but 4 to 64 examples of each class: pairs are drawn from them, two
     * of one class or of two; the encoder is trained on the pairs, so that the cosine of their
     * vectors is 1 or 0; then the head is fitted to the vectors. Steps, epochs, batches, learning
     * rate and adapters are those of the pairs; class weights and label smoothing those of the
     * head.
     */
    public Builder fewShot(boolean fewShot) {
      this.fewShot = fewShot;
      return this;
    }

    /**
     * {@code num_iterations} of SetFit: of how many pairs of each kind, alike and not, each example
     * of {@link #fewShot} is the first, 1 or more; 20 unless set.
     */
    public Builder fewShotIterations(int pairs) {
      fewShotIterations = pairs;
      return this;
    }

    /** What runs the steps; {@link Engine#AUTO} unless set. */
    public Builder engine(Engine engine) {
      this.engine = Objects.requireNonNull(engine, "engine");
      return this;
    }

    /** What matrix products are computed in; {@link Precision#FP32} unless set. */
    public Builder precision(Precision precision) {
      this.precision = Objects.requireNonNull(precision, "precision");
      return this;
    }

    /**
     * Steps (with accumulation: batches) that the graph engine runs in one call, between which
     * nothing is copied from or to the device; 1 unless set, and 8 on a GPU.
     */
    public Builder stepsPerCall(int steps) {
      stepsPerCall = steps;
      return this;
    }

    /** What {@link Task#EMBEDDING} is trained by; multiple negatives unless set. */
    public Builder embeddingLoss(EmbeddingLoss loss) {
      embeddingLoss = Objects.requireNonNull(loss, "embeddingLoss");
      return this;
    }

    /**
     * {@code mini_batch_size}: the most examples of {@link Task#EMBEDDING} that go through the
     * model at once, so that a batch of any size needs the memory of so many: the gradient is that
     * of the whole batch, for one forward pass more. Whole batches unless set.
     */
    public Builder miniBatchSize(int examples) {
      miniBatchSize = examples;
      return this;
    }

    /**
     * Whether {@link Task#EMBEDDING} trains the encoder of the first texts (the queries) alone: the
     * vectors of the others are computed once by the model as it is, and an index that was built
     * with it stays as it is.
     */
    public Builder querySide(boolean querySide) {
      this.querySide = querySide;
      return this;
    }

    /**
     * Whether the model stays as it was where it does not do better on the held-out data
     * afterwards.
     */
    public Builder keepIfBetter(boolean keepIfBetter) {
      this.keepIfBetter = keepIfBetter;
      return this;
    }

    /** Tokens of a text, longer ones are cut; what the model takes unless set, at most 512. */
    public Builder maxLength(int tokens) {
      maxLength = tokens;
      return this;
    }

    /** How an encoder embeds; as its run or the files beside it say unless set. */
    public Builder embedding(EmbeddingArguments embedding) {
      this.embedding = Objects.requireNonNull(embedding, "embedding");
      return this;
    }

    /**
     * Tokens that two windows of a text have in common that is longer than the maximum and is read
     * by words; a quarter of a window unless set.
     */
    public Builder stride(int tokens) {
      stride = tokens;
      return this;
    }

    /**
     * Whether all tokens of a word are trained to have its label, {@code I-} after the first, not
     * the first alone; no unless set.
     */
    public Builder labelAllSubwords(boolean label) {
      labelAllSubwords = label;
      return this;
    }

    /** What the model answers; by its configuration, else by its outputs, unless set. */
    public Builder task(Task task) {
      this.task = Objects.requireNonNull(task, "task");
      return this;
    }

    /** What computes; {@link Device#AUTO} unless set. */
    public Builder device(Device device) {
      this.device = Objects.requireNonNull(device, "device");
      return this;
    }

    /** Threads that compute one operator; 0, and unless set, one for each core. */
    public Builder threads(int threads) {
      this.threads = threads;
      return this;
    }

    /**
     * Whether a GPU may round the factors of single-precision products to TensorFloat-32; yes
     * unless set.
     */
    public Builder tf32(boolean tf32) {
      this.tf32 = tf32;
      return this;
    }

    /**
     * Whether a GPU adds in the same order each time, so that the same run has the same bytes; yes
     * unless set.
     */
    public Builder deterministic(boolean deterministic) {
      this.deterministic = deterministic;
      return this;
    }

    /**
     * The run folder: the trained model with its files, {@code config.yaml} (these arguments),
     * {@code metrics.jsonl} (a line for each log entry and evaluation), and checkpoints while the
     * training goes on. Unless set nothing is written, and there are no checkpoints.
     */
    public Builder outputDir(Path folder) {
      outputDir = Objects.requireNonNull(folder, "outputDir");
      return this;
    }

    /**
     * Whether a run folder that stands there is replaced; it comes back if the training fails
     * before its first checkpoint.
     */
    public Builder overwriteOutputDir(boolean overwriteOutputDir) {
      this.overwriteOutputDir = overwriteOutputDir;
      return this;
    }

    /**
     * Whether the run folder gets the whole model, {@code model.onnx}, besides its adapter; false
     * unless set. It does in any case where the adapter is not all that was trained, as by {@link
     * Method#FULL}, or where the model that was trained is in no file; then it may refer to the
     * weights of the model that it was trained from.
     */
    public Builder writeModel(boolean writeModel) {
      this.writeModel = writeModel;
      return this;
    }

    /**
     * Whether the report of the run shows the texts of held-out examples that were answered worst,
     * 500 characters of each; true unless set. They are in the run folder then: leave them out
     * where texts may not be stored there.
     */
    public Builder reportTexts(boolean reportTexts) {
      this.reportTexts = reportTexts;
      return this;
    }

    /**
     * Whether the training that was stopped in the run folder is gone on with: from its last
     * checkpoint that is whole, to the very same bytes. Model, data and arguments have to be those
     * that it was begun with. {@link RunState#of} says whether there is one to go on with; where
     * there is none, the training is refused.
     */
    public Builder resumeFromCheckpoint(boolean resume) {
      this.resume = resume;
      return this;
    }

    /**
     * The step after which the training is stopped, with a checkpoint in its run folder and, where
     * there are held-out data, an evaluation: {@link TrainingCancelledException} says so. It is the
     * training over all its steps, learning rate included, and is gone on with to the very same
     * bytes ({@link #resumeFromCheckpoint}). Where it is over before, it ends as ever. Unless set
     * it is not stopped.
     */
    public Builder stopAfterSteps(long step) {
      if (step < 1) {
        throw new LoraGraphException(
            "a stop after step %d is not possible: give 1 or more".formatted(step));
      }
      stopAfterSteps = step;
      return this;
    }

    /**
     * The arguments.
     *
     * @throws LoraGraphException if a number is not possible
     */
    public TrainingArguments build() {
      TrainingArguments arguments = new TrainingArguments(this);
      arguments.settings(saveSteps);
      arguments.optimization();
      arguments.lossOptions();
      if (maxTrainSamples != null && maxTrainSamples < 1) {
        throw new LoraGraphException(
            "a training on %d examples is not possible: give 1 or more".formatted(maxTrainSamples));
      }
      if (examplesPerClass != null && examplesPerClass < 1) {
        throw new LoraGraphException(
            "a training on %d examples of each class is not possible: give 1 or more"
                .formatted(examplesPerClass));
      }
      if (examplesPerClass != null && maxTrainSamples != null) {
        throw new LoraGraphException(
            "examples are drawn of each class or of all, not both: leave one of the two numbers out");
      }
      requireFewShot();
      Sessions.requireThreads(threads);
      if (stepsPerCall != null && stepsPerCall < 1) {
        throw new LoraGraphException(
            "%d steps in a call are not possible: give 1 or more".formatted(stepsPerCall));
      }
      if (miniBatchSize != null) {
        requireParts(miniBatchSize, arguments.trainBatchSize());
      }
      requireMemory();
      InferenceArguments.requireMaxLength(maxLength);
      InferenceArguments.requireStride(stride);
      return arguments;
    }

    private void requireMemory() {
      if (memory.equals(MemoryLimit.NONE)) {
        return;
      }
      if (recompute) {
        throw new LoraGraphException(
            "a limit of memory says what is computed again, and all of it is asked for: leave one of"
                + " the two out");
      }
      if (microBatch.equals(MicroBatch.AUTO)) {
        throw new LoraGraphException(
            "the fastest micro-batches may take more memory than a limit leaves: give a size of them,"
                + " or leave one of the two out");
      }
    }

    private void requireParts(int parts, int batchSize) {
      if (parts < 1) {
        throw new LoraGraphException(
            "parts of %d examples are not possible: give 1 or more".formatted(parts));
      }
      if (querySide) {
        throw new LoraGraphException(
            "a training of the query side has one small tower in a step and takes no parts of a"
                + " batch: leave one of the two out");
      }
      if (parts < batchSize && loraDropout > 0) {
        throw new LoraGraphException(
            "LoRA dropout would drop something else in each pass over a batch in parts: leave one"
                + " of the two out");
      }
    }

    private void requireFewShot() {
      if (!fewShot) {
        if (fewShotIterations != null) {
          throw new LoraGraphException(
              "pairs for each example are drawn in few-shot training alone: ask for that, or leave"
                  + " their number out");
        }
        return;
      }
      if (fewShotIterations != null && fewShotIterations < 1) {
        throw new LoraGraphException(
            "%d pairs for each example are not possible: give 1 or more"
                .formatted(fewShotIterations));
      }
      if (method == Method.HEAD) {
        throw new LoraGraphException(
            "few-shot training trains the encoder on pairs before it fits the head: a training of"
                + " the head alone is another one, so leave one of the two out");
      }
      if (keepIfBetter) {
        throw new LoraGraphException(
            "few-shot training fits a new head, so the model before it is nothing to compare with:"
                + " leave it out to keep the model if it is not better");
      }
    }
  }
}
