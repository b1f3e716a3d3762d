package io.github.loragraph.trainer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/** What this process runs on, and what it has had of it. */
public final class ThisProcess {
  private static final double KILOBYTES = 1024;

  private ThisProcess() {}

  /** The machine, by names as they are shown; what the system does not say is left out. */
  public static Map<String, Object> machine() {
    Map<String, Object> machine = new LinkedHashMap<>();
    field("/proc/cpuinfo", "model name").ifPresent(cpu -> machine.put("cpu", cpu));
    machine.put("cores", Runtime.getRuntime().availableProcessors());
    kilobytes("/proc/meminfo", "MemTotal")
        .ifPresent(all -> machine.put("memoryMegabytes", Math.round(all / KILOBYTES)));
    machine.put(
        "os",
        "%s %s %s"
            .formatted(
                System.getProperty("os.name"),
                System.getProperty("os.version"),
                System.getProperty("os.arch")));
    machine.put(
        "java",
        "%s (%s)"
            .formatted(System.getProperty("java.version"), System.getProperty("java.vm.name")));
    return machine;
  }

  /** The most memory that the process has had at once; empty where the system does not say. */
  static OptionalDouble peakMegabytes() {
    OptionalDouble peak = kilobytes("/proc/self/status", "VmHWM");
    return peak.isPresent() ? OptionalDouble.of(peak.getAsDouble() / KILOBYTES) : peak;
  }

  private static OptionalDouble kilobytes(String file, String name) {
    Optional<String> value = field(file, name).map(text -> text.replaceAll("\\D", ""));
    return value.isPresent() && !value.get().isEmpty()
        ? OptionalDouble.of(Double.parseDouble(value.get()))
        : OptionalDouble.empty();
  }

  private static Optional<String> field(String file, String name) {
    Path path = Path.of(file);
    if (!Files.isReadable(path)) {
      return Optional.empty();
    }
    try (Stream<String> lines = Files.lines(path)) {
      return lines
          .filter(line -> line.startsWith(name))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst();
    } catch (IOException | UncheckedIOException e) {
      return Optional.empty();
    }
  }
}
