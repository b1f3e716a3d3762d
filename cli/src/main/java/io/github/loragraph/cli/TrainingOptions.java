package io.github.loragraph.cli;

import io.github.loragraph.TrainingArguments;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.SettingsLayer;
import io.github.loragraph.lora.Method;
import io.github.loragraph.trainer.LearningRateSchedule;
import io.github.loragraph.trainer.MemoryLimit;
import io.github.loragraph.trainer.MicroBatch;
import io.github.loragraph.training.BasePrecision;
import io.github.loragraph.training.Moments;
import io.github.loragraph.training.Precision;
import io.github.loragraph.training.WeightDecay;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * The options that decide the course of a training; their names are those of {@code config.yaml}.
 *
 * <p>Long because each option stands here once, with its words.
 */
final class TrainingOptions {
  @Option(
      names = "--method",
      defaultValue = "lora",
      converter = MethodConverter.class,
      completionCandidates = MethodConverter.class,
      description = "What to train: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  Method method;

  @Option(
      names = "--trainable",
      paramLabel = "REGEX",
      converter = RegexConverter.class,
      description =
          "Train parameters too in whose names this is found, LayerNorm for example"
              + " (inspect --verbose lists the names).")
  @Nullable Pattern trainable;

  @Option(
      names = "--untie",
      description =
          "Train the copies of a tied weight, which a file may hold several times, each for"
              + " itself.")
  boolean untie;

  @Option(names = "--train-bias", description = "Train the biases of adapted Linear layers, too.")
  boolean trainBias;

  @Option(
      names = "--lora-dropout",
      paramLabel = "P",
      defaultValue = "0",
      description =
          "Share of the adapters' input that is dropped in training (default: ${DEFAULT-VALUE}).")
  double loraDropout;

  @Option(
      names = "--label-smoothing",
      paramLabel = "P",
      defaultValue = "0",
      description = "Share of a label spread over all classes (default: ${DEFAULT-VALUE}).")
  double labelSmoothing;

  @Option(
      names = "--class-weights",
      paramLabel = "W,W,...",
      description =
          "How much each class counts in the loss, in the order of the labels; 'balanced': all"
              + " classes as much as each other.")
  @Nullable String classWeights;

  @Option(
      names = "--mlm-probability",
      paramLabel = "P",
      description = "With --task masked-lm: share of the tokens that are masked (default: 0.15).")
  @Nullable Double mlmProbability;

  @Option(
      names = "--whole-word-masking",
      description = "With --task masked-lm: mask all tokens of a word together.")
  boolean wholeWordMasking;

  @Option(
      names = "--label-all-subwords",
      description =
          "Train all tokens of a word to have its label, I- after the first, not the first alone.")
  boolean labelAllSubwords;

  @Option(
      names = {"--epochs", "--num-train-epochs"},
      paramLabel = "<epochs>",
      description =
          "Passes over the data (default: 3, where no steps are given; 1 over the pairs of"
              + " --few-shot).")
  @Nullable Double epochs;

  @Option(
      names = {"--steps", "--max-steps"},
      paramLabel = "<steps>",
      description = "Steps. Beside epochs the run ends with what ends first.")
  @Nullable Long steps;

  @Option(
      names = {"--batch-size", "--per-device-train-batch-size"},
      paramLabel = "<batchSize>",
      description = "Examples in a batch (default: 8; with --few-shot 16 pairs).")
  @Nullable Integer batchSize;

  @Option(
      names = {"--accumulate", "--gradient-accumulation-steps"},
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Batches that make up one step, as one batch of all their examples would; the last step"
              + " of an epoch has those that are left (default: ${DEFAULT-VALUE}).")
  int accumulate;

  @Option(
      names = "--micro-batch",
      paramLabel = "N",
      converter = MicroBatchConverter.class,
      description =
          "Examples of a batch that are computed at once, or tokens with their padding"
              + " (512-tokens), or all; auto measures, in runs of 200 steps and more. A step learns"
              + " from its whole batch all the same; time and memory are those of the pieces (default:"
              + " rule, on a CPU 512-tokens, or 1024-tokens where much of the model is trained, and"
              + " all on a GPU).")
  @Nullable MicroBatch microBatch;

  @Option(
      names = {"--lr", "--learning-rate"},
      paramLabel = "<lr>",
      description =
          "The highest learning rate (default: 5e-4; with --method full 5e-5; with --few-shot 5e-3,"
              + " or 2e-5).")
  @Nullable Double lr;

  @Option(
      names = {"--schedule", "--lr-scheduler", "--lr-scheduler-type"},
      paramLabel = "<schedule>",
      defaultValue = "linear",
      converter = ScheduleConverter.class,
      completionCandidates = ScheduleConverter.class,
      description = "The learning rate's: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  LearningRateSchedule.Decay schedule;

  @Option(
      names = "--warmup-steps",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Steps over which the learning rate rises from 0 (default: ${DEFAULT-VALUE}: none).")
  long warmupSteps;

  @Option(
      names = "--warmup-ratio",
      paramLabel = "P",
      defaultValue = "0",
      description =
          "The same as a share of all steps; --warmup-steps wins (default: ${DEFAULT-VALUE}).")
  double warmupRatio;

  /** What stood for both: 1 and above for steps, below for the ratio. */
  @Option(names = "--warmup", hidden = true)
  @Nullable Double warmup;

  @Option(
      names = "--weight-decay",
      defaultValue = "0",
      description = "AdamW's (default: ${DEFAULT-VALUE}).")
  double weightDecay;

  @Option(
      names = "--weight-decay-on",
      paramLabel = "WHAT",
      defaultValue = "weights",
      converter = WeightDecayConverter.class,
      completionCandidates = WeightDecayConverter.class,
      description =
          "weights: all but biases and normalization weights, or all (default: ${DEFAULT-VALUE}).")
  WeightDecay weightDecayOn;

  @Option(
      names = {"--beta1", "--adam-beta1"},
      paramLabel = "<beta1>",
      defaultValue = "0.9",
      description = "AdamW's (default: 0.9).")
  double beta1;

  @Option(
      names = {"--beta2", "--adam-beta2"},
      paramLabel = "<beta2>",
      defaultValue = "0.999",
      description = "AdamW's (default: 0.999).")
  double beta2;

  @Option(
      names = {"--epsilon", "--adam-epsilon"},
      paramLabel = "<epsilon>",
      defaultValue = "1e-8",
      description = "AdamW's (default: 1e-8).")
  double epsilon;

  @Option(
      names = "--max-grad-norm",
      defaultValue = "1",
      description = "Gradients are scaled down to this norm (default: ${DEFAULT-VALUE}; 0: never).")
  double maxGradNorm;

  @Option(
      names = "--seed",
      defaultValue = "0",
      description =
          "Seed of the order of the data, of dropout and of what is drawn: --max-train-examples,"
              + " --examples-per-class, pairs of --few-shot (default:"
              + " ${DEFAULT-VALUE}).")
  long seed;

  @Option(
      names = "--shuffle",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description = "Shuffle each epoch, batches by length (default: yes).")
  boolean shuffle;

  @Option(
      names = "--log-every",
      defaultValue = "10",
      converter = StepsConverter.class,
      description = "Steps between log lines (default: ${DEFAULT-VALUE}; 0: none).")
  long logEvery;

  @Option(
      names = {"--eval-every", "--eval-steps"},
      paramLabel = "N",
      defaultValue = "0",
      converter = EvaluationsConverter.class,
      description = "Steps between evaluations, or 'epoch' (default: 0, at the end only).")
  long evalEvery;

  @Option(
      names = "--tensorboard",
      description = "Write event files for TensorBoard into the run folder, too.")
  boolean tensorboard;

  @Option(
      names = "--eval-split",
      paramLabel = "P",
      description =
          "Hold a share of the training data out, drawn by the seed, of each class as much as of all:"
              + " in the place of --eval.")
  @Nullable Double evalSplit;

  @Option(
      names = "--eval-split-seed",
      paramLabel = "N",
      description =
          "Draw what --eval-split holds out by this seed, so that trainings from several seeds are"
              + " measured on the same examples (default: --seed).")
  @Nullable Long evalSplitSeed;

  @Option(
      names = "--fit-thresholds",
      description =
          "Of a multilabel model: after the last step set the probability from which each class is"
              + " answered to where its F1 is largest on the held-out data, in place of a half.")
  boolean fitThresholds;

  @Option(
      names = "--base",
      defaultValue = "fp32",
      converter = BasePrecisionConverter.class,
      completionCandidates = BasePrecisionConverter.class,
      description =
          "In what frozen layers compute while training on the CPU: ${COMPLETION-CANDIDATES}. int8"
              + " makes steps about twice as fast on processors with VNNI or AMX, and rounds; int8-forward leaves"
              + " the gradient through them in fp32 (default: ${DEFAULT-VALUE}).")
  BasePrecision base;

  @Option(
      names = {"--recompute", "--gradient-checkpointing"},
      description =
          "Keep of a step's forward pass only what comes out of each half of a layer, and compute the"
              + " rest again on the way back: less memory where much is computed at once, a third more time.")
  boolean recompute;

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      converter = MemoryLimitConverter.class,
      description =
          "Keep the peak of the process below SIZE (bytes, or with K, M, G or T of 1000 each: 2G, 1500M;"
              + " none: without that of a run that is continued), on the CPU under Linux: a short measurement chooses how many pieces of the layers are computed again,"
              + " and where all are not enough and no --micro-batch is given, smaller micro-batches.")
  @Nullable MemoryLimit memory;

  @Option(
      names = "--optim",
      defaultValue = "adamw",
      converter = MomentsConverter.class,
      completionCandidates = MomentsConverter.class,
      description =
          "AdamW with its moments in fp32, or those of large tensors in 16 or 8 bits, on the CPU:"
              + " ${COMPLETION-CANDIDATES}. With --method full that is a quarter or three eighths of"
              + " parameters, gradients and moments less, and other last digits (default: ${DEFAULT-VALUE}).")
  Moments optim;

  @Option(
      names = "--cache-prefix",
      description =
          "Compute the frozen layers below the first one that is trained once for each example, and"
              + " keep what they make of it in a file in the run folder while the run goes on:"
              + " epochs then cost what comes after them alone.")
  boolean cachePrefix;

  @Option(
      names = "--cache-precision",
      paramLabel = "fp32|fp16",
      converter = PrecisionConverter.class,
      description =
          "With --cache-prefix: keep it as it is, or rounded to 16 bits in half the room (default:"
              + " fp32).")
  @Nullable Precision cachePrecision;

  @Option(
      names = {"--save-best", "--metric-for-best-model"},
      paramLabel = "METRIC",
      description =
          "The figure that tells the best of several evaluations, whose parameters the run ends with:"
              + " accuracy, loss or another that eval prints; score: the task's own; none: the last"
              + " parameters (default: score).")
  @Nullable String saveBest;

  @Option(names = "--no-save-best", description = "The same as --save-best none.")
  boolean noSaveBest;

  /** Trainer's, where the default is no. */
  @Option(names = "--load-best-model-at-end", arity = "0..1", fallbackValue = "true", hidden = true)
  @Nullable Boolean loadBest;

  @Option(
      names = {"--patience", "--early-stopping-patience"},
      paramLabel = "N",
      description =
          "End the run after N evaluations in a row that are not better than the best (default: go"
              + " on).")
  @Nullable Integer patience;

  @Option(
      names = "--checkpoint-every",
      defaultValue = "500",
      converter = StepsConverter.class,
      description =
          "Steps between checkpoints, from which --resume goes on (default: ${DEFAULT-VALUE}; 0:"
              + " none).")
  long checkpointEvery;

  @Option(
      names = "--streaming",
      description =
          "Do not hold texts in memory: their tokens are made while the training goes on, and kept"
              + " in the cache for the next run. Nothing of the training depends on it (default: for"
              + " files of 64 MB and more).")
  boolean streaming;

  @Option(names = "--no-streaming", description = "Hold texts in memory, however large files are.")
  boolean noStreaming;

  @Option(
      names = "--max-train-examples",
      paramLabel = "N",
      description = "Train on N examples, drawn by the seed (default: all).")
  @Nullable Integer maxTrainExamples;

  @Option(
      names = "--examples-per-class",
      paramLabel = "N",
      description = "Train on N examples of each class, drawn by the seed (default: all).")
  @Nullable Integer examplesPerClass;

  @Option(
      names = "--few-shot",
      description =
          "Train a classifier on 4 to 64 examples of each class by the recipe of SetFit: the encoder"
              + " on pairs of them, then the head on its vectors. Steps, epochs, batches and learning"
              + " rate are those of the pairs; --class-weights and --label-smoothing the head's.")
  boolean fewShot;

  @Option(
      names = "--few-shot-iterations",
      paramLabel = "R",
      description =
          "--few-shot: each example is the first of R pairs of one class and of R pairs of two"
              + " (default: 20).")
  @Nullable Integer fewShotIterations;

  @Option(
      names = "--engine",
      defaultValue = "auto",
      converter = EngineConverter.class,
      completionCandidates = EngineConverter.class,
      description =
          "What runs the steps: graph (any build of ONNX Runtime), training-api (ONNX Runtime's own"
              + " training), or auto: graph, unless training-api is more than a tenth faster,"
              + " measured where the run is long enough (default: ${DEFAULT-VALUE}).")
  EngineKind engine;

  @Option(
      names = "--precision",
      defaultValue = "fp32",
      converter = PrecisionConverter.class,
      completionCandidates = PrecisionConverter.class,
      description =
          "What matrix products are computed in: ${COMPLETION-CANDIDATES}; all else, the parameters"
              + " and the optimizer stay fp32 (default: ${DEFAULT-VALUE}).")
  Precision precision;

  /**
   * The arguments that these options are.
   *
   * @param classes the number of the model's classes; 0 where it does not name them
   */
  TrainingArguments.Builder arguments(int classes) {
    if (method == Method.HEAD && loraDropout > 0) {
      throw new LoraGraphException(
          "--lora-dropout drops what enters adapters, and --method head trains none: leave it out");
    }
    if (maxTrainExamples != null && maxTrainExamples < 1) {
      throw new LoraGraphException("--max-train-examples must be 1 or more");
    }
    if (examplesPerClass != null && examplesPerClass < 1) {
      throw new LoraGraphException("--examples-per-class must be 1 or more");
    }
    if (examplesPerClass != null && maxTrainExamples != null) {
      throw new LoraGraphException(
          "--examples-per-class and --max-train-examples both draw examples: give one");
    }
    requireFewShot();
    requireNumbers(classes);
    @Nullable Double both = warmupSteps == 0 && warmupRatio == 0 ? warmup : null;
    TrainingArguments.Builder builder =
        TrainingArguments.builder()
            .method(TrainingArguments.Method.valueOf(method.name()))
            .untie(untie)
            .trainBias(trainBias)
            .loraDropout(loraDropout)
            .labelSmoothing(labelSmoothing)
            .wholeWordMasking(wholeWordMasking)
            .labelAllSubwords(labelAllSubwords)
            .gradientAccumulationSteps(accumulate)
            .lrScheduler(TrainingArguments.Scheduler.valueOf(schedule.name()))
            .warmupSteps(both != null && both >= 1 ? Math.round(both) : warmupSteps)
            .warmupRatio(both != null && both < 1 ? both : warmupRatio)
            .weightDecay(weightDecay)
            .weightDecayOn(TrainingArguments.DecayOn.valueOf(weightDecayOn.name()))
            .adamBeta1(beta1)
            .adamBeta2(beta2)
            .adamEpsilon(epsilon)
            .maxGradNorm(maxGradNorm)
            .seed(seed)
            .fewShot(fewShot)
            .shuffle(shuffle)
            .loggingSteps(logEvery)
            .tensorBoard(tensorboard)
            .evalSteps(Math.max(0, evalEvery))
            .evalEachEpoch(evalEvery == EvaluationsConverter.EPOCH)
            .saveSteps(checkpointEvery)
            .engine(TrainingArguments.Engine.valueOf(engine.name()))
            .precision(TrainingArguments.Precision.valueOf(precision.name()));
    chooseBest(builder);
    ifGiven(trainable, builder::trainable);
    ifGiven(classWeights, builder::classWeights);
    ifGiven(mlmProbability, builder::mlmProbability);
    ifGiven(epochs, builder::numTrainEpochs);
    ifGiven(steps, builder::maxSteps);
    ifGiven(lr, builder::learningRate);
    ifGiven(maxTrainExamples, builder::maxTrainSamples);
    chooseStreaming(builder);
    ifGiven(batchSize, builder::trainBatchSize);
    chooseMicroBatch(builder);
    ifGiven(examplesPerClass, builder::maxTrainSamplesPerClass);
    ifGiven(fewShotIterations, builder::fewShotIterations);
    return builder;
  }

  private void chooseMicroBatch(TrainingArguments.Builder builder) {
    if (microBatch == null || microBatch.equals(MicroBatch.RULE)) {
      return;
    }
    if (microBatch.equals(MicroBatch.AUTO)) {
      builder.microBatchByMeasurement();
    } else if (microBatch.ofTokens()) {
      builder.microBatchTokens(microBatch.most());
    } else {
      builder.microBatchSize(microBatch.most());
    }
  }

  private void chooseMemory(TrainingArguments.Builder builder) {
    if (memory == null || memory.equals(MemoryLimit.NONE)) {
      return;
    }
    if (recompute) {
      throw new LoraGraphException(
          "--memory says what is computed again, and --recompute asks for all of it: leave one of the"
              + " two out");
    }
    if (MicroBatch.AUTO.equals(microBatch)) {
      throw new LoraGraphException(
          "the fastest micro-batches, of --micro-batch auto, may take more than --memory leaves: give"
              + " a size of them, or leave one of the two out");
    }
    builder.memory(memory.bytes());
  }

  private void chooseStreaming(TrainingArguments.Builder builder) {
    if (streaming && noStreaming) {
      throw new LoraGraphException(
          "--streaming and --no-streaming do not go together: leave one of the two out");
    }
    if (streaming || noStreaming) {
      builder.streaming(streaming);
    }
  }

  private void chooseBest(TrainingArguments.Builder builder) {
    boolean none = "none".equals(saveBest) || Boolean.FALSE.equals(loadBest);
    if (noSaveBest && saveBest != null && !none) {
      throw new LoraGraphException(
          "--no-save-best and --save-best %s do not go together: leave one of the two out"
              .formatted(saveBest));
    }
    if (noSaveBest || none) {
      builder.loadBestModelAtEnd(false);
    } else {
      ifGiven(saveBest, metric -> builder.metricForBestModel(metric));
      ifGiven(loadBest, builder::loadBestModelAtEnd);
    }
    if (patience != null && patience < 1) {
      throw new LoraGraphException("--patience must be 1 or more");
    }
    ifGiven(patience, builder::earlyStoppingPatience);
    if (evalSplit != null && !(evalSplit > 0 && evalSplit < 1)) {
      throw new LoraGraphException(
          "--eval-split must be above 0 and below 1, and is %s: 0.2 are 20 %%"
              .formatted(SettingsLayer.text(evalSplit)));
    }
    ifGiven(evalSplit, builder::evalSplit);
    ifGiven(evalSplitSeed, builder::evalSplitSeed);
    builder.fitThresholds(fitThresholds);
    builder.recompute(recompute);
    chooseMemory(builder);
    builder.base(TrainingArguments.BasePrecision.valueOf(base.name()));
    builder.optim(TrainingArguments.Optim.valueOf(optim.name()));
    if (cachePrecision != null && !cachePrefix) {
      throw new LoraGraphException(
          "--cache-precision is that of --cache-prefix, which is not given");
    }
    if (cachePrefix) {
      Precision precision = cachePrecision == null ? Precision.FP32 : cachePrecision;
      builder.cachePrefix(TrainingArguments.Precision.valueOf(precision.name()));
    }
  }

  /** In the words of the options. */
  private void requireFewShot() {
    if (!fewShot && fewShotIterations != null) {
      throw new LoraGraphException(
          "--few-shot-iterations counts the pairs of --few-shot: give that too, or leave it out");
    }
    if (fewShotIterations != null && fewShotIterations < 1) {
      throw new LoraGraphException("--few-shot-iterations must be 1 or more");
    }
    if (fewShot && method == Method.HEAD) {
      throw new LoraGraphException(
          "--few-shot trains the encoder on pairs before it fits the head, and --method head trains"
              + " no encoder: leave one of the two out");
    }
  }

  private static <T> void ifGiven(@Nullable T value, Consumer<T> taker) {
    if (value != null) {
      taker.accept(value);
    }
  }

  /** In the words of the option. */
  private void requireNumbers(int classes) {
    if (classWeights == null || classWeights.equals("balanced")) {
      return;
    }
    try {
      Arrays.stream(classWeights.split(",", -1)).map(String::strip).forEach(Double::valueOf);
    } catch (NumberFormatException e) {
      throw new LoraGraphException(
          "--class-weights '%s' are no numbers: give one for each %s, or 'balanced'"
              .formatted(
                  classWeights, classes == 0 ? "class" : "of the %d classes".formatted(classes)),
          e);
    }
  }

  /** What an option that stood for two was taken for, in one line; empty where it is not there. */
  Optional<String> hint() {
    if (warmup == null) {
      return Optional.empty();
    }
    if (warmupSteps > 0 || warmupRatio > 0) {
      return Optional.of("--warmup has no effect beside --warmup-steps or --warmup-ratio");
    }
    return Optional.of(
        warmup >= 1
            ? "--warmup %s is taken for --warmup-steps %d".formatted(warmup, Math.round(warmup))
            : "--warmup %s is taken for --warmup-ratio %s".formatted(warmup, warmup));
  }
}
