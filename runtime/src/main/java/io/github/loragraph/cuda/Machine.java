package io.github.loragraph.cuda;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** All that is asked of a machine to find out what it has for CUDA. */
public interface Machine {
  /** The machine that this process runs on. */
  static Machine current() {
    return new ThisMachine();
  }

  /** The operating system, as the system property {@code os.name} says it. */
  String system();

  /** The processor, as the system property {@code os.arch} says it. */
  String processor();

  /** The tool's cache. */
  Path cache();

  /** An environment variable; empty if it is not set. */
  Optional<String> variable(String name);

  /** Whether there is a file; links are followed. */
  boolean isFile(Path file);

  /** What lies in a folder; nothing if there is no such folder. */
  List<Path> list(Path folder);

  /** The text of a file; empty if it cannot be read. */
  Optional<String> read(Path file);

  /** The libraries that a shared library says it needs; none if it is no shared library. */
  List<String> needed(Path library);

  /**
   * Runs a program.
   *
   * @param folder that it works in; null for this process's own
   * @param limit after which it is ended
   * @return empty if there is no such program
   */
  Optional<CommandRun> run(@Nullable Path folder, Duration limit, List<String> command);
}
