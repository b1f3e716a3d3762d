package io.github.loragraph.gpucheck;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.ort.NodePlacement;
import io.github.loragraph.ort.Sessions;

/**
 * The device that is checked. This is the one place that knows how this build opens a session on
 * one.
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
    return option.startsWith("cuda:") ? Integer.parseInt(option.substring("cuda:".length())) : 0;
  }

  /**
   * Sessions on the device.
   *
   * @param tf32 whether products of float32 may be computed with fewer bits
   * @throws LoraGraphException if it cannot be had
   */
  Sessions sessions(boolean tf32) {
    if (!isCpu()) {
      throw new LoraGraphException(
          "this build of lora-graph opens no session on '%s'%s: only --device cpu can be checked"
              .formatted(option, tf32 ? "" : " without TF32"));
    }
    return new Sessions(0);
  }
}
