package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * y = alpha op(a) op(b) + beta c: products of dy with the other operand, with alpha inside. On a
 * CPU the gradient of a b of few columns, as an adapter's is, is made as that of its transpose:
 * matrix kernels are slow at products of few columns, and not at those of few rows.
 */
@AutoService(OperatorFamily.class)
public final class Gemm implements DifferentiableOperator {
  /** How many times fewer columns than rows are few. */
  private static final long THIN = 4;

  @Override
  public String name() {
    return "Gemm";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.MATRIX_PRODUCT, Trait.LOWER_PRECISION);
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> a = c.shape(0);
    List<Dimension> b = c.shape(1);
    if (a == null || b == null || a.size() != 2 || b.size() != 2) {
      return null;
    }
    List<Dimension> result = new ArrayList<>();
    result.add(a.get(c.node().attribute("transA", 0L) != 0 ? 1 : 0));
    result.add(b.get(c.node().attribute("transB", 0L) != 0 ? 0 : 1));
    return result;
  }

  private static boolean isThin(Node node, GradientContext g) {
    Shape shape = g.shapeOf(node.input(1));
    return shape != null
        && shape.dimension(0).isKnown()
        && shape.dimension(1).isKnown()
        && shape.dimension(1).size() * THIN <= shape.dimension(0).size();
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    boolean transA = node.attribute("transA", 0L) != 0;
    boolean transB = node.attribute("transB", 0L) != 0;
    float alpha = node.attribute("alpha", 1f);
    String a = node.input(0);
    String b = node.input(1);
    if (g.needs(0)) {
      g.inputGradient(
          0,
          transA
              ? g.gemm(b, transB, dy, true, "", alpha)
              : g.gemm(dy, false, b, !transB, "", alpha));
    }
    if (g.needs(1)) {
      boolean transposed = !transB && g.isForCpu() && isThin(node, g);
      String gradient =
          transB || transposed
              ? g.gemm(dy, true, a, transA, "", alpha)
              : g.gemm(a, !transA, dy, false, "", alpha);
      g.inputGradient(1, transposed ? g.transpose(gradient, 1, 0) : gradient);
    }
    if (g.needs(2)) {
      String gradient = g.reduceToShape(dy, node.output(0), node.input(2));
      float beta = node.attribute("beta", 1f);
      g.inputGradient(
          2, beta == 1f ? gradient : g.mul(gradient, g.scalarLike(node.input(2), beta)));
    }
  }
}
