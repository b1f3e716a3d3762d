package io.github.loragraph.autodiff;

import io.github.loragraph.onnx.Node;

/**
 * The gradient of one operator: a vector-Jacobian product, written as ONNX nodes. A rule holds no
 * state. The registry finds it as a service ({@code @AutoService(GradientRule.class)} on a public
 * class in {@code autodiff.rules}), so that adding a rule touches no other file.
 *
 * <p>A rule may use only the standard operator set at {@link
 * io.github.loragraph.onnx.GraphBuilder#OPSET}, and the kernels that it says it needs; the nodes
 * that it is given are of that version too.
 */
public interface GradientRule {
  /** The operator, as its nodes name it: {@code MatMul}. */
  String operator();

  /** The operator set that the operator is of; the standard one unless overridden. */
  default String domain() {
    return "";
  }

  /**
   * The kernels that the nodes it emits need. An operator may have a rule for each set: one over
   * fused kernels ({@code autodiff.rules.fused}) goes before the standard one where they are to be
   * had, and leaves to it the nodes that it refuses.
   */
  default Kernels kernels() {
    return Kernels.STANDARD;
  }

  /**
   * Says why the rule does not cover a node although it is of the rule's operator (an Einsum of
   * three operands, say). Asked of every node before anything is emitted, and again before its own
   * gradients are: the answer must follow from the node and the types alone.
   *
   * @return the reason in a few words, or null where the rule covers the node
   */
  default String refusal(Node node, GradientScope scope) {
    return null;
  }

  /**
   * Whether the rule reads the gradient of an output ({@link GradientScope#outputGradient}). A node
   * in which a gradient comes to any other output is refused: what a rule does not read would be
   * lost without a word.
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
   * Emits the gradients of those inputs that need one ({@link GradientScope#needs}) from the
   * gradients of the outputs.
   */
  void emit(Node node, GradientScope g);
}
