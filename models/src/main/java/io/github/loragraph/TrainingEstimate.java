package io.github.loragraph;

import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What a training would take on this machine at this moment, by a few of its steps.
 *
 * @param peakBytes the most memory of the whole process; empty where the system does not tell
 * @param seconds of the whole run, with what the program needs before the first step
 * @param steps of the run
 * @param secondsPerStep of a step of mean length
 * @param evaluations on held-out examples in the run, the last one included
 * @param secondsPerEvaluation of all held-out examples; 0 where there are none
 * @param microBatch what of a batch is computed at once: examples, tokens as 512-tokens, or all
 * @param recomputedPieces of the layers that are computed a second time; empty where {@code memory}
 *     is not limited
 */
public record TrainingEstimate(
    OptionalLong peakBytes,
    double seconds,
    long steps,
    double secondsPerStep,
    long evaluations,
    double secondsPerEvaluation,
    String microBatch,
    OptionalInt recomputedPieces) {}
