package io.github.loragraph.training;

/**
 * How parameters follow their gradients.
 *
 * @param maxGradientNorm gradients are scaled down to this norm over all of them together; 0 turns
 *     it off
 * @param dropout on what enters the adapters
 */
public record Optimization(AdamW optimizer, double maxGradientNorm, LoraDropout dropout) {}
