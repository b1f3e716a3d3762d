package io.github.loragraph.adapter;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import org.jspecify.annotations.Nullable;

/**
 * The element types of safetensors files under the names that they have there, in the order of the
 * format's own list: a file has the later ones first, which keeps each tensor aligned.
 */
public enum Dtype {
  BOOL(8, ElementType.BOOL),
  F4(4, null),
  F6_E2M3(6, null),
  F6_E3M2(6, null),
  U8(8, ElementType.UINT8),
  I8(8, ElementType.INT8),
  F8_E5M2(8, null),
  F8_E4M3(8, null),
  F8_E8M0(8, null),
  F8_E4M3FNUZ(8, null),
  F8_E5M2FNUZ(8, null),
  I16(16, ElementType.INT16),
  U16(16, ElementType.UINT16),
  F16(16, ElementType.FLOAT16),
  BF16(16, ElementType.BFLOAT16),
  I32(32, ElementType.INT32),
  U32(32, ElementType.UINT32),
  F32(32, ElementType.FLOAT),
  C64(64, ElementType.COMPLEX64),
  F64(64, ElementType.DOUBLE),
  I64(64, ElementType.INT64),
  U64(64, ElementType.UINT64);

  private final int bits;
  private final @Nullable ElementType elementType;

  Dtype(int bits, @Nullable ElementType elementType) {
    this.bits = bits;
    this.elementType = elementType;
  }

  /** Bits of one element. */
  public int bits() {
    return bits;
  }

  /** The same type in ONNX; null for those that are not read: floats of 8, 6 and 4 bits. */
  public @Nullable ElementType elementType() {
    return elementType;
  }

  /**
   * The type that a tensor is written with.
   *
   * @throws LoraGraphException if the format has none for it
   */
  static Dtype of(ElementType type) {
    for (Dtype dtype : values()) {
      if (dtype.elementType == type) {
        return dtype;
      }
    }
    throw new LoraGraphException("safetensors files have no tensors of type " + type);
  }

  /** The type of a name; null for one that the format does not have. */
  static @Nullable Dtype named(String name) {
    for (Dtype dtype : values()) {
      if (dtype.name().equals(name)) {
        return dtype;
      }
    }
    return null;
  }
}
