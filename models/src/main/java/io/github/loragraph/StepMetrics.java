package io.github.loragraph;

/**
 * Figures of one step, or of those since the last log entry.
 *
 * @param step 1 at the first step
 * @param totalSteps of the whole training
 * @param epoch passes over the data so far, with their fraction
 * @param loss mean over the steps
 * @param learningRate of the last of them
 * @param gradientNorm of the last of them before clipping; NaN where gradients are not clipped, or
 *     were not finite
 * @param skippedSteps of the whole training so far, that changed nothing since a gradient was not
 *     finite
 * @param lossScale of the next step; NaN without loss scaling
 * @param samplesPerSecond examples a second, evaluations not counted
 */
public record StepMetrics(
    long step,
    long totalSteps,
    double epoch,
    double loss,
    double learningRate,
    double gradientNorm,
    long skippedSteps,
    double lossScale,
    double samplesPerSecond) {}
