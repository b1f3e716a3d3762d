package io.github.loragraph;

/**
 * How well a model does on one class. A figure that would be 0/0 is not defined: NaN.
 *
 * @param label the name of the class
 * @param precision the share of what was taken for this class that is of it
 * @param recall the share of what is of this class that was taken for it
 * @param f1 the harmonic mean of both; not defined only for a class that occurs neither among the
 *     labels nor among the answers
 * @param support how many examples, or tokens, are of this class
 */
public record ClassMetrics(
    String label, double precision, double recall, double f1, long support) {}
