package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.TensorProto;

/**
 * The element types of ONNX tensors, with the numbers of {@code TensorProto.DataType} in the ONNX
 * IR specification.
 */
public enum ElementType {
  UNDEFINED(TensorProto.DataType.UNDEFINED_VALUE, 0),
  FLOAT(TensorProto.DataType.FLOAT_VALUE, 4),
  UINT8(TensorProto.DataType.UINT8_VALUE, 1),
  INT8(TensorProto.DataType.INT8_VALUE, 1),
  UINT16(TensorProto.DataType.UINT16_VALUE, 2),
  INT16(TensorProto.DataType.INT16_VALUE, 2),
  INT32(TensorProto.DataType.INT32_VALUE, 4),
  INT64(TensorProto.DataType.INT64_VALUE, 8),
  STRING(TensorProto.DataType.STRING_VALUE, 0),
  BOOL(TensorProto.DataType.BOOL_VALUE, 1),
  FLOAT16(TensorProto.DataType.FLOAT16_VALUE, 2),
  DOUBLE(TensorProto.DataType.DOUBLE_VALUE, 8),
  UINT32(TensorProto.DataType.UINT32_VALUE, 4),
  UINT64(TensorProto.DataType.UINT64_VALUE, 8),
  COMPLEX64(TensorProto.DataType.COMPLEX64_VALUE, 8),
  COMPLEX128(TensorProto.DataType.COMPLEX128_VALUE, 16),
  BFLOAT16(TensorProto.DataType.BFLOAT16_VALUE, 2),
  /** A type that this version does not read (8-bit floats, 4-bit integers); its bytes are kept. */
  OTHER(-1, 0);

  private static final ElementType[] BY_CODE = new ElementType[17];

  static {
    for (ElementType type : values()) {
      if (type.code >= 0) {
        BY_CODE[type.code] = type;
      }
    }
  }

  private final int code;
  private final int bytes;

  ElementType(int code, int bytes) {
    this.code = code;
    this.bytes = bytes;
  }

  public static ElementType of(int code) {
    return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : OTHER;
  }

  /** The number in {@code TensorProto.data_type}. */
  public int code() {
    return code;
  }

  /** Bytes of one element, 0 where elements have no fixed size or the type is not read. */
  public int bytes() {
    return bytes;
  }

  public boolean isFloatingPoint() {
    return this == FLOAT || this == DOUBLE || this == FLOAT16 || this == BFLOAT16;
  }
}
