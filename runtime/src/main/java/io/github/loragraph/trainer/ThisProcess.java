package io.github.loragraph.trainer;

import io.github.loragraph.file.ProcFile;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** What this process runs on, and what it has had of it. */
public final class ThisProcess {
  private static final double MEBIBYTE = 1 << 20;

  private ThisProcess() {}

  /** The machine, by names as they are shown; what the system does not say is left out. */
  public static Map<String, Object> machine() {
    Map<String, Object> machine = new LinkedHashMap<>();
    ProcFile.field(ProcFile.CPU, "model name").ifPresent(cpu -> machine.put("cpu", cpu));
    machine.put("cores", Runtime.getRuntime().availableProcessors());
    ProcFile.bytes(ProcFile.MEMORY, "MemTotal")
        .ifPresent(all -> machine.put("memoryMegabytes", Math.round(all / MEBIBYTE)));
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

  /** The memory that the process has; empty where the system does not say. */
  static OptionalLong residentBytes() {
    return ProcFile.bytes(ProcFile.SELF, "VmRSS");
  }

  /** The most that it has had at once since it began; empty where the system does not say. */
  static OptionalLong peakBytes() {
    return ProcFile.bytes(ProcFile.SELF, "VmHWM");
  }

  /** The same in units of 1,048,576 bytes. */
  static OptionalDouble peakMegabytes() {
    OptionalLong peak = peakBytes();
    return peak.isPresent()
        ? OptionalDouble.of(peak.getAsLong() / MEBIBYTE)
        : OptionalDouble.empty();
  }
}
