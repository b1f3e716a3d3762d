package io.github.loragraph.ops;

import io.github.loragraph.onnx.Node;
import org.jspecify.annotations.Nullable;

/**
 * The gradient of one operator: a vector-Jacobian product, written as ONNX nodes. A rule holds no
 * state. It may use only the standard operator set at {@link
 * io.github.loragraph.onnx.GraphBuilder#OPSET}, and the kernels that it was asked for; the nodes
 * that it is given are of that version too.
 */
public interface Gradient {
  /**
   * Says why the rule does not cover a node although it is of the rule's operator (an Einsum of
   * three operands, say). Asked of every node before anything is emitted, and again before its own
   * gradients are: the answer must follow from the node and the types alone.
   *
   * @return the reason in a few words, or null where the rule covers the node
   */
  default @Nullable String unsupportedReason(Node node, GradientContext g) {
    return null;
  }

  /**
   * Whether the rule reads the gradient of an output ({@link GradientContext#outputGradient}). A
   * node in which a gradient comes to any other output is refused: what a rule does not read would
   * be lost without a word.
   */
  default boolean takes(int output) {
    return output == 0;
  }

  /**
   * Whether the gradient is zero everywhere, as that of rounding is: the walk ends at such a node,
   * as it does where a value becomes an integer, and nothing is emitted for it.
   */
  default boolean isZero() {
    return false;
  }

  /**
   * Whether a gradient passes through the operator's integers, as if they were not rounded. It is
   * the gradient of the number that the integer stands for.
   */
  default boolean passesIntegers() {
    return false;
  }

  /**
   * Emits the gradients of those inputs that need one ({@link GradientContext#needs}) from the
   * gradients of the outputs.
   */
  void emit(Node node, GradientContext g);
}
