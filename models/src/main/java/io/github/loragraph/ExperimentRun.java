package io.github.loragraph;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * What came of one run of an {@link Experiment}: of one configuration and one seed.
 *
 * @param name of the configuration
 * @param seed that the head, the adapters and the order of the data were drawn by
 * @param message why it failed, in one line; else empty
 * @param metrics the figures of the last evaluation by name, the loss among them; empty where there
 *     was none
 * @param scoreName which of them tells how good it is
 * @param trainableParameters the numbers that training changes
 * @param samplesPerSecond examples a second over all steps
 * @param peakMegabytes the most memory that its process held, where the system says it
 * @param folder of the run; {@link Model#open} opens what it trained
 */
public record ExperimentRun(
    String name,
    long seed,
    Status status,
    String message,
    Map<String, Double> metrics,
    Optional<String> scoreName,
    OptionalLong trainableParameters,
    OptionalDouble samplesPerSecond,
    OptionalDouble peakMegabytes,
    Path folder) {
  /** Where a run stands. */
  public enum Status {
    /** All is done. */
    FINISHED,
    /** It failed, and is tried again when the experiment is started again. */
    FAILED,
    /** It was stopped, and goes on when the experiment is started again. */
    STOPPED,
    /** It was not begun. */
    WAITING;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public ExperimentRun {
    metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
  }

  /** The figure that tells how good it is; empty where nothing was measured. */
  public OptionalDouble score() {
    return scoreName.isPresent() && metrics.containsKey(scoreName.get())
        ? OptionalDouble.of(metrics.get(scoreName.get()))
        : OptionalDouble.empty();
  }
}
