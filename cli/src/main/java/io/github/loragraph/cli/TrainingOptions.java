package io.github.loragraph.cli;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import io.github.loragraph.data.Example;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.task.LossOptions;
import io.github.loragraph.trainer.LearningRateSchedule;
import io.github.loragraph.trainer.TrainerSettings;
import io.github.loragraph.trainer.WarmUp;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Optimization;
import io.github.loragraph.training.Precision;
import io.github.loragraph.training.WeightDecay;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/**
 * The options that decide the course of a training; their names are those of {@code config.yaml}.
 */
@JsonAutoDetect(fieldVisibility = JsonAutoDetect.Visibility.ANY)
final class TrainingOptions {
  @Option(
      names = "--method",
      defaultValue = "lora",
      description = "What to train: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  Method method;

  @Option(
      names = "--trainable",
      paramLabel = "REGEX",
      converter = RegexConverter.class,
      description =
          "Train parameters too in whose names this is found, LayerNorm for example"
              + " (inspect --verbose lists the names).")
  Pattern trainable;

  @Option(
      names = "--untie",
      description =
          "Train the copies of a tied weight, which a file may hold several times, each for itself.")
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
  String classWeights;

  @Option(
      names = {"--epochs", "--num-train-epochs"},
      paramLabel = "<epochs>",
      description = "Passes over the data (default: 3, where no steps are given).")
  Double epochs;

  @Option(
      names = {"--steps", "--max-steps"},
      paramLabel = "<steps>",
      description = "Steps. Beside epochs the run ends with what ends first.")
  Long steps;

  @Option(
      names = {"--batch-size", "--per-device-train-batch-size"},
      paramLabel = "<batchSize>",
      defaultValue = "8",
      description = "Examples in a batch (default: ${DEFAULT-VALUE}).")
  int batchSize;

  @Option(
      names = {"--accumulate", "--gradient-accumulation-steps"},
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Batches that make up one step, as one batch of all their examples would; the last step of"
              + " an epoch has those that are left (default: ${DEFAULT-VALUE}).")
  int accumulate;

  @Option(
      names = {"--lr", "--learning-rate"},
      paramLabel = "<lr>",
      description = "The highest learning rate (default: 5e-4; with --method full 5e-5).")
  Double lr;

  @Option(
      names = {"--schedule", "--lr-scheduler", "--lr-scheduler-type"},
      paramLabel = "<schedule>",
      defaultValue = "linear",
      converter = ScheduleConverter.class,
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
  Double warmup;

  @Option(
      names = "--weight-decay",
      defaultValue = "0",
      description = "AdamW's (default: ${DEFAULT-VALUE}).")
  double weightDecay;

  @Option(
      names = "--weight-decay-on",
      paramLabel = "WHAT",
      defaultValue = "weights",
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
          "Seed of the order of the data, of dropout and of --max-train-examples (default:"
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
      names = "--eval-every",
      defaultValue = "0",
      converter = StepsConverter.class,
      description = "Steps between evaluations (default: at the end only).")
  long evalEvery;

  @Option(
      names = "--checkpoint-every",
      defaultValue = "500",
      converter = StepsConverter.class,
      description =
          "Steps between checkpoints, from which --resume goes on (default: ${DEFAULT-VALUE}; 0:"
              + " none).")
  long checkpointEvery;

  @Option(
      names = "--max-train-examples",
      paramLabel = "N",
      description = "Train on N examples, drawn by the seed (default: all).")
  Integer maxTrainExamples;

  @Option(
      names = "--engine",
      defaultValue = "auto",
      converter = EngineConverter.class,
      description =
          "What runs the steps: graph (any build of ONNX Runtime), training-api (ONNX Runtime's own"
              + " training), or auto: graph, unless training-api is more than a tenth faster, measured"
              + " where the run is long enough (default: ${DEFAULT-VALUE}).")
  EngineKind engine;

  @Option(
      names = "--precision",
      defaultValue = "fp32",
      description =
          "What matrix products are computed in: ${COMPLETION-CANDIDATES}; all else, the parameters"
              + " and the optimizer stay fp32 (default: ${DEFAULT-VALUE}).")
  Precision precision;

  Optimization optimization() {
    if (method == Method.HEAD && loraDropout > 0) {
      throw new LoraGraphException(
          "--lora-dropout drops what enters adapters, and --method head trains none: leave it out");
    }
    return new Optimization(
        new AdamW(beta1, beta2, epsilon, weightDecay, weightDecayOn),
        maxGradNorm,
        new LoraDropout(loraDropout),
        precision);
  }

  TrainableSelection selection() {
    return new TrainableSelection(method, trainable, trainBias, untie);
  }

  /**
   * @param classes the number of classes
   */
  LossOptions lossOptions(List<Example> examples, int classes) {
    return new LossOptions(labelSmoothing, weights(examples, classes));
  }

  private List<Double> weights(List<Example> examples, int classes) {
    if (classWeights == null) {
      return List.of();
    }
    if (classWeights.equals("balanced")) {
      return LossOptions.balancedWeights(examples, classes);
    }
    try {
      return Arrays.stream(classWeights.split(",", -1))
          .map(String::strip)
          .map(Double::valueOf)
          .toList();
    } catch (NumberFormatException e) {
      throw new LoraGraphException(
          "--class-weights '%s' are no numbers: give one for each of the %d classes, or 'balanced'"
              .formatted(classWeights, classes),
          e);
    }
  }

  /** The given learning rate; else Trainer's, for adapters ten times as high. */
  double learningRate() {
    return lr != null
        ? lr
        : method == Method.FULL
            ? TrainerSettings.FULL_LEARNING_RATE
            : TrainerSettings.ADAPTER_LEARNING_RATE;
  }

  private WarmUp warmUp() {
    boolean alias = warmup != null && warmupSteps == 0 && warmupRatio == 0;
    if (alias && warmup >= 1) {
      return WarmUp.ofSteps(Math.round(warmup));
    }
    return new WarmUp(warmupSteps, alias ? warmup : warmupRatio);
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

  TrainerSettings trainerSettings() {
    return TrainerSettings.builder()
        .steps(steps)
        .epochs(epochs)
        .learningRate(learningRate())
        .decay(schedule)
        .warmUp(warmUp())
        .logEvery(logEvery)
        .evalEvery(evalEvery)
        .checkpointEvery(checkpointEvery)
        .batchSize(batchSize)
        .accumulation(accumulate)
        .shuffle(shuffle)
        .seed(seed)
        .build();
  }
}
