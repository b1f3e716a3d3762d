package io.github.loragraph.ort;

import io.github.loragraph.cuda.Cuda;
import io.github.loragraph.error.LoraGraphException;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The device that is computed on.
 *
 * @param reason why, in a few words; empty where the device was asked for by name
 */
public record DeviceChoice(Device device, String reason) {
  /**
   * Takes the device that was asked for, or the first GPU if there is one that can be used.
   *
   * @param asked empty for the best there is
   * @param cuda what the machine has
   * @throws LoraGraphException if a GPU was asked for that cannot be used: it says what is missing
   */
  public static DeviceChoice of(Optional<Device> asked, Cuda cuda) {
    if (asked.isEmpty()) {
      return best(cuda);
    }
    Device device = asked.get();
    if (device.isGpu()) {
      cuda.require();
      if (device.index() >= cuda.gpus().size()) {
        throw new LoraGraphException(
            "there is no %s here; there are: %s".formatted(device, names(cuda)));
      }
    }
    return new DeviceChoice(device, "");
  }

  private static DeviceChoice best(Cuda cuda) {
    if (cuda.missing().isEmpty()) {
      return new DeviceChoice(Device.cuda(0), cuda.gpus().get(0).name());
    }
    return new DeviceChoice(
        Device.CPU,
        cuda.driver().isEmpty() ? "there is no GPU with a driver here" : cuda.missing().get());
  }

  private static String names(Cuda cuda) {
    return cuda.gpus().stream()
        .map(gpu -> "cuda:" + cuda.gpus().indexOf(gpu) + " (" + gpu.name() + ")")
        .collect(Collectors.joining(", "));
  }

  /** One line for the log. */
  @Override
  public String toString() {
    return "device " + device + (reason.isEmpty() ? "" : ": " + reason);
  }
}
