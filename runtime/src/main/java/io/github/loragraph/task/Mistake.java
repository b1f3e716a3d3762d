package io.github.loragraph.task;

/**
 * An example, or a token, that a model answers otherwise than its label says. {@link Task#mistakes}
 * finds them.
 *
 * @param example its number, from 0
 * @param token the number of the token, from 0; -1 where the example has one label
 * @param label as the data says
 * @param answer the model's
 * @param loss the example's own: cross-entropy, binary cross-entropy (mean over the classes), or
 *     squared error
 */
public record Mistake(int example, int token, String label, String answer, double loss) {}
