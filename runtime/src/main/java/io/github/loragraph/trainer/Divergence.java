package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.StepResult;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;

/** Ends a training whose numbers have become none, and says what to do about it. */
final class Divergence {
  /** So far down it takes 40 steps in a row without a finite gradient. */
  private static final double SMALLEST_LOSS_SCALE = 0x1p-24;

  private final Engine engine;
  private final double learningRate;

  Divergence(Engine engine, double learningRate) {
    this.engine = engine;
    this.learningRate = learningRate;
  }

  /** Refuses what cannot be gone on from. */
  void refuse(long step, Checkpoint state) {
    state
        .notANumber()
        .ifPresent(
            what -> {
              throw new LoraGraphException(
                  "the training has diverged: after step %,d %s is no number any more"
                      .formatted(step, what),
                  Remedy.LOWER_RATE.with(lowerRate()));
            });
  }

  /** No scale helps where the gradients are not finite for another reason than its size. */
  void refuseVanishedScale(long step) {
    if (engine.lossScale() < SMALLEST_LOSS_SCALE) {
      throw new LoraGraphException(
          "no gradient was finite for many steps up to step %d".formatted(step),
          Remedy.CHOOSE_PRECISION.with("bf16 or fp32"));
    }
  }

  /** Refuses a step whose loss is no number. */
  void refuse(long step, double rate, StepResult result) {
    if (!Double.isFinite(result.loss()) && !Double.isNaN(engine.lossScale())) {
      throw new LoraGraphException(
          "the loss is %s at step %d".formatted(result.loss(), step),
          Remedy.CHOOSE_PRECISION_OR_RATE.with("bf16 or fp32", lowerRate()));
    }
    if (!Double.isFinite(result.loss()) && step == 1) {
      throw new LoraGraphException(
          "the loss is %s at step 1, before anything was trained: the model answers a row with no number, or far from its label"
              .formatted(result.loss()),
          Remedy.FIND_ROW);
    }
    if (!Double.isFinite(result.loss())) {
      throw new LoraGraphException(
          "the loss is %s at step %d, where the learning rate is %.1e"
              .formatted(result.loss(), step, rate),
          Remedy.LOWER_RATE.with(lowerRate()));
    }
  }

  /** A learning rate to try where this one was too high. */
  private String lowerRate() {
    return "%.0e".formatted(learningRate / 10);
  }
}
