package io.github.loragraph.cuda;

import io.github.loragraph.cache.ToolCache;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The machine that this process runs on. */
final class ThisMachine implements Machine {
  @Override
  public String system() {
    return System.getProperty("os.name");
  }

  @Override
  public String processor() {
    return System.getProperty("os.arch");
  }

  @Override
  public Path cache() {
    return ToolCache.ofThisUser().folder();
  }

  @Override
  public Optional<String> variable(String name) {
    return Optional.ofNullable(System.getenv(name));
  }

  @Override
  public boolean isFile(Path file) {
    return Files.isRegularFile(file);
  }

  @Override
  public List<Path> list(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  @Override
  public Optional<String> read(Path file) {
    try {
      // Files of /proc say that they are empty: only reading tells.
      return Optional.of(new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  @Override
  public List<String> needed(Path library) {
    try {
      return ElfFile.needed(library);
    } catch (IOException e) {
      return List.of();
    }
  }

  @Override
  public Optional<CommandRun> run(@Nullable Path folder, Duration limit, List<String> command) {
    return CommandRun.of(folder, limit, command);
  }
}
