package io.github.loragraph.experiment;

import com.sun.management.OperatingSystemMXBean;
import io.github.loragraph.file.ProcFile;
import java.lang.management.ManagementFactory;
import java.util.OptionalLong;

/** The memory that the system has for further processes, and what a process has of it, in bytes. */
final class FreeMemory {
  /** Of the difference that a limit of the container makes. */
  private static final double SAME = 0.98;

  private FreeMemory() {}

  /**
   * What can be had without taking something from another process: of the container, where one sets
   * a limit.
   */
  static long available() {
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    OptionalLong total = ProcFile.bytes(ProcFile.MEMORY, "MemTotal");
    OptionalLong available = ProcFile.bytes(ProcFile.MEMORY, "MemAvailable");
    boolean limited = total.isPresent() && system.getTotalMemorySize() < SAME * total.getAsLong();
    if (available.isPresent() && !limited) {
      return available.getAsLong();
    }
    return Math.min(
        system.getFreeMemorySize(), available.isPresent() ? available.getAsLong() : Long.MAX_VALUE);
  }

  /** What a process holds; empty where the system does not say it, or the process has ended. */
  static OptionalLong held(long process) {
    return ProcFile.bytes(ProcFile.status(process), "VmRSS");
  }

  /** The most that a process has held so far; empty as above. */
  static OptionalLong peak(long process) {
    return ProcFile.bytes(ProcFile.status(process), "VmHWM");
  }
}
