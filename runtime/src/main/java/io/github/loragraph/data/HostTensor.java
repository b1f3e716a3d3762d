package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * A tensor in memory that ONNX Runtime can read in place.
 *
 * @param name of the graph input that it is for
 * @param data a direct buffer in native order, row-major, from position 0 to its limit
 * @param owner of the memory, who may take it back
 */
public record HostTensor(
    String name, ElementType type, long[] shape, ByteBuffer data, Owner owner) {
  /** Who says how long memory may be read. */
  @FunctionalInterface
  public interface Owner {
    /**
     * Refuses to have memory read that was given back.
     *
     * @throws IllegalStateException if it was
     */
    void requireOpen();
  }

  private static final Owner NOBODY_ELSE = () -> {};

  /** A tensor whose memory is its own, for as long as somebody holds it. */
  public HostTensor(String name, ElementType type, long[] shape, ByteBuffer data) {
    this(name, type, shape, data, NOBODY_ELSE);
  }

  /**
   * The memory.
   *
   * @throws IllegalStateException if its owner has taken it back
   */
  @Override
  public ByteBuffer data() {
    owner.requireOpen();
    return data;
  }

  /**
   * The bytes of a tensor.
   *
   * @throws LoraGraphException if they are more than one buffer holds
   */
  public static int byteCount(String name, ElementType type, long... shape) {
    try {
      long bytes = type.bytes();
      for (long size : shape) {
        bytes = Math.multiplyExact(bytes, size);
      }
      return Math.toIntExact(bytes);
    } catch (ArithmeticException e) {
      throw new LoraGraphException(
          "'%s' would be %s values of type %s, more than the 2 GB of one tensor: take smaller batches or shorter texts"
              .formatted(
                  name,
                  Arrays.stream(shape)
                      .mapToObj("%,d"::formatted)
                      .collect(Collectors.joining(" x ")),
                  type),
          e);
    }
  }
}
