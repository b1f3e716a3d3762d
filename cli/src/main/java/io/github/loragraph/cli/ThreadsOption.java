package io.github.loragraph.cli;

import picocli.CommandLine.Option;

/** How many threads compute. */
final class ThreadsOption {
  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads that compute one operator (default: one for each core).")
  private int threads;

  int count() {
    return threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
  }
}
