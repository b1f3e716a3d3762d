package io.github.loragraph.experiment;

import io.github.loragraph.trainer.RunFolder;
import io.github.loragraph.trainer.RunRecord;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A training in a run folder. A run that is there is gone on with, and one that is finished is left
 * as it is.
 */
public final class TrainTask implements PoolTask {
  private final RunProgram program;
  private final String name;
  private final Path config;
  private final Path run;
  private final long memory;
  private final boolean ownThreads;
  private final OptionalLong stopAfter;
  private @Nullable Path paused;

  /**
   * A training to its end.
   *
   * @param name what lines for the user call it
   * @param config the file of its settings; the threads are said beside it
   * @param run the run folder
   * @param memory the bytes that it is expected to hold
   */
  public TrainTask(RunProgram program, String name, Path config, Path run, long memory) {
    this(program, name, config, run, memory, false, OptionalLong.empty());
  }

  private TrainTask(
      RunProgram program,
      String name,
      Path config,
      Path run,
      long memory,
      boolean ownThreads,
      OptionalLong stopAfter) {
    this.program = program;
    this.name = name;
    this.config = config;
    this.run = run;
    this.memory = memory;
    this.ownThreads = ownThreads;
    this.stopAfter = stopAfter;
  }

  /** The same where the settings say how many threads there are. */
  public TrainTask withOwnThreads() {
    return new TrainTask(program, name, config, run, memory, true, stopAfter);
  }

  /** The same that stops with a checkpoint, after a step that it has not come to yet. */
  public TrainTask stoppingAfter(long step) {
    return new TrainTask(program, name, config, run, memory, ownThreads, OptionalLong.of(step));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Path place() {
    return run;
  }

  @Override
  public long memory() {
    return memory;
  }

  @Override
  public boolean isAtWork() {
    return RunFolder.isInUse(run);
  }

  @Override
  public Optional<RunEnd.Status> state() {
    if (RunFolder.isFinished(run)) {
      return Optional.of(RunEnd.Status.FINISHED);
    }
    return RunFolder.isUnfinished(run) && (paused != null || isMeasured())
        ? Optional.of(RunEnd.Status.PAUSED)
        : Optional.empty();
  }

  /** Whether a process of an earlier pool, of which nobody heard, came as far or further. */
  private boolean isMeasured() {
    return stopAfter.isPresent()
        && !isAtWork()
        && RunRecord.read(run)
            .filter(record -> record.status().equals(Optional.of(RunRecord.Status.STOPPED)))
            .filter(record -> record.tree().path("evaluatedStep").asLong() >= stopAfter.getAsLong())
            .isPresent();
  }

  @Override
  public void ended(String output, OptionalLong peakBytes) {
    if (stopAfter.isPresent()) {
      paused = run;
    }
  }

  @Override
  public List<String> arguments(int threads) {
    RunFolder.recover(run, line -> {});
    return Files.exists(run) && RunFolder.isUnfinished(run)
        ? program.resume(run, stopAfter)
        : program.train(
            config, run, ownThreads ? OptionalInt.empty() : OptionalInt.of(threads), stopAfter);
  }
}
