package io.github.loragraph.trainer;

import java.util.OptionalLong;

/**
 * What a training is going to take, by a few of its steps.
 *
 * @param peakBytes of the memory of the whole process; empty where the system does not tell
 * @param seconds of the whole run, from the start of the process
 * @param steps of the run
 * @param secondsPerStep of a step of mean length
 * @param evaluations of held-out examples in the run
 * @param secondsPerEvaluation of all held-out examples
 * @param microBatch what is computed at once
 * @param memory with what is computed again, where it is limited
 */
public record RunEstimate(
    OptionalLong peakBytes,
    double seconds,
    long steps,
    double secondsPerStep,
    long evaluations,
    double secondsPerEvaluation,
    MicroBatch microBatch,
    MemoryLimit memory) {}
