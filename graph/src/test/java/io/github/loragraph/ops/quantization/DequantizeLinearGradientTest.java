package io.github.loragraph.ops.quantization;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import org.junit.jupiter.api.Test;

/** What {@code QuantizeLinear} makes is tested with it; here the same constants under two names. */
class DequantizeLinearGradientTest {
  @Test
  void equalConstants() {
    Tensor scale = Tensor.scalar("scale", ElementType.FLOAT, 0.03);
    FiniteDifferences.of(
            b -> {
              String a = b.initializer(scale.withName("scale_a"));
              String c = b.initializer(scale.withName("scale_b"));
              return b.op("DequantizeLinear", b.op("QuantizeLinear", "x", a), c);
            })
        .input("x", 2, 3)
        .inSinglePrecision(x -> Math.max(-0.5 * 0.03f, x))
        .check();
  }
}
