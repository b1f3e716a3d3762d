package io.github.loragraph.check;

import io.github.loragraph.cuda.Cuda;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.ort.Device;
import io.github.loragraph.ort.DeviceChoice;
import io.github.loragraph.ort.GpuKernels;
import io.github.loragraph.ort.NodePlacement;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import java.util.Optional;

/**
 * The device that is checked.
 *
 * @param option as {@code --device} takes it
 */
record CheckedDevice(String option) {
  boolean isCpu() {
    return option.equals("cpu");
  }

  /** The provider that every compute node has to run on, as profiles name it. */
  String provider() {
    return isCpu() ? NodePlacement.CPU : NodePlacement.CUDA;
  }

  /** What {@code nvidia-smi} calls it. */
  int index() {
    return Device.parse(option).index();
  }

  /**
   * Sessions on the device.
   *
   * @param tf32 whether products of float32 may be computed with fewer bits
   * @throws LoraGraphException if it cannot be had
   */
  Sessions sessions(boolean tf32) {
    return new Sessions(runtime(), 0).on(Device.parse(option), new GpuKernels(tf32, true));
  }

  /**
   * ONNX Runtime's build for the device.
   *
   * @throws LoraGraphException if the device cannot be had
   */
  OrtRuntime runtime() {
    Device device = Device.parse(option);
    if (device.isGpu()) {
      DeviceChoice.of(Optional.of(device), Cuda.ofThisMachine());
    }
    return OrtRuntime.on(device);
  }
}
