package io.github.loragraph;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.ort.OrtRuntime;

/**
 * The builds of ONNX Runtime, of which a process loads one. Unless a program names one before
 * anything else, it is the first that is needed: that for GPUs where one can be used, else the
 * usual one.
 */
public enum RuntimeBuild {
  /** The usual one, for the processor. */
  STOCK,
  /** Has the training API, too; what {@link TrainingArguments.Engine#TRAINING_API} needs. */
  TRAINING,
  /** For NVIDIA's GPUs, and the processor. */
  CUDA;

  /**
   * Loads the build, or does nothing where it is loaded. All builds do what the usual one does, so
   * that this is content with any.
   *
   * @throws LoraGraphException if another is loaded already, or there is none for this machine
   */
  public void load() {
    if (this == STOCK) {
      OrtRuntime.ofThisProcess();
    } else {
      OrtRuntime.open(OrtRuntime.Build.valueOf(name()));
    }
  }

  /** What is loaded; if nothing is, the build for all devices that can be used here. */
  static OrtRuntime any() {
    return OrtRuntime.canOpen(OrtRuntime.Build.CUDA)
        ? OrtRuntime.open(OrtRuntime.Build.CUDA)
        : OrtRuntime.ofThisProcess();
  }
}
