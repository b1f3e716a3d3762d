package io.github.loragraph.engine;

/**
 * What a step tells.
 *
 * @param loss of the batch, before the update
 * @param gradientNorm over all trainable parameters before clipping; NaN where gradients are not
 *     clipped, or not all are finite
 */
public record StepResult(double loss, double gradientNorm) {}
