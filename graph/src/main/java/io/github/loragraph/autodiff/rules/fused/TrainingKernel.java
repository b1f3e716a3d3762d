package io.github.loragraph.autodiff.rules.fused;

import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.autodiff.Kernels;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;

/**
 * What the rules over kernels of the training build have in common. The kernels are at most as fast
 * as one thread is, so only those are used that beat the standard rule on one thread and on two,
 * for small values and large ones (ONNX Runtime 1.28): {@code ReluGrad}, {@code SigmoidGrad} and
 * {@code TanhGrad} take 0.5 to 0.7 of its time.
 *
 * <p>Tried and not faster, or not everywhere: {@code GeluGrad}, {@code LayerNormalizationGrad}
 * (which works out the gradients of scale and bias even where they are frozen), {@code
 * SoftmaxGrad_13}, {@code LogSoftmaxGrad_13}, {@code SoftmaxCrossEntropyLossInternalGrad}. {@code
 * FastGeluGrad} takes five times as long. {@code GatherGrad} adds up in whatever order its threads
 * come, so that two runs of the same seed would differ.
 */
final class TrainingKernel {
  private TrainingKernel() {}

  /**
   * The reason why a kernel does not take a node, or null: on the CPU there are those for FLOAT.
   */
  static String refusal(Node node, GradientScope g) {
    return g.elementType(node.input(0)) == ElementType.FLOAT ? null : "of another type than FLOAT";
  }

  /**
   * Adds a node with one output.
   *
   * @param kernel an operator of {@link Kernels#DOMAIN}
   */
  static String op(GradientScope g, String kernel, String... inputs) {
    return g.op(kernel, n -> n.withDomain(Kernels.DOMAIN), inputs);
  }
}
