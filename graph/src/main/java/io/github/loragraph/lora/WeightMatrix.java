package io.github.loragraph.lora;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.HalfPrecision;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * The weight of a Linear as a matrix (in, out), whatever its tensor's layout, type and further
 * contents are. A Gemm's alpha is in it: it is what x is multiplied by.
 */
final class WeightMatrix {
  private final Tensor tensor;
  private final ByteBuffer bytes;
  private final double factor;
  private final int start;
  private final int perIn;
  private final int perOut;
  private final int in;
  private final int out;

  private WeightMatrix(Linear linear, Tensor tensor, ByteBuffer bytes) {
    this.tensor = tensor;
    this.bytes = bytes;
    this.factor = linear.sites().get(0).node().attribute("alpha", 1f);
    this.in = Math.toIntExact(linear.in());
    this.out = Math.toIntExact(linear.out());
    int columns = Math.toIntExact(tensor.dim(-1));
    Linear.Part part = linear.part();
    this.start =
        part == null ? 0 : Math.toIntExact(part.start() * (part.axis() == 0 ? columns : 1));
    boolean outIn = linear.layout() == WeightLayout.OUT_IN;
    this.perIn = outIn ? 1 : columns;
    this.perOut = outIn ? columns : 1;
  }

  /** That of a Linear, to be read only. */
  static WeightMatrix of(Graph graph, Linear linear) {
    Tensor tensor = tensor(graph, linear);
    return new WeightMatrix(linear, tensor, tensor.bytes());
  }

  /** A copy that may be changed. */
  static WeightMatrix copyOf(Graph graph, Linear linear) {
    Tensor tensor = tensor(graph, linear);
    ByteBuffer source = tensor.bytes();
    ByteBuffer copy = ByteBuffer.allocateDirect(source.remaining()).order(ByteOrder.LITTLE_ENDIAN);
    copy.put(source.duplicate()).flip();
    return new WeightMatrix(linear, tensor, copy);
  }

  static Tensor tensor(Graph graph, Linear linear) {
    return Objects.requireNonNull(graph.constant(linear.weight()), linear.weight());
  }

  int in() {
    return in;
  }

  int out() {
    return out;
  }

  double get(int i, int o) {
    return stored(at(i, o)) * factor;
  }

  /**
   * Rounds a number to the type of the weight.
   *
   * @return whether it is finite there
   */
  boolean put(int i, int o, double number) {
    int at = at(i, o);
    double stored = number / factor;
    switch (tensor.elementType()) {
      case FLOAT -> bytes.putFloat(at * 4, (float) stored);
      case DOUBLE -> bytes.putDouble(at * 8, stored);
      case FLOAT16 -> bytes.putShort(at * 2, HalfPrecision.fromFloat((float) stored));
      default -> bytes.putShort(at * 2, HalfPrecision.bfloat16FromFloat((float) stored));
    }
    return Double.isFinite(stored(at));
  }

  private int at(int i, int o) {
    return start + i * perIn + o * perOut;
  }

  private double stored(int at) {
    return switch (tensor.elementType()) {
      case FLOAT -> bytes.getFloat(at * 4);
      case DOUBLE -> bytes.getDouble(at * 8);
      case FLOAT16 -> HalfPrecision.toFloat(bytes.getShort(at * 2));
      case BFLOAT16 -> HalfPrecision.bfloat16ToFloat(bytes.getShort(at * 2));
      default -> throw new IllegalStateException("a weight of type " + tensor.elementType());
    };
  }

  /** The norms over the input features, one for each output feature. */
  double[] norms() {
    double[] squares = new double[out];
    for (int i = 0; i < in; i++) {
      for (int o = 0; o < out; o++) {
        double w = get(i, o);
        squares[o] += w * w;
      }
    }
    for (int o = 0; o < out; o++) {
      squares[o] = Math.sqrt(squares[o]);
    }
    return squares;
  }

  /** All of it, row after row, a row for each input feature. */
  double[] toArray() {
    double[] values = new double[Math.multiplyExact(in, out)];
    for (int i = 0; i < in; i++) {
      for (int o = 0; o < out; o++) {
        values[i * out + o] = get(i, o);
      }
    }
    return values;
  }

  /** The tensor with these contents, under another name. */
  Tensor tensor(String name) {
    return Tensor.of(name, tensor.elementType(), bytes, tensor.dims());
  }

  ElementType type() {
    return tensor.elementType();
  }
}
