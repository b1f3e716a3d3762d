package io.github.loragraph.file;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * What Linux says of the machine and of processes, in files with a name and a value in each line
 * (proc(5)). Other systems have no such files, and of a process that has ended there is none.
 */
public final class ProcFile {
  /** The machine's processors. */
  public static final Path CPU = Path.of("/proc/cpuinfo");

  /** The machine's memory. */
  public static final Path MEMORY = Path.of("/proc/meminfo");

  /** This process. */
  public static final Path SELF = Path.of("/proc/self/status");

  private static final int KIBIBYTE = 1024;

  private ProcFile() {}

  /** That of a process. */
  public static Path status(long process) {
    return Path.of("/proc", Long.toString(process), "status");
  }

  /** The value of the first line of that name; empty where there is none. */
  public static Optional<String> field(Path file, String name) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .filter(line -> line.startsWith(name))
          .map(line -> line.split(":", 2))
          .filter(parts -> parts.length == 2 && parts[0].strip().equals(name))
          .map(parts -> parts[1].strip())
          .findFirst();
    } catch (IOException | UncheckedIOException e) {
      return Optional.empty();
    }
  }

  /** The same of a size, in bytes. */
  public static OptionalLong bytes(Path file, String name) {
    Optional<String> digits = field(file, name).map(value -> value.replaceAll("\\D", ""));
    return digits.isPresent() && !digits.get().isEmpty()
        ? OptionalLong.of(Long.parseLong(digits.get()) * KIBIBYTE)
        : OptionalLong.empty();
  }
}
