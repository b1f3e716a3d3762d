package io.github.loragraph.ops.quantization;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Straight through, together with {@code DequantizeLinear}: the gradient is that of cutting off
 * where the integers end.
 */
class QuantizeLinearGradientTest {
  private static String quantized(GraphBuilder b, String x, long axis, Tensor... constants) {
    String[] inputs = new String[1 + constants.length];
    inputs[0] = x;
    for (int i = 0; i < constants.length; i++) {
      inputs[i + 1] = b.initializer(constants[i].withName(b.graph().freshName("constant")));
    }
    String q = b.op("QuantizeLinear", n -> n.with("axis", axis), inputs);
    inputs[0] = q;
    return b.op("DequantizeLinear", n -> n.with("axis", axis), inputs);
  }

  private static Tensor int8(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    long[] dims = values.length == 1 ? new long[0] : new long[] {values.length};
    return Tensor.of("zero", ElementType.INT8, java.nio.ByteBuffer.wrap(bytes), dims);
  }

  /** (-128.5 - zero) scale and (127.5 - zero) scale: beyond, the integer is cut off. */
  private static double cut(double x, double scale, int zero) {
    double least = (-128.5 - zero) * scale;
    double largest = (127.5 - zero) * scale;
    return Math.max(least, Math.min(largest, x));
  }

  @Test
  void wholeTensor() {
    Tensor scale = Tensor.scalar("scale", ElementType.FLOAT, 0.0101);
    FiniteDifferences.of(b -> quantized(b, "x", 1, scale, int8(30)))
        .input("x", 6, 8)
        .inSinglePrecision(x -> cut(x, 0.0101f, 30))
        .check();
  }

  @Test
  void unsignedWithoutZeroPoint() {
    Tensor scale = Tensor.scalar("scale", ElementType.FLOAT, 0.0053);
    FiniteDifferences.of(b -> quantized(b, "x", 1, scale))
        .input("x", 6, 8)
        .inSinglePrecision(x -> Math.max(-0.5 * 0.0053f, Math.min(255.5 * 0.0053f, x)))
        .check();
  }

  @Test
  void channels() {
    Tensor scale = Tensor.ofFloats("scale", new float[] {0.0101f, 0.0053f, 0.02f}, 3);
    FiniteDifferences.of(b -> quantized(b, "x", 1, scale, int8(0, 5, -7)))
        .input("x", 4, 3, 5)
        .withRanksKnown()
        .inSinglePrecisionAs(b -> List.of(cutChannels(b)))
        .check();
  }

  @Test
  void lastAxisFromTheEnd() {
    Tensor scale = Tensor.ofFloats("scale", new float[] {0.0101f, 0.0053f, 0.02f}, 3);
    FiniteDifferences.of(
            b ->
                b.transpose(
                    quantized(b, b.transpose("x", 0, 2, 1), -1, scale, int8(0, 5, -7)), 0, 2, 1))
        .input("x", 4, 3, 5)
        .withRanksKnown()
        .inSinglePrecisionAs(b -> List.of(cutChannels(b)))
        .check();
  }

  private static String cutChannels(GraphBuilder b) {
    float[] scales = {0.0101f, 0.0053f, 0.02f};
    int[] zeros = {0, 5, -7};
    double[] least = new double[3];
    double[] largest = new double[3];
    for (int i = 0; i < 3; i++) {
      least[i] = (-128.5 - zeros[i]) * scales[i];
      largest[i] = (127.5 - zeros[i]) * scales[i];
    }
    String low = b.initializer(Tensor.ofDoubles("low", least, 3, 1));
    String high = b.initializer(Tensor.ofDoubles("high", largest, 3, 1));
    return b.op("Min", b.op("Max", "x", low), high);
  }
}
