package io.github.loragraph.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every number of 16 bits, and the numbers around the middle between each two. */
class HalfPrecisionTest {
  private static float value(ElementType type, int bits) {
    return type == ElementType.FLOAT16
        ? HalfPrecision.toFloat((short) bits)
        : HalfPrecision.bfloat16ToFloat((short) bits);
  }

  private static int bits(ElementType type, float value) {
    short half =
        type == ElementType.FLOAT16
            ? HalfPrecision.fromFloat(value)
            : HalfPrecision.bfloat16FromFloat(value);
    return half & 0xffff;
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT16", "BFLOAT16"})
  void everyNumberStaysItself(ElementType type) {
    for (int half = 0; half < 0x10000; half++) {
      float value = value(type, half);
      if (Float.isNaN(value)) {
        assertTrue(Float.isNaN(value(type, bits(type, value))));
      } else {
        assertEquals(half, bits(type, value));
      }
    }
  }

  /** Subnormal numbers, powers of two and the step to infinity are among them. */
  @ParameterizedTest
  @EnumSource(names = {"FLOAT16", "BFLOAT16"})
  void roundsToTheNearestAndTiesToEven(ElementType type) {
    int infinity = bits(type, Float.POSITIVE_INFINITY);
    for (int lower = 0; lower < infinity; lower++) {
      int upper = lower + 1;
      float low = value(type, lower);
      // Infinity stands where the next number would be.
      double high =
          upper == infinity ? low + (double) Math.ulp(low) * ulps(type) : value(type, upper);
      float middle = (float) ((low + high) / 2);
      assertEquals((low + high) / 2, middle, "the middle is a float");
      int even = lower % 2 == 0 ? lower : upper;
      for (int sign : new int[] {0, 0x8000}) {
        float s = sign == 0 ? 1 : -1;
        assertEquals(sign | even, bits(type, s * middle));
        assertEquals(sign | lower, bits(type, s * Math.nextDown(middle)));
        assertEquals(sign | upper, bits(type, s * Math.nextUp(middle)));
      }
    }
  }

  /** Units in the last place of a float that make one of the type. */
  private static int ulps(ElementType type) {
    return type == ElementType.FLOAT16 ? 1 << 13 : 1 << 16;
  }

  @Test
  void edges() {
    assertEquals(0x7bff, bits(ElementType.FLOAT16, 65504));
    assertEquals(0x7bff, bits(ElementType.FLOAT16, Math.nextDown(65520f)));
    assertEquals(0x7c00, bits(ElementType.FLOAT16, 65520));
    assertEquals(0xfc00, bits(ElementType.FLOAT16, -Float.MAX_VALUE));
    assertEquals(0x0001, bits(ElementType.FLOAT16, 0x1p-24f));
    assertEquals(0x0000, bits(ElementType.FLOAT16, 0x1p-25f));
    assertEquals(0x8000, bits(ElementType.FLOAT16, -0f));
    assertEquals(0x7f80, bits(ElementType.BFLOAT16, Float.MAX_VALUE));
    assertEquals(0x0000, bits(ElementType.BFLOAT16, Float.MIN_VALUE));
    for (int nan : new int[] {0x7f800001, 0x7fffffff, 0xff800001, 0xffffffff}) {
      for (ElementType type : new ElementType[] {ElementType.FLOAT16, ElementType.BFLOAT16}) {
        assertTrue(Float.isNaN(value(type, bits(type, Float.intBitsToFloat(nan)))));
      }
    }
  }

  @Test
  void tensorsAreConvertedEntryByEntry() {
    Tensor tensor = Tensor.ofFloats("w", new float[] {1, -2049, 1e6f, 1e-8f}, 2, 2);
    Tensor half = tensor.toHalf("h", ElementType.FLOAT16);
    assertEquals("h FLOAT16[2, 2]", half.toString());
    double[] expected = {1, -2048, Double.POSITIVE_INFINITY, 0};
    double[] wide = tensor.toHalf("b", ElementType.BFLOAT16).toDoubles();
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], half.toDoubles()[i]);
      assertEquals(tensor.toFloats()[i], wide[i], Math.abs(tensor.toFloats()[i]) / 256);
    }
  }
}
