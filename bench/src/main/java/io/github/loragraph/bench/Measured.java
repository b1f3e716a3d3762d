package io.github.loragraph.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.cli.Timing;
import io.github.loragraph.file.ProcFile;
import java.util.OptionalLong;

/**
 * What one process printed of a row: an object with the names of {@code benchmark --json} and what
 * is added to it here.
 */
record Measured(JsonNode json) {
  private static final String STEP = "stepSeconds";
  private static final String STEP_CPU = "stepCpuSeconds";
  private static final String FORWARD = "forwardSeconds";
  private static final String FORWARD_CPU = "forwardCpuSeconds";
  private static final String STEPS_PEAK = "peakGigabytes";
  private static final String PROCESS_PEAK = "processPeakGigabytes";
  private static final String RATE = "productGigaflops";
  private static final String CPU_RATE = "productGigaflopsPerCpuSecond";

  /** The figures of a step and of the answers alone, as {@code benchmark} names them. */
  static void putTimes(ObjectNode json, Timing step, Timing forward) {
    json.put(STEP, step.median());
    json.put("stepSecondsLeast", step.least());
    json.put("stepSecondsMost", step.most());
    json.put(STEP_CPU, step.cpu());
    json.put(FORWARD, forward.median());
    json.put(FORWARD_CPU, forward.cpu());
  }

  /** After the steps: the most memory that this process has had so far, where the system says. */
  static void putStepsPeak(ObjectNode json) {
    putPeak(json, STEPS_PEAK);
  }

  /** After all that is measured of a model. */
  static void putPeak(ObjectNode json) {
    putPeak(json, PROCESS_PEAK);
  }

  private static void putPeak(ObjectNode json, String name) {
    OptionalLong peak = ProcFile.bytes(ProcFile.SELF, "VmHWM");
    if (peak.isPresent()) {
      json.put(name, peak.getAsLong() / 1e9);
    }
  }

  static void putRate(ObjectNode json, ProductRate rate) {
    json.put(RATE, rate.perSecond() / 1e9);
    json.put(CPU_RATE, rate.perCpuSecond() / 1e9);
  }

  double step() {
    return number(STEP);
  }

  double stepCpu() {
    return number(STEP_CPU);
  }

  double forward() {
    return number(FORWARD);
  }

  double forwardCpu() {
    return number(FORWARD_CPU);
  }

  /** The most memory of the process up to the last step. */
  double stepsPeakGigabytes() {
    return number(STEPS_PEAK);
  }

  /** The same with the answers alone; another commit's program does not tell it. */
  double peakGigabytes() {
    return number(PROCESS_PEAK);
  }

  /** Thousands of millions of additions and multiplications in a second. */
  double rate() {
    return number(RATE);
  }

  /** Of what the process's own best product allows, which part a step reached by the clock. */
  double share(OperationCount count) {
    return count.step() / 1e9 / rate() / step();
  }

  /** The same by the processors' time. */
  double cpuShare(OperationCount count) {
    return count.step() / 1e9 / number(CPU_RATE) / stepCpu();
  }

  private double number(String name) {
    return json.path(name).asDouble(Double.NaN);
  }
}
