package io.github.loragraph.cuda;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The releases of CUDA that ONNX Runtime is built for; the newest first. */
public enum CudaVersion {
  CUDA_13(
      13,
      580,
      List.of("libcudart.so.13", "libcublasLt.so.13", "libcublas.so.13", CudaVersion.CUDNN)),
  CUDA_12(
      12,
      525,
      List.of(
          "libcudart.so.12",
          "libcublasLt.so.12",
          "libcublas.so.12",
          "libcurand.so.10",
          CudaVersion.CUDNN));

  /** cuDNN 9, for either release. */
  static final String CUDNN = "libcudnn.so.9";

  private final int number;
  private final int oldestDriver;
  private final List<String> libraries;

  CudaVersion(int number, int oldestDriver, List<String> libraries) {
    this.number = number;
    this.oldestDriver = oldestDriver;
    this.libraries = libraries;
  }

  /** The release with a number; empty if ONNX Runtime is not built for it. */
  public static Optional<CudaVersion> of(int number) {
    return Arrays.stream(values()).filter(version -> version.number == number).findFirst();
  }

  /** 12 or 13. */
  public int number() {
    return number;
  }

  /** The first series of NVIDIA drivers that runs it. */
  public int oldestDriver() {
    return oldestDriver;
  }

  /**
   * The shared libraries that ONNX Runtime's provider needs, without the driver's own, in an order
   * that has each after those that it needs.
   */
  public List<String> libraries() {
    return libraries;
  }

  /** cuDNN compiles kernels with it, where it is there. */
  String compiler() {
    return "libnvrtc.so." + number;
  }

  /** The library that only this release of CUDA has: whoever needs it is built for the release. */
  String mark() {
    return "libcudart.so." + number;
  }

  /** {@code CUDA 12} or {@code CUDA 13}. */
  @Override
  public String toString() {
    return "CUDA " + number;
  }
}
