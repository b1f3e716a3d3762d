package io.github.loragraph.adapter;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.HalfPrecision;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.Arrays;

/** Matrices of adapters, which are small: their numbers are moved, and never computed with. */
final class Matrices {
  private Matrices() {}

  /**
   * A matrix with rows and columns swapped, bit for bit.
   *
   * @param matrix of two axes, of a type whose elements are whole bytes
   */
  static Tensor transposed(Tensor matrix, String name) {
    int rows = Math.toIntExact(matrix.dim(0));
    int columns = Math.toIntExact(matrix.dim(1));
    int width = matrix.elementType().bytes();
    ByteBuffer from = matrix.bytes();
    ByteBuffer to = ByteBuffer.allocate(from.remaining()).order(ByteOrder.LITTLE_ENDIAN);
    if (width == Integer.BYTES) {
      IntBuffer in = from.asIntBuffer();
      IntBuffer out = to.asIntBuffer();
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
          out.put(j * rows + i, in.get(i * columns + j));
        }
      }
    } else {
      byte[] element = new byte[width];
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
          from.get((i * columns + j) * width, element);
          to.put((j * rows + i) * width, element);
        }
      }
    }
    return Tensor.of(name, matrix.elementType(), to, columns, rows);
  }

  /** Two FLOAT matrices of the same number of rows side by side. */
  static Tensor sideBySide(Tensor left, Tensor right) {
    Tensor one = transposed(left, left.name());
    return transposed(stacked(one, transposed(right, right.name())), left.name());
  }

  /** Two FLOAT matrices of the same number of columns one above the other. */
  static Tensor stacked(Tensor upper, Tensor lower) {
    float[] first = upper.toFloats();
    float[] second = lower.toFloats();
    float[] all = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, all, first.length, second.length);
    return Tensor.ofFloats(upper.name(), all, upper.dim(0) + lower.dim(0), upper.dim(1));
  }

  /** Some rows of a FLOAT matrix. */
  static Tensor rows(Tensor matrix, int from, int to) {
    int columns = Math.toIntExact(matrix.dim(1));
    float[] some = Arrays.copyOfRange(matrix.toFloats(), from * columns, to * columns);
    return Tensor.ofFloats(matrix.name(), some, to - from, columns);
  }

  /** Some columns of a FLOAT matrix. */
  static Tensor columns(Tensor matrix, int from, int to) {
    return transposed(rows(transposed(matrix, matrix.name()), from, to), matrix.name());
  }

  /** A FLOAT tensor with the signs of its numbers changed, which is exact. */
  static Tensor negated(Tensor tensor) {
    float[] values = tensor.toFloats();
    for (int i = 0; i < values.length; i++) {
      values[i] = -values[i];
    }
    return Tensor.ofFloats(tensor.name(), values, tensor.dims());
  }

  /** A floating-point tensor in 32 bits; itself, where it is. */
  static Tensor toFloat(Tensor tensor) {
    if (tensor.elementType() == ElementType.FLOAT) {
      return tensor;
    }
    int count = Math.toIntExact(tensor.elementCount());
    ByteBuffer from = tensor.bytes();
    ByteBuffer to =
        ByteBuffer.allocate(Math.multiplyExact(count, Float.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      to.putFloat(
          switch (tensor.elementType()) {
            case FLOAT16 -> HalfPrecision.toFloat(from.getShort());
            case BFLOAT16 -> HalfPrecision.bfloat16ToFloat(from.getShort());
            case DOUBLE -> (float) from.getDouble();
            default -> throw new IllegalArgumentException("no floating-point numbers: " + tensor);
          });
    }
    return Tensor.of(tensor.name(), ElementType.FLOAT, to.flip(), tensor.dims());
  }
}
