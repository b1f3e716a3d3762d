package io.github.loragraph.ops.quantization;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.ShapeContext;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Straight through: the gradient of the number that an integer stands for is that of the number
 * that comes out. The integers are those of a {@code QuantizeLinear} of the same scale and zero
 * point, which together are PyTorch's {@code fake_quantize_per_tensor_affine} and {@code
 * ..._per_channel_affine}.
 */
@AutoService(OperatorFamily.class)
public final class DequantizeLinear implements DifferentiableOperator {
  @Override
  public String name() {
    return "DequantizeLinear";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.KEEPS_SHAPE);
  }

  @Override
  public Set<Integer> weights() {
    return Set.of(0);
  }

  @Override
  public @Nullable ElementType elementType(int output, ShapeContext c) {
    return c.elementType(1);
  }

  @Override
  public boolean passesIntegers() {
    return true;
  }

  @Override
  public @Nullable String unsupportedReason(Node node, GradientContext g) {
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

  private static boolean isSame(String a, String b, GradientContext g) {
    if (a.equals(b)) {
      return true;
    }
    Tensor x = a.isEmpty() ? null : g.constant(a);
    Tensor y = b.isEmpty() ? null : g.constant(b);
    return x != null && y != null && x.type().equals(y.type()) && x.bytes().equals(y.bytes());
  }

  @Override
  public void emit(Node node, GradientContext g) {
    g.inputGradient(0, g.outputGradient());
  }
}
