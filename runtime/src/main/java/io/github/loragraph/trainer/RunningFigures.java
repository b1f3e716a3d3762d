package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is said of a span of steps: their mean loss and examples a second. It stands in checkpoints,
 * so that a log line after a stop is of all its steps.
 */
final class RunningFigures {
  private long examples;
  private long nanos;
  private double losses;
  private long steps;

  private static final String EXAMPLES = "log.examples";
  private static final String NANOS = "log.nanos";
  private static final String LOSSES = "log.losses";
  private static final String STEPS = "log.steps";
  static final String LAST_LOSS = "log.last";

  /** What was added up when a checkpoint was made. */
  static RunningFigures of(Checkpoint checkpoint) {
    RunningFigures figures = new RunningFigures();
    if (checkpoint.properties().get(LOSSES) instanceof String losses) {
      figures.losses = Double.parseDouble(losses);
      figures.examples = count(checkpoint, EXAMPLES);
      figures.nanos = count(checkpoint, NANOS);
      figures.steps = count(checkpoint, STEPS);
    }
    return figures;
  }

  private static long count(Checkpoint checkpoint, String name) {
    return (Long) Objects.requireNonNull(checkpoint.properties().get(name));
  }

  /** The loss that was logged before a checkpoint; NaN where none was. */
  static double lastLoss(@Nullable Checkpoint checkpoint) {
    return checkpoint != null && checkpoint.properties().get(LAST_LOSS) instanceof String loss
        ? Double.parseDouble(loss)
        : Double.NaN;
  }

  /** The loss as text: the file's numbers are of single precision. */
  Checkpoint putInto(Checkpoint checkpoint) {
    return checkpoint
        .with(EXAMPLES, examples)
        .with(NANOS, nanos)
        .with(LOSSES, Double.toString(losses))
        .with(STEPS, steps);
  }

  boolean isEmpty() {
    return steps == 0;
  }

  /** One step of so many examples, that took so long. */
  void add(double stepLoss, int stepExamples, long stepNanos) {
    examples += stepExamples;
    nanos += stepNanos;
    losses += stepLoss;
    steps++;
  }

  /** Examples a second. */
  double rate() {
    return examples / (nanos / 1e9);
  }

  double meanLoss() {
    return losses / steps;
  }
}
