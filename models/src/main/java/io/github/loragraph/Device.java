package io.github.loragraph;

import io.github.loragraph.error.LoraGraphException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What computes: the processor, one of the machine's NVIDIA GPUs, or whichever can be used. A
 * value, safe for use by several threads.
 */
public final class Device {
  /** The first GPU if one can be used, else the processor; which it is becomes a note. */
  public static final Device AUTO = new Device(null);

  /** The processor. */
  public static final Device CPU = new Device(io.github.loragraph.ort.Device.CPU);

  /** Null for {@link #AUTO}. */
  private final io.github.loragraph.ort.@Nullable Device device;

  private Device(io.github.loragraph.ort.@Nullable Device device) {
    this.device = device;
  }

  /** A GPU, as CUDA counts them, from 0. */
  public static Device cuda(int index) {
    return new Device(io.github.loragraph.ort.Device.cuda(index));
  }

  /**
   * Reads {@code auto}, {@code cpu}, {@code cuda} (the first GPU) or {@code cuda:N}.
   *
   * @throws LoraGraphException if it is none of these
   */
  public static Device parse(String name) {
    if (name.equals("auto")) {
      return AUTO;
    }
    try {
      return new Device(io.github.loragraph.ort.Device.parse(name));
    } catch (LoraGraphException e) {
      throw new LoraGraphException(e.getMessage() + ", or auto", e);
    }
  }

  /** The device that was named; empty for {@link #AUTO}. */
  Optional<io.github.loragraph.ort.Device> asked() {
    return Optional.ofNullable(device);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Device d && asked().equals(d.asked());
  }

  @Override
  public int hashCode() {
    return asked().hashCode();
  }

  /** As {@link #parse} reads it. */
  @Override
  public String toString() {
    return device == null ? "auto" : device.toString();
  }
}
