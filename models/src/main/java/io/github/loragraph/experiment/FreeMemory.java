package io.github.loragraph.experiment;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The memory that the system has for further processes, and what a process has of it, in bytes. */
final class FreeMemory {
  private static final Path MEMORY = Path.of("/proc/meminfo");
  private static final int KIBIBYTE = 1024;

  /** Of the difference that a limit of the container makes. */
  private static final double SAME = 0.98;

  private FreeMemory() {}

  /**
   * What can be had without taking something from another process: of the container, where one sets
   * a limit.
   */
  static long available() {
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    OptionalLong total = field(MEMORY, "MemTotal");
    OptionalLong available = field(MEMORY, "MemAvailable");
    boolean limited = total.isPresent() && system.getTotalMemorySize() < SAME * total.getAsLong();
    if (available.isPresent() && !limited) {
      return available.getAsLong();
    }
    return Math.min(
        system.getFreeMemorySize(), available.isPresent() ? available.getAsLong() : Long.MAX_VALUE);
  }

  /** What a process holds; empty where the system does not say it, or the process has ended. */
  static OptionalLong held(long process) {
    return field(status(process), "VmRSS");
  }

  /** The most that a process has held so far; empty as above. */
  static OptionalLong peak(long process) {
    return field(status(process), "VmHWM");
  }

  private static Path status(long process) {
    return Path.of("/proc", Long.toString(process), "status");
  }

  private static OptionalLong field(Path file, String name) {
    try {
      if (!Files.exists(file)) {
        return OptionalLong.empty();
      }
      Matcher matcher =
          Pattern.compile("(?m)^" + name + ":\\s+(\\d+) kB").matcher(Files.readString(file));
      return matcher.find()
          ? OptionalLong.of(Long.parseLong(matcher.group(1)) * KIBIBYTE)
          : OptionalLong.empty();
    } catch (IOException e) {
      // It has ended meanwhile.
      return OptionalLong.empty();
    }
  }
}
