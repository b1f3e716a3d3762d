package io.github.loragraph.cuda;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds shared libraries: first where the dynamic linker looks (LD_LIBRARY_PATH and the cache of
 * ldconfig), then where CUDA and cuDNN are usually installed.
 */
final class LibrarySearch {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final Pattern CACHED = Pattern.compile("\\s*(\\S+) \\(([^)]*)\\) => (/.*\\S)\\s*");

  private final Machine machine;
  private final Map<String, Path> linkerCache = new HashMap<>();
  private final List<Path> linked;
  private final List<Path> usual = new ArrayList<>();

  LibrarySearch(Machine machine) {
    this.machine = machine;
    linked = paths(machine.variable("LD_LIBRARY_PATH").orElse(""));
    readLinkerCache();
    // A bundle may bring CUDA's libraries beside ONNX Runtime's.
    machine.variable(Natives.VARIABLE).ifPresent(folder -> usual.addAll(paths(folder)));
    for (String variable : List.of("CUDNN_PATH", "CUDA_PATH", "CUDA_HOME")) {
      paths(machine.variable(variable).orElse("")).forEach(this::addInstallation);
    }
    machine.list(Path.of("/usr/local")).stream()
        .filter(folder -> folder.getFileName().toString().startsWith("cuda"))
        .sorted(
            // The link without a number is the one that its owner chose, then the newest.
            Comparator.comparing((Path folder) -> !folder.endsWith("cuda"))
                .thenComparing(Comparator.<Path>reverseOrder()))
        .forEach(this::addInstallation);
    usual.add(Path.of("/usr/lib/x86_64-linux-gnu"));
    usual.add(Path.of("/usr/lib64"));
    usual.add(Path.of("/usr/lib/wsl/lib"));
  }

  /** Looks for a library by the name that the dynamic linker would ask for. */
  Library find(String name) {
    Optional<Path> first = in(linked, name);
    if (first.isEmpty()) {
      first = Optional.ofNullable(linkerCache.get(name)).filter(machine::isFile);
    }
    if (first.isPresent()) {
      return new Library(name, first, true);
    }
    return new Library(name, in(usual, name), false);
  }

  private Optional<Path> in(List<Path> folders, String name) {
    return folders.stream().map(folder -> folder.resolve(name)).filter(machine::isFile).findFirst();
  }

  private void addInstallation(Path folder) {
    usual.add(folder.resolve("lib64"));
    usual.add(folder.resolve("lib"));
    usual.add(folder.resolve("targets/x86_64-linux/lib"));
    usual.add(folder);
  }

  private void readLinkerCache() {
    // It lies in a folder that is not on everybody's path.
    for (String program : List.of("ldconfig", "/sbin/ldconfig")) {
      Optional<CommandRun> run = machine.run(null, LIMIT, List.of(program, "-p"));
      if (run.isPresent() && run.get().succeeded()) {
        run.get().output().lines().forEach(this::readCacheLine);
        return;
      }
    }
  }

  private void readCacheLine(String line) {
    Matcher matcher = CACHED.matcher(line);
    if (matcher.matches() && matcher.group(2).contains("x86-64")) {
      // The linker takes the first of a name.
      linkerCache.putIfAbsent(matcher.group(1), Path.of(matcher.group(3)));
    }
  }

  private static List<Path> paths(String list) {
    List<Path> paths = new ArrayList<>();
    for (String word : list.split(":")) {
      if (!word.isBlank()) {
        try {
          paths.add(Path.of(word.strip()));
        } catch (InvalidPathException e) {
          // Nothing lies there.
        }
      }
    }
    return paths;
  }
}
