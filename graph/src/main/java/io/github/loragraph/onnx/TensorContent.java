package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.loragraph.error.LoraGraphException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads the content of a {@code TensorProto}, which has it as bytes or in a list by type. */
final class TensorContent {
  private TensorContent() {}

  /**
   * The content, little-endian; only what stands in a list is copied.
   *
   * @throws LoraGraphException if it has no element type
   */
  static ByteBuffer of(TensorProto p) {
    ElementType type = ElementType.of(p.getDataType());
    if (p.hasRawData() || type == ElementType.STRING || type == ElementType.OTHER) {
      return p.getRawData().asReadOnlyByteBuffer();
    }
    switch (type) {
      case UNDEFINED -> throw untyped(p);
      case FLOAT, COMPLEX64 -> {
        ByteBuffer b = littleEndian(p.getFloatDataCount(), 4);
        p.getFloatDataList().forEach(b::putFloat);
        return b.flip();
      }
      case DOUBLE, COMPLEX128 -> {
        ByteBuffer b = littleEndian(p.getDoubleDataCount(), 8);
        p.getDoubleDataList().forEach(b::putDouble);
        return b.flip();
      }
      case INT64 -> {
        ByteBuffer b = littleEndian(p.getInt64DataCount(), 8);
        p.getInt64DataList().forEach(b::putLong);
        return b.flip();
      }
      case UINT32, UINT64 -> {
        ByteBuffer b = littleEndian(p.getUint64DataCount(), type.bytes());
        for (long v : p.getUint64DataList()) {
          if (type == ElementType.UINT64) {
            b.putLong(v);
          } else {
            b.putInt((int) v);
          }
        }
        return b.flip();
      }
      default -> {
        ByteBuffer b = littleEndian(p.getInt32DataCount(), type.bytes());
        for (int v : p.getInt32DataList()) {
          switch (type.bytes()) {
            case 1 -> b.put((byte) v);
            case 2 -> b.putShort((short) v);
            default -> b.putInt(v);
          }
        }
        return b.flip();
      }
    }
  }

  private static ByteBuffer littleEndian(int count, int width) {
    return ByteBuffer.allocate(Math.multiplyExact(count, width)).order(ByteOrder.LITTLE_ENDIAN);
  }

  static LoraGraphException untyped(TensorProto proto) {
    return new LoraGraphException(
        "tensor '%s' has no element type: the file is damaged".formatted(proto.getName()));
  }
}
