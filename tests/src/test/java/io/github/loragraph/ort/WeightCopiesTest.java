package io.github.loragraph.ort;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Weights that cannot be read in place are copied once in a process, and closed by the last. */
class WeightCopiesTest {
  private final OrtRuntime runtime = OrtRuntime.on(Device.CPU);

  /** 32 x 64 numbers. */
  private static Tensor weight(String name, int changedAt) {
    float[] values = new float[2048];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.sin(i);
    }
    if (changedAt >= 0) {
      values[changedAt] = 7;
    }
    return Tensor.ofFloats(name, values, 32, 64);
  }

  @Test
  void equalBytesAreOneCopyUntilTheLastIsDone() throws Exception {
    long before = WeightCopies.bytesInUse();
    Weights first = new Weights();
    Weights second = new Weights();
    Object one = first.of(runtime, List.of(weight("a", -1))).get("a");
    Map<String, ?> others =
        second.of(runtime, List.of(weight("b", -1), weight("c", -1), weight("other", 3)));
    assertSame(one, others.get("b"));
    assertSame(one, others.get("c"));
    // It differs in a number that is no sample.
    assertNotSame(one, others.get("other"));
    assertEquals(before + 2 * 8192, WeightCopies.bytesInUse());
    first.close();
    first.close();
    assertFalse(((ai.onnxruntime.OnnxTensor) one).isClosed());
    second.close();
    assertTrue(((ai.onnxruntime.OnnxTensor) one).isClosed());
    assertEquals(before, WeightCopies.bytesInUse());
    try (Weights again = new Weights()) {
      again.of(runtime, List.of(weight("a", -1)));
      assertEquals(before + 8192, WeightCopies.bytesInUse());
    }
  }

  @Test
  void shapeAndTypeCountToo() throws Exception {
    Tensor weight = weight("a", -1);
    Tensor turned = Tensor.of("a", ElementType.FLOAT, weight.bytes(), 64, 32);
    try (Weights weights = new Weights()) {
      assertNotSame(
          weights.of(runtime, List.of(weight)).get("a"),
          weights.of(runtime, List.of(turned)).get("a"));
    }
  }

  @Test
  void whatIsReadInPlaceIsNotCopied() throws Exception {
    ByteBuffer memory = ByteBuffer.allocateDirect(8200).order(ByteOrder.nativeOrder());
    Tensor aligned = Tensor.of("a", ElementType.FLOAT, memory.slice(0, 8192), 32, 64);
    Tensor between = Tensor.of("a", ElementType.FLOAT, memory.slice(1, 8192), 32, 64);
    assertFalse(WeightCopies.isNeeded(aligned));
    assertTrue(WeightCopies.isNeeded(between));
    long before = WeightCopies.bytesInUse();
    try (Weights weights = new Weights()) {
      weights.of(runtime, List.of(aligned));
      assertEquals(before, WeightCopies.bytesInUse());
      weights.of(runtime, List.of(between));
      assertEquals(before + 8192, WeightCopies.bytesInUse());
    }
    assertEquals(before, WeightCopies.bytesInUse());
  }
}
