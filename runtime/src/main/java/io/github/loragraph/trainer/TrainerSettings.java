package io.github.loragraph.trainer;

import io.github.loragraph.data.BatchSource;
import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What decides the course of a training, besides model and data. Steps and epochs are counted as
 * the Trainer of transformers counts them. Made by a {@link #builder()}.
 *
 * <p>Long because each setting is said, checked and given a default in one place.
 *
 * @param steps the number of steps; null to count by epochs
 * @param epochs passes over the training data; null for {@value #EPOCHS} where steps is null, too.
 *     Where both are given, the run ends with the one that ends first
 * @param logEvery steps between two log lines; 0 for none
 * @param evalEvery steps between two evaluations on the way; 0 for one at the end only
 * @param evalEachEpoch whether the end of each epoch is evaluated, too
 * @param keepsBest whether a run with several evaluations ends with the parameters of the best one
 * @param metric the figure that says which is the best, or {@link BestEvaluation#SCORE}
 * @param patience the evaluations on the way, none of them better than the best, after which the
 *     run ends; 0 for no such end
 * @param keepsState whether the state of the optimizer is kept when the run is over
 * @param continued where the run goes on that this one continues
 * @param checkpointEvery steps between two checkpoints; 0 for none
 * @param stopAfter the step after which the run is stopped, to be gone on with; 0 to end it
 * @param batchSize examples in a batch
 * @param accumulation batches in a step; the last step of an epoch has what is left
 * @param microBatch how much of a batch is computed at once
 * @param memory what the process may take at its peak
 * @param shuffle whether each epoch is shuffled
 * @param seed of all that is random: the order of the examples and dropout
 */
public record TrainerSettings(
    @Nullable Long steps,
    @Nullable Double epochs,
    double learningRate,
    LearningRateSchedule.Decay decay,
    WarmUp warmUp,
    long logEvery,
    long evalEvery,
    boolean evalEachEpoch,
    boolean keepsBest,
    String metric,
    int patience,
    boolean keepsState,
    ContinuedRun.Position continued,
    long checkpointEvery,
    long stopAfter,
    int batchSize,
    int accumulation,
    MicroBatch microBatch,
    MemoryLimit memory,
    boolean shuffle,
    long seed) {
  /** Passes over the data where nothing else is given. */
  public static final double EPOCHS = 3;

  /** The learning rate where nothing else is given and adapters are trained. */
  public static final double ADAPTER_LEARNING_RATE = 5e-4;

  /** The learning rate where nothing else is given and the whole model is trained. */
  public static final double FULL_LEARNING_RATE = 5e-5;

  public TrainerSettings {
    BatchSource.requireBatchSize(batchSize);
    if (steps != null && steps < 1) {
      throw new LoraGraphException(steps + " training steps are not possible: give 1 or more");
    }
    if (epochs != null && (!(epochs > 0) || Double.isInfinite(epochs))) {
      throw new LoraGraphException(epochs + " epochs are not possible: give more than 0");
    }
    if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
      throw new LoraGraphException("learning rate " + learningRate + " is not a positive number");
    }
    if (accumulation < 1) {
      throw new LoraGraphException(
          accumulation + " batches in a step are not possible: give 1 or more");
    }
    if (patience < 0) {
      throw new LoraGraphException(
          "patience for %d evaluations is not possible: give 1 or more".formatted(patience));
    }
    if (evalEachEpoch && evalEvery > 0) {
      throw new LoraGraphException(
          "evaluations are asked for at the end of each epoch and each %,d steps: give one of the two"
              .formatted(evalEvery));
    }
    if (stopAfter < 0) {
      throw new LoraGraphException(
          "a stop after step %d is not possible: give 1 or more".formatted(stopAfter));
    }
    if (logEvery < 0 || evalEvery < 0 || checkpointEvery < 0) {
      throw new LoraGraphException(
          "a negative number of steps between logs, evaluations or checkpoints: 0 turns them off");
    }
  }

  /** The steps of an epoch of so many batches: the last one may have fewer of them. */
  public long stepsPerEpoch(long batchesPerEpoch) {
    return (batchesPerEpoch + accumulation - 1) / accumulation;
  }

  /** Settings with the defaults for adapters. */
  public static Builder builder() {
    return new Builder();
  }

  /** A builder that begins with these settings. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.steps = steps;
    builder.epochs = epochs;
    builder.learningRate = learningRate;
    builder.decay = decay;
    builder.warmUp = warmUp;
    builder.logEvery = logEvery;
    builder.evalEvery = evalEvery;
    builder.evalEachEpoch = evalEachEpoch;
    builder.keepsBest = keepsBest;
    builder.metric = metric;
    builder.patience = patience;
    builder.keepsState = keepsState;
    builder.continued = continued;
    builder.checkpointEvery = checkpointEvery;
    builder.stopAfter = stopAfter;
    builder.batchSize = batchSize;
    builder.accumulation = accumulation;
    builder.microBatch = microBatch;
    builder.memory = memory;
    builder.shuffle = shuffle;
    builder.seed = seed;
    return builder;
  }

  /** Steps between two evaluations, over data of so many batches an epoch; 0 for one at the end. */
  public long evalEvery(long batchesPerEpoch) {
    return evalEachEpoch ? stepsPerEpoch(batchesPerEpoch) : evalEvery;
  }

  /** The batches of an epoch over so many examples: the last one may have fewer of them. */
  public long batchesPerEpoch(long examples) {
    return BatchSource.batchesPerEpoch(examples, batchSize);
  }

  /**
   * The number of the last step over data of so many batches an epoch: those of a run that is
   * continued count, too.
   */
  public long totalSteps(long batchesPerEpoch) {
    return continued.step() + ownSteps(batchesPerEpoch);
  }

  /** Of them, those up to where the run is stopped. */
  long stepsToMake(long batchesPerEpoch) {
    long total = totalSteps(batchesPerEpoch);
    return stopAfter > 0 ? Math.min(stopAfter, total) : total;
  }

  /** The steps that a run over data of so many batches an epoch makes itself. */
  long ownSteps(long batchesPerEpoch) {
    if (epochs == null && steps != null) {
      return steps;
    }
    long ofEpochs = stepsOf(epochs == null ? EPOCHS : epochs, batchesPerEpoch);
    return steps == null ? ofEpochs : Math.min(steps, ofEpochs);
  }

  private long stepsOf(double passes, long batchesPerEpoch) {
    return (long) Math.ceil(passes * stepsPerEpoch(batchesPerEpoch));
  }

  /** The learning rate of each of the run's own steps, up to the last of so many. */
  public LearningRateSchedule schedule(long totalSteps) {
    long own = totalSteps - continued.step();
    return new LearningRateSchedule(decay, learningRate, warmUp.of(own), own);
  }

  /** What of the settings has no effect over data of so many batches an epoch, a line each. */
  public List<String> remarks(long batchesPerEpoch) {
    List<String> remarks = new ArrayList<>();
    long total = totalSteps(batchesPerEpoch);
    if (steps != null && epochs != null) {
      long ofEpochs = stepsOf(epochs, batchesPerEpoch);
      remarks.add(
          steps <= ofEpochs
              ? String.format(
                  Locale.ROOT,
                  "%,d steps end before %s epochs would (%,d steps): the run ends with the steps",
                  steps,
                  number(epochs),
                  ofEpochs)
              : String.format(
                  Locale.ROOT,
                  "%s epochs are %,d steps, fewer than the %,d that are given: the run ends with the epochs",
                  number(epochs),
                  ofEpochs,
                  steps));
    }
    if (warmUp.steps() > 0 && warmUp.share() > 0) {
      remarks.add(
          "a warm-up of %,d steps is given, and one of a share of %s: the steps count"
              .formatted(warmUp.steps(), number(warmUp.share())));
    }
    if (stopAfter >= total) {
      remarks.add(
          "the run is over after step %,d: it is not stopped after step %,d"
              .formatted(total, stopAfter));
    }
    long evaluations = evaluationsBeforeTheLastStep(batchesPerEpoch);
    if (patience > 0 && evaluations <= patience) {
      remarks.add(
          String.format(
              Locale.ROOT,
              "patience for %,d evaluations cannot end the run early: there %s before its last step, and the first of them is one to be better than",
              patience,
              evaluations == 1 ? "is 1" : String.format(Locale.ROOT, "are %,d", evaluations)));
    }
    long own = ownSteps(batchesPerEpoch);
    long rise = warmUp.of(own);
    if (rise > 0 && decay == LearningRateSchedule.Decay.CONSTANT) {
      remarks.add(
          "the schedule constant has no warm-up: %s has one"
              .formatted(LearningRateSchedule.Decay.CONSTANT_WITH_WARMUP));
    } else if (rise >= own && own > 1) {
      remarks.add(
          String.format(
              Locale.ROOT,
              "a warm-up of %,d steps is not over in a run of %,d: the learning rate does not reach %s",
              rise,
              own,
              learningRate));
    }
    return remarks;
  }

  /** They are due by the place in the data, which a continued run does not begin anew. */
  private long evaluationsBeforeTheLastStep(long batchesPerEpoch) {
    long every = evalEvery(batchesPerEpoch);
    long passed = continued.passed(stepsPerEpoch(batchesPerEpoch));
    return every == 0 ? 0 : (passed + ownSteps(batchesPerEpoch) - 1) / every - passed / every;
  }

  private static String number(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }

  /**
   * Begins with the defaults for adapters: 3 epochs, a learning rate of {@value
   * #ADAPTER_LEARNING_RATE} that falls linearly without a warm-up, batches of {@value
   * BatchSource#BATCH_SIZE}, each of them a step, shuffled by the seed 0; a log line each 10 steps,
   * a checkpoint each 500, an evaluation at the end; of several the best one counts.
   */
  public static final class Builder {
    private @Nullable Long steps;
    private @Nullable Double epochs;
    private double learningRate = ADAPTER_LEARNING_RATE;
    private LearningRateSchedule.Decay decay = LearningRateSchedule.Decay.LINEAR;
    private WarmUp warmUp = WarmUp.NONE;
    private long logEvery = 10;
    private long evalEvery;
    private boolean evalEachEpoch;
    private boolean keepsBest = true;
    private String metric = BestEvaluation.SCORE;
    private int patience;
    private boolean keepsState;
    private ContinuedRun.Position continued = ContinuedRun.Position.START;
    private long checkpointEvery = 500;
    private long stopAfter;
    private int batchSize = BatchSource.BATCH_SIZE;
    private int accumulation = 1;
    private MicroBatch microBatch = MicroBatch.WHOLE;
    private MemoryLimit memory = MemoryLimit.NONE;
    private boolean shuffle = true;
    private long seed;

    private Builder() {}

    /**
     * @param steps null to count by epochs, which is the default
     */
    public Builder steps(@Nullable Long steps) {
      this.steps = steps;
      return this;
    }

    /**
     * @param epochs passes over the training data; null for {@value TrainerSettings#EPOCHS} where
     *     no steps are given, which is the default
     */
    public Builder epochs(@Nullable Double epochs) {
      this.epochs = epochs;
      return this;
    }

    /** The highest learning rate, positive. */
    public Builder learningRate(double learningRate) {
      this.learningRate = learningRate;
      return this;
    }

    /** What the learning rate does after the warm-up. */
    public Builder decay(LearningRateSchedule.Decay decay) {
      this.decay = decay;
      return this;
    }

    /** How long the learning rate rises from 0. */
    public Builder warmUp(WarmUp warmUp) {
      this.warmUp = warmUp;
      return this;
    }

    /** Steps between two log lines; 0 for none. */
    public Builder logEvery(long logEvery) {
      this.logEvery = logEvery;
      return this;
    }

    /** Steps between two evaluations on the way; 0 for one at the end only. */
    public Builder evalEvery(long evalEvery) {
      this.evalEvery = evalEvery;
      return this;
    }

    /** Whether there is an evaluation at the end of each epoch. */
    public Builder evalEachEpoch(boolean evalEachEpoch) {
      this.evalEachEpoch = evalEachEpoch;
      return this;
    }

    /** Whether a run with several evaluations ends with the parameters of the best one. */
    public Builder keepsBest(boolean keepsBest) {
      this.keepsBest = keepsBest;
      return this;
    }

    /** The figure that says which evaluation is the best, or {@link BestEvaluation#SCORE}. */
    public Builder metric(String metric) {
      this.metric = metric;
      return this;
    }

    /** Evaluations without a better one after which the run ends; 0 for no such end. */
    public Builder patience(int patience) {
      this.patience = patience;
      return this;
    }

    /** Whether the state of the optimizer is kept when the run is over. */
    public Builder keepsState(boolean keepsState) {
      this.keepsState = keepsState;
      return this;
    }

    /** Where the run goes on that this one continues. */
    public Builder continued(ContinuedRun.Position continued) {
      this.continued = continued;
      return this;
    }

    /** Steps between two checkpoints; 0 for none. */
    public Builder checkpointEvery(long checkpointEvery) {
      this.checkpointEvery = checkpointEvery;
      return this;
    }

    /**
     * The step after which the run is stopped, with a checkpoint and an evaluation; 0 for none. It
     * is the run over all its steps nevertheless.
     */
    public Builder stopAfter(long stopAfter) {
      this.stopAfter = stopAfter;
      return this;
    }

    /** Examples in a batch. */
    public Builder batchSize(int batchSize) {
      this.batchSize = batchSize;
      return this;
    }

    /** Batches in a step; the last step of an epoch has what is left. */
    public Builder accumulation(int accumulation) {
      this.accumulation = accumulation;
      return this;
    }

    /** How much of a batch is computed at once; all of it unless told otherwise. */
    public Builder microBatch(MicroBatch microBatch) {
      this.microBatch = microBatch;
      return this;
    }

    /** What the process may take at its peak; no limit unless told otherwise. */
    public Builder memory(MemoryLimit memory) {
      this.memory = memory;
      return this;
    }

    /** Whether each epoch is shuffled. */
    public Builder shuffle(boolean shuffle) {
      this.shuffle = shuffle;
      return this;
    }

    /** Of all that is random: the order of the examples and dropout. */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * @throws LoraGraphException if a number is not possible
     */
    public TrainerSettings build() {
      return new TrainerSettings(
          steps,
          epochs,
          learningRate,
          decay,
          warmUp,
          logEvery,
          evalEvery,
          evalEachEpoch,
          keepsBest,
          metric,
          patience,
          keepsState,
          continued,
          checkpointEvery,
          stopAfter,
          batchSize,
          accumulation,
          microBatch,
          memory,
          shuffle,
          seed);
    }
  }
}
