package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.file.ProcFile;
import io.github.loragraph.task.Report;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** Says once that a training takes more memory than it was to. */
final class MemoryWatch implements TrainingListener {
  private final long limit;
  private final Consumer<String> log;
  private boolean said;

  /**
   * @param limit bytes
   */
  MemoryWatch(long limit, Consumer<String> log) {
    this.limit = limit;
    this.log = log;
  }

  @Override
  public void step(StepRecord record) {
    look("step", record.step());
  }

  @Override
  public void checkpoint(long step, Checkpoint state) {
    look("the checkpoint of step", step);
  }

  @Override
  public void evaluated(long step, Report report) {
    look("the evaluation after step", step);
  }

  private void look(String what, long step) {
    if (said) {
      return;
    }
    OptionalLong peak = ProcFile.bytes(ProcFile.SELF, "VmHWM");
    if (peak.isPresent() && peak.getAsLong() > limit) {
      said = true;
      log.accept(
          "memory: %s was taken at %s %,d, and the limit is %s: give a lower one, or smaller micro-batches"
              .formatted(
                  MemoryLimit.gigabytes(peak.getAsLong()),
                  what,
                  step,
                  MemoryLimit.gigabytes(limit)));
    }
  }
}
