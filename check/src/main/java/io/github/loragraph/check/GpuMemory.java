package io.github.loragraph.check;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** What NVIDIA's {@code nvidia-smi} says about one device. */
final class GpuMemory {
  private final String device;

  GpuMemory(int index) {
    this.device = Integer.toString(index);
  }

  /** Memory in use by all processes; NaN where it cannot be had. */
  double usedGigabytes() {
    try {
      return query("memory.used").map(mebibytes -> mebibytes(mebibytes) / 1e9).orElse(Double.NaN);
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }

  private static double mebibytes(String number) {
    return Double.parseDouble(number) * (1 << 20);
  }

  /** Properties as {@code --query-gpu} names them, in one line. */
  Optional<String> query(String properties) {
    List<String> command =
        List.of(
            "nvidia-smi",
            "--query-gpu=" + properties,
            "--format=csv,noheader,nounits",
            "--id=" + device);
    try {
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      boolean done = process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
      return done && !output.isEmpty() ? Optional.of(output) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }
}
