package io.github.loragraph.cli;

import io.github.loragraph.ort.Sessions;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How many threads compute. */
final class ThreadsOption {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads that compute one operator (default: 0, one for each core).")
  private int threads;

  /**
   * The threads that are asked for, or one for each core.
   *
   * @throws ParameterException if that is no number of threads
   */
  int count() {
    if (threads < 0 || threads > Sessions.MOST_THREADS) {
      throw new ParameterException(
          spec.commandLine(),
          "--threads must be 1 to %,d, or 0 for one for each core"
              .formatted(Sessions.MOST_THREADS));
    }
    return threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
  }
}
