package io.github.loragraph.experiment;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Something that processes of a pool do, one after the other where one was not enough. */
public interface PoolTask {
  /** What it is called in lines for the user. */
  String name();

  /** The folder that it makes. */
  Path place();

  /** The file that its processes write what they say to, one after the other. */
  default Path log() {
    return place().resolveSibling(place().getFileName() + ".log");
  }

  /** The bytes that a process of it is expected to hold. */
  long memory();

  /** Whether a process of an earlier pool is at work on it still. Nothing is begun meanwhile. */
  default boolean isAtWork() {
    return false;
  }

  /**
   * What came of it, by what lies on the disk; empty where something is left to do.
   *
   * @return {@link RunEnd.Status#FINISHED} or {@link RunEnd.Status#PAUSED}
   */
  Optional<RunEnd.Status> state();

  /**
   * The arguments of the program's next process, by what lies on the disk.
   *
   * @param threads for each process of the pool
   */
  List<String> arguments(int threads);

  /**
   * Is called when a process has ended well, before {@link #state} is asked for.
   *
   * @param output what the process printed on standard output, where {@link #keepsOutput}
   * @param peakBytes the most memory that the process held; empty where the system does not say it
   */
  default void ended(String output, OptionalLong peakBytes) {}

  /** Whether standard output is kept apart from the log. */
  default boolean keepsOutput() {
    return false;
  }
}
