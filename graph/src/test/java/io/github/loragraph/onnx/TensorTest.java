package io.github.loragraph.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class TensorTest {
  /** As the content of a model's file is where protobuf has copied that to the heap. */
  @Test
  void bytesBeginAtPositionZeroWhereverTheyLie() {
    ByteBuffer file = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
    file.putFloat(Float.NaN).putFloat(Float.NaN).putFloat(1).putFloat(2).putFloat(Float.NaN);
    Tensor tensor = Tensor.of("w", ElementType.FLOAT, file.position(8).limit(16), 2);
    ByteBuffer bytes = tensor.bytes();
    assertEquals(0, bytes.position());
    assertEquals(8, bytes.limit());
    assertEquals(1, bytes.getFloat(0));
    assertEquals(2, bytes.getFloat(4));
    assertArrayEquals(new float[] {1, 2}, tensor.toFloats());
  }
}
