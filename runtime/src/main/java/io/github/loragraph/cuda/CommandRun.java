package io.github.loragraph.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What another program did.
 *
 * @param exitCode 0 if it went well; {@link #UNFINISHED} if it was ended because it took too long
 * @param output standard output and standard error, as they came
 */
public record CommandRun(int exitCode, String output) {
  /** The exit code of a program that was ended. */
  public static final int UNFINISHED = -1;

  /**
   * Runs a program to its end.
   *
   * @param folder that it works in; null for this process's own
   * @param limit after which it is ended
   * @return empty if there is no such program
   */
  public static Optional<CommandRun> of(
      @Nullable Path folder, Duration limit, List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    if (folder != null) {
      builder.directory(folder.toFile());
    }
    // Words are looked for in the output.
    builder.environment().put("LC_ALL", "C");
    Process process;
    try {
      process = builder.start();
      process.getOutputStream().close();
    } catch (IOException e) {
      return Optional.empty();
    }
    CompletableFuture<String> output = CompletableFuture.supplyAsync(() -> read(process));
    try {
      if (process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        return Optional.of(new CommandRun(process.exitValue(), output.join()));
      }
      return Optional.of(
          new CommandRun(UNFINISHED, "no answer within %d s".formatted(limit.toSeconds())));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.of(new CommandRun(UNFINISHED, "interrupted"));
    } finally {
      process.destroyForcibly();
    }
  }

  private static String read(Process process) {
    try (InputStream in = process.getInputStream()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether the program says that it went well. */
  public boolean succeeded() {
    return exitCode == 0;
  }

  /** The first line that says something. */
  public String firstLine() {
    return output
        .lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty())
        .findFirst()
        .orElse("exit code " + exitCode);
  }
}
