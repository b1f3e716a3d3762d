package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;

/**
 * Straight through: the gradient of the number that an integer stands for is that of the number
 * that comes out. The integers are those of a {@code QuantizeLinear} of the same scale and zero
 * point, which together are PyTorch's {@code fake_quantize_per_tensor_affine} and {@code
 * ..._per_channel_affine}.
 */
@AutoService(GradientRule.class)
public final class DequantizeLinearGradient implements GradientRule {
  @Override
  public String operator() {
    return "DequantizeLinear";
  }

  @Override
  public boolean passesIntegers() {
    return true;
  }

  @Override
  public String refusal(Node node, GradientScope g) {
    if (g.needs(1)) {
      return "with a trained scale";
    }
    Node quantize = g.graph().producer(node.input(0));
    if (quantize == null || !quantize.is("QuantizeLinear")) {
      return "of integers that no QuantizeLinear makes";
    }
    boolean inverse =
        isSame(node.input(1), quantize.input(1), g)
            && isSame(node.input(2), quantize.input(2), g)
            && node.attribute("axis", 1L) == quantize.attribute("axis", 1L)
            && node.attribute("block_size", 0L) == quantize.attribute("block_size", 0L);
    return inverse ? null : "of another scale or zero point than its QuantizeLinear";
  }

  private static boolean isSame(String a, String b, GradientScope g) {
    if (a.equals(b)) {
      return true;
    }
    Tensor x = a.isEmpty() ? null : g.constant(a);
    Tensor y = b.isEmpty() ? null : g.constant(b);
    return x != null && y != null && x.type().equals(y.type()) && x.bytes().equals(y.bytes());
  }

  @Override
  public void emit(Node node, GradientScope g) {
    g.inputGradient(0, g.outputGradient(0));
  }
}
