package io.github.loragraph.onnx;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Reads the value of a {@code Constant} node, which may stand in one of several attributes. */
final class ConstantNode {
  private ConstantNode() {}

  /**
   * The value, or null for a kind that is not read (strings, sparse tensors, or what a damaged file
   * has under the attribute's name).
   */
  static @Nullable Tensor value(Node constant) {
    String name = constant.output(0);
    if (constant.hasAttribute("value")) {
      Tensor value = constant.tensor("value");
      return value == null ? null : value.withName(name);
    }
    if (constant.hasAttribute("value_float")) {
      return Tensor.ofFloats(name, new float[] {constant.attribute("value_float", 0f)});
    }
    if (constant.hasAttribute("value_int")) {
      return Tensor.ofLongs(name, new long[] {constant.attribute("value_int", 0L)});
    }
    if (constant.hasAttribute("value_floats")) {
      float[] values = Objects.requireNonNull(constant.floats("value_floats"));
      return Tensor.ofFloats(name, values, values.length);
    }
    if (constant.hasAttribute("value_ints")) {
      long[] values = Objects.requireNonNull(constant.longs("value_ints"));
      return Tensor.ofLongs(name, values, values.length);
    }
    return null;
  }
}
