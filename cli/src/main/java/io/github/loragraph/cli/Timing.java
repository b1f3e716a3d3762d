package io.github.loragraph.cli;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;

/**
 * What a piece of work took, in seconds.
 *
 * @param median by the clock
 * @param least by the clock
 * @param most by the clock
 * @param cpu the mean of the processor's time, of all threads of the process together, which the
 *     system counts in hundredths of a second; NaN where it does not tell
 */
public record Timing(double median, double least, double most, double cpu) {
  /**
   * Times the same work several times.
   *
   * @param warmUp times that do not count
   * @param times that count, at least 1
   */
  public static Timing of(int warmUp, int times, Runnable work) {
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    for (int i = 0; i < warmUp; i++) {
      work.run();
    }
    double[] clock = new double[times];
    long before = system.getProcessCpuTime();
    for (int i = 0; i < times; i++) {
      long start = System.nanoTime();
      work.run();
      clock[i] = (System.nanoTime() - start) / 1e9;
    }
    double cpu = before < 0 ? Double.NaN : (system.getProcessCpuTime() - before) / 1e9 / times;
    Arrays.sort(clock);
    return new Timing(clock[times / 2], clock[0], clock[times - 1], cpu);
  }

  /** What one of several equal parts took. */
  public Timing dividedBy(int parts) {
    return new Timing(median / parts, least / parts, most / parts, cpu / parts);
  }
}
