package io.github.loragraph.ops.fused;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.Gradient;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.Kernels;
import org.jspecify.annotations.Nullable;

/**
 * A gradient that one kernel of ONNX Runtime's training build computes, in one pass over the values
 * where the standard rule makes several. The kernels are at most as fast as one thread is, so only
 * those are used that beat the standard rule on one thread and on two, for small values and large
 * ones (ONNX Runtime 1.28): {@code ReluGrad}, {@code SigmoidGrad} and {@code TanhGrad} take 0.5 to
 * 0.7 of its time.
 *
 * <p>Tried and not faster, or not everywhere: {@code GeluGrad}, {@code LayerNormalizationGrad}
 * (which works out the gradients of scale and bias even where they are frozen), {@code
 * SoftmaxGrad_13}, {@code LogSoftmaxGrad_13}, {@code SoftmaxCrossEntropyLossInternalGrad}. {@code
 * FastGeluGrad} takes five times as long. {@code GatherGrad} adds up in whatever order its threads
 * come, so that two runs of the same seed would differ.
 *
 * @param kernel an operator of {@link Kernels#DOMAIN}: {@code kernel(dy, x)}, or {@code kernel(dy,
 *     y)}
 * @param readsOutput whether it is the second form
 */
public record TrainingKernel(String kernel, boolean readsOutput) implements Gradient {
  /** On the CPU there are kernels for FLOAT. */
  @Override
  public @Nullable String unsupportedReason(Node node, GradientContext g) {
    return g.elementType(node.input(0)) == ElementType.FLOAT ? null : "of another type than FLOAT";
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String value = readsOutput ? node.output(0) : node.input(0);
    g.inputGradient(0, g.op(kernel, n -> n.withDomain(Kernels.DOMAIN), g.outputGradient(), value));
  }
}
