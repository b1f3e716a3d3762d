package io.github.loragraph;

/**
 * The best of the evaluations of a training; of equal ones the first.
 *
 * @param step after which it was made
 * @param metric the figure that it is the best by, as {@link Evaluation#metrics} names it
 * @param value of that figure
 */
public record BestEvaluation(long step, String metric, double value) {}
