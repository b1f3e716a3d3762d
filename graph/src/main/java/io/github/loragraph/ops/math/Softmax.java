package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorChange;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * y = softmax(x) along an axis: dx = y (dy - sum(dy y)). Where y goes into a product z = y v alone,
 * as the scores of an attention do, the sum is that of dz z, of which there are as many numbers as
 * a head is wide, not as a text is long (Dao et al., "FlashAttention", 2022, section B.4). On a
 * CPU, where all is in single precision: of products in 16 bits the two sums differ by more than
 * what they are subtracted from can bear.
 */
@AutoService(OperatorFamily.class)
public final class Softmax implements DifferentiableOperator {
  @Override
  public String name() {
    return "Softmax";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.KEEPS_SHAPE, Trait.LAST_AXIS);
  }

  @Override
  public List<OperatorChange> changes() {
    return List.of(SoftmaxOverOneAxis.CHANGE);
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    String y = node.output(0);
    long axis = node.attribute("axis", -1L);
    Node product = g.isForCpu() && g.isLastAxis(axis, node.input(0)) ? soleProduct(y, g) : null;
    String dz = product == null ? null : g.gradientOf(product.output(0));
    String sum =
        product == null || dz == null
            ? g.reduceSum(g.mul(dy, y), true, axis)
            : g.reduceSum(g.mul(dz, product.output(0)), true, -1);
    g.inputGradient(0, g.mul(y, g.sub(dy, sum)));
  }

  /** The product that y is the first factor of, matrix by matrix; null where it goes elsewhere. */
  private static @Nullable Node soleProduct(String y, GradientContext g) {
    List<Node> readers = g.forwardReaders(y);
    if (readers.size() != 1) {
      return null;
    }
    Node product = readers.get(0);
    Shape from = g.shapeOf(y);
    if (!product.is("MatMul")
        || !product.input(0).equals(y)
        || product.input(1).equals(y)
        || from == null) {
      return null;
    }
    Shape to = g.shapeOf(product.output(0));
    int rank = from.rank();
    boolean alike = to != null && rank >= 2 && to.rank() == rank;
    for (int i = 0; alike && i < rank - 1; i++) {
      alike = Objects.requireNonNull(to).dimension(i).surelyEquals(from.dimension(i));
    }
    return alike ? product : null;
  }
}
