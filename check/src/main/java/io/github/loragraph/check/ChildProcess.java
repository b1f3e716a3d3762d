package io.github.loragraph.check;

import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What a process that ended well wrote to standard output.
 *
 * @param deviceGigabytes the GPU's memory that was in use at most while it ran, less what was in
 *     use before; NaN where that cannot be had
 */
public record ChildProcess(String output, double deviceGigabytes) {
  private static final long MINUTES = 30;

  /** As the launcher starts it. */
  public static List<String> loraGraph(List<String> arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:MaxDirectMemorySize=1t",
                "-cp",
                System.getProperty("java.class.path"),
                "io.github.loragraph.cli.Main"));
    command.addAll(arguments);
    return command;
  }

  /**
   * Runs a command to its end.
   *
   * @param memory of the GPU; null where there is none
   * @throws LoraGraphException with the last line of standard error if it fails
   */
  public static ChildProcess run(List<String> command, @Nullable GpuMemory memory) {
    @Nullable Path out = null;
    @Nullable Path err = null;
    try {
      out = Files.createTempFile("gpu-check", ".out");
      err = Files.createTempFile("gpu-check", ".err");
      double before = memory == null ? Double.NaN : memory.usedGigabytes();
      double peak = before;
      Process process =
          new ProcessBuilder(command)
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .redirectOutput(out.toFile())
              .redirectError(err.toFile())
              .start();
      long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(MINUTES);
      try {
        while (!process.waitFor(1, TimeUnit.SECONDS)) {
          if (memory != null) {
            peak = Math.max(peak, memory.usedGigabytes());
          }
          if (System.nanoTime() > end) {
            throw new LoraGraphException("took more than %d minutes".formatted(MINUTES));
          }
        }
      } finally {
        process.destroyForcibly();
      }
      if (process.exitValue() != 0) {
        throw new LoraGraphException(
            "exit code %d: %s".formatted(process.exitValue(), lastLine(Files.readString(err))));
      }
      return new ChildProcess(Files.readString(out, StandardCharsets.UTF_8), peak - before);
    } catch (IOException e) {
      throw new LoraGraphException(
          "cannot run %s: %s".formatted(command.get(0), e.getMessage()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LoraGraphException("interrupted", e);
    } finally {
      delete(out);
      delete(err);
    }
  }

  private static String lastLine(String text) {
    String stripped = text.strip();
    return stripped.substring(stripped.lastIndexOf('\n') + 1);
  }

  private static void delete(@Nullable Path file) {
    try {
      if (file != null) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
