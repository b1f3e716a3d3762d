package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.task.Report;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** Keeps the heap of a training small, and says once that it takes more memory than it was to. */
final class MemoryWatch implements TrainingListener {
  private final long limit;
  private final Consumer<String> log;
  private final JavaHeap heap = new JavaHeap();
  private boolean said;

  /**
   * @param limit bytes; that they were passed before the first step is said at once
   */
  MemoryWatch(long limit, Consumer<String> log) {
    this.limit = limit;
    this.log = log;
    look("before the first step");
  }

  @Override
  public void step(StepRecord record) {
    look("at step %,d".formatted(record.step()));
  }

  @Override
  public void checkpoint(long step, Checkpoint state) {
    look("at the checkpoint of step %,d".formatted(step));
  }

  @Override
  public void evaluated(long step, Report report) {
    look("at the evaluation after step %,d".formatted(step));
  }

  private void look(String when) {
    heap.keepSmall();
    if (said) {
      return;
    }
    OptionalLong peak = ThisProcess.peakBytes();
    if (peak.isPresent() && peak.getAsLong() > limit) {
      said = true;
      log.accept(
          "memory: %s was taken %s, and the limit is %s: give a lower limit, or smaller micro-batches"
              .formatted(
                  MemoryLimit.gigabytes(peak.getAsLong()), when, MemoryLimit.gigabytes(limit)));
    }
  }
}
