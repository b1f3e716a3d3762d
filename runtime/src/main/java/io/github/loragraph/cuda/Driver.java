package io.github.loragraph.cuda;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * NVIDIA's driver.
 *
 * @param version of the driver, as {@code 570.86.15}
 * @param cuda the newest release of CUDA that it supports, as {@code 12.8}; empty where only {@code
 *     nvidia-smi} could tell and is missing
 */
public record Driver(String version, Optional<String> cuda) {
  // Newer ones write of "KMD Version" and "CUDA UMD Version".
  private static final Pattern SMI_DRIVER =
      Pattern.compile("(?:Driver|KMD) Version\\s*:\\s*(\\d+(?:\\.\\d+)+)");
  private static final Pattern SMI_CUDA =
      Pattern.compile("CUDA (?:UMD )?Version\\s*:\\s*(\\d+\\.\\d+)");
  private static final Pattern MODULE =
      Pattern.compile("NVRM version:.*?\\s(\\d{3,}(?:\\.\\d+)+)\\s");

  /** Reads what {@code nvidia-smi} prints; empty if that names no driver. */
  static Optional<Driver> ofSmi(String output) {
    return first(SMI_DRIVER, output).map(version -> new Driver(version, first(SMI_CUDA, output)));
  }

  /** Reads {@code /proc/driver/nvidia/version}; empty if that names no driver. */
  static Optional<Driver> ofModule(String text) {
    return first(MODULE, text + "\n").map(version -> new Driver(version, Optional.empty()));
  }

  private static Optional<String> first(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
  }

  /** Whether it runs programs built for a release of CUDA. */
  public boolean supports(CudaVersion release) {
    return cuda.map(newest -> major(newest) >= release.number())
        .orElse(major(version) >= release.oldestDriver());
  }

  private static int major(String version) {
    return Integer.parseInt(version.substring(0, version.indexOf('.')));
  }

  @Override
  public String toString() {
    return version + cuda.map(newest -> ", CUDA up to " + newest).orElse("");
  }
}
