package io.github.loragraph.experiment;

import io.github.loragraph.error.LoraGraphException;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.CompletionException;

/**
 * How a process of a pool ended.
 *
 * @param message why it failed, in one line; else empty
 * @param time that was spent on it now
 * @param peakBytes the most memory that its process held; empty where the system does not say it,
 *     or nothing was to be done
 */
public record RunEnd(Status status, String message, Duration time, OptionalLong peakBytes) {
  /** What came of it. */
  public enum Status {
    /** All that was to be done is done. */
    FINISHED,
    /** It stopped after the step that it was to stop after, with a checkpoint. */
    PAUSED,
    /** It was asked to stop before its end, and can be gone on with. */
    STOPPED,
    /** The model that it begins with could not be made; it is tried again when it is asked for. */
    UNPREPARED,
    /** It failed; what is done again fails again unless something is mended. */
    FAILED
  }

  /** A failure that no process said. */
  static RunEnd failed(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    return new RunEnd(
        Status.FAILED,
        cause instanceof LoraGraphException known ? known.getMessage() : cause.toString(),
        0,
        0);
  }

  RunEnd(Status status, String message, long nanos, long peak) {
    this(
        status,
        message,
        Duration.ofNanos(nanos),
        peak == 0 ? OptionalLong.empty() : OptionalLong.of(peak));
  }
}
