package io.github.loragraph.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * One graphics processor.
 *
 * @param index N of {@code cuda:N}: its place among those that {@code CUDA_VISIBLE_DEVICES} leaves,
 *     in the order of {@code nvidia-smi}. Of unequal devices CUDA takes the fastest first, unless
 *     {@code CUDA_DEVICE_ORDER=PCI_BUS_ID} is set.
 * @param memoryMegabytes in units of 2^20 bytes; 0 if it is not known
 * @param computeCapability as {@code 9.0}; empty if it is not known
 */
public record Gpu(
    int index, String name, long memoryMegabytes, Optional<String> computeCapability) {
  /** Reads what {@code nvidia-smi --query-gpu=index,name,memory.total[,compute_cap]} prints. */
  static List<Gpu> ofSmi(String output) {
    List<Gpu> gpus = new ArrayList<>();
    for (String line : output.lines().toList()) {
      String[] fields = line.split("\\s*,\\s*");
      if (fields.length >= 3 && isNumber(fields[0])) {
        gpus.add(
            new Gpu(
                Integer.parseInt(fields[0].strip()),
                fields[1].strip(),
                isNumber(fields[2]) ? Long.parseLong(fields[2].strip()) : 0,
                fields.length > 3 && fields[3].matches("\\d+\\.\\d+\\s*")
                    ? Optional.of(fields[3].strip())
                    : Optional.empty()));
      }
    }
    return gpus;
  }

  /**
   * Those that CUDA shows to a program, numbered anew.
   *
   * @param variable {@code CUDA_VISIBLE_DEVICES}; where it names devices by anything but numbers,
   *     all are kept
   */
  static List<Gpu> visible(List<Gpu> gpus, String variable) {
    List<Gpu> visible = new ArrayList<>();
    for (String word : variable.split(",", -1)) {
      String name = word.strip();
      if (name.startsWith("GPU-") || name.startsWith("MIG-")) {
        return gpus;
      }
      Optional<Gpu> gpu =
          gpus.stream().filter(g -> Integer.toString(g.index).equals(name)).findFirst();
      if (gpu.isEmpty()) {
        // CUDA itself stops at the first that there is none of.
        break;
      }
      visible.add(gpu.get().withIndex(visible.size()));
    }
    return visible;
  }

  private Gpu withIndex(int other) {
    return new Gpu(other, name, memoryMegabytes, computeCapability);
  }

  private static boolean isNumber(String field) {
    return field.strip().matches("\\d{1,9}");
  }

  @Override
  public String toString() {
    return "cuda:%s %s%s%s"
        .formatted(
            index,
            name,
            memoryMegabytes == 0 ? "" : String.format(Locale.ROOT, ", %,d MB", memoryMegabytes),
            computeCapability.map(c -> ", compute capability " + c).orElse(""));
  }
}
