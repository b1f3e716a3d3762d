package io.github.loragraph.ort;

import io.github.loragraph.error.LoraGraphException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What computes.
 *
 * @param index of the GPU, as CUDA counts them; 0 for the CPU
 */
public record Device(Kind kind, int index) {
  /** The kinds of devices. */
  public enum Kind {
    CPU,
    CUDA
  }

  /** The processor. */
  public static final Device CPU = new Device(Kind.CPU, 0);

  private static final Pattern CUDA_NAME = Pattern.compile("cuda(?::(\\d{1,4}))?");

  /** A GPU. */
  public static Device cuda(int index) {
    return new Device(Kind.CUDA, index);
  }

  /**
   * Reads {@code cpu}, {@code cuda} (the first GPU) or {@code cuda:N}.
   *
   * @throws LoraGraphException if it is none of these
   */
  public static Device parse(String name) {
    if (name.equals("cpu")) {
      return CPU;
    }
    Matcher cuda = CUDA_NAME.matcher(name);
    if (!cuda.matches()) {
      throw new LoraGraphException(
          "'%s' is no device: give cpu, cuda (the first GPU) or cuda:N".formatted(name));
    }
    return cuda(cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1)));
  }

  public boolean isGpu() {
    return kind == Kind.CUDA;
  }

  /** As {@link #parse} reads it. */
  @Override
  public String toString() {
    return isGpu() ? "cuda:" + index : "cpu";
  }
}
