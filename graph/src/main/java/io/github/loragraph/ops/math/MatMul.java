package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * y = a b, with leading axes as batches that broadcast: da = dy b', db = a' dy, summed to the
 * operand's shape. A two-dimensional b, a weight, is multiplied in one Gemm over all rows. A vector
 * is a matrix with one row (a) or one column (b).
 */
@AutoService(OperatorFamily.class)
public final class MatMul implements DifferentiableOperator {
  @Override
  public String name() {
    return "MatMul";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.MATRIX_PRODUCT, Trait.LOWER_PRECISION);
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> a = c.shape(0);
    List<Dimension> b = c.shape(1);
    if (a == null || b == null || a.isEmpty() || b.isEmpty()) {
      return null;
    }
    int batchesA = Math.max(0, a.size() - 2);
    int batchesB = Math.max(0, b.size() - 2);
    List<Dimension> result =
        new ArrayList<>(c.broadcast(a.subList(0, batchesA), b.subList(0, batchesB)));
    if (a.size() > 1) {
      result.add(a.get(a.size() - 2));
    }
    if (b.size() > 1) {
      result.add(b.get(b.size() - 1));
    }
    return result;
  }

  @Override
  public @Nullable String unsupportedReason(Node node, GradientContext g) {
    int rankB = g.rank(node.input(1));
    return rankB == 2 || (rankB >= 0 && g.rank(node.input(0)) >= 0) ? null : "of unknown rank";
  }

  @Override
  public void emit(Node node, GradientContext g) {
    int rankA = g.rank(node.input(0));
    int rankB = g.rank(node.input(1));
    if (rankB == 2) {
      timesMatrix(node, g, rankA);
    } else if (rankA >= 2 && rankB >= 2) {
      batches(node, g, rankA, rankB);
    } else {
      vectors(node, g, rankA, rankB);
    }
  }

  /** With all axes of a but the last seen as rows. */
  private static void timesMatrix(Node node, GradientContext g, int rankA) {
    String dy = rows(g.outputGradient(), rankA, g);
    String a = node.input(0);
    if (g.needs(0)) {
      String gradient = g.gemm(dy, false, node.input(1), true, "", 1f);
      g.inputGradient(0, rankA == 2 ? gradient : g.reshapeTo(gradient, a));
    }
    if (g.needs(1)) {
      g.inputGradient(1, g.gemm(rows(a, rankA, g), true, dy, false, "", 1f));
    }
  }

  private static String rows(String x, int rank, GradientContext g) {
    return rank == 2 ? x : g.op("Flatten", n -> n.with("axis", -1), x);
  }

  private static void batches(Node node, GradientContext g, int rankA, int rankB) {
    String dy = g.outputGradient();
    String a = node.input(0);
    String b = node.input(1);
    if (g.needs(0)) {
      String gradient = g.matMul(dy, swapped(b, rankB, g));
      g.inputGradient(0, sumToOperand(gradient, node, a, g));
    }
    if (g.needs(1)) {
      String gradient = g.matMul(swapped(a, rankA, g), dy);
      g.inputGradient(1, sumToOperand(gradient, node, b, g));
    }
  }

  /** Sums over batches that the operand was broadcast to; nothing where both have the same. */
  private static String sumToOperand(
      String gradient, Node node, String operand, GradientContext g) {
    return g.reduceLeadingToShape(gradient, node.output(0), operand, 2);
  }

  private static void vectors(Node node, GradientContext g, int rankA, int rankB) {
    String dy = g.outputGradient();
    String a = node.input(0);
    String b = node.input(1);
    String matrixA = rankA == 1 ? g.unsqueeze(a, 0) : a;
    String matrixB = rankB == 1 ? g.unsqueeze(b, 1) : b;
    String matrixDy = dy;
    if (rankB == 1) {
      matrixDy = g.unsqueeze(matrixDy, -1);
    }
    if (rankA == 1) {
      matrixDy = g.unsqueeze(matrixDy, -2);
    }
    if (g.needs(0)) {
      String gradient = g.matMul(matrixDy, swapped(matrixB, Math.max(2, rankB), g));
      g.inputGradient(0, reducedTo(gradient, a, rankA == 1 ? -2 : 0, g));
    }
    if (g.needs(1)) {
      String gradient = g.matMul(swapped(matrixA, Math.max(2, rankA), g), matrixDy);
      g.inputGradient(1, reducedTo(gradient, b, rankB == 1 ? -1 : 0, g));
    }
  }

  /** Without the axis that a vector was given, summed over the batches. */
  private static String reducedTo(String gradient, String operand, long added, GradientContext g) {
    if (added == 0) {
      return g.reduceToShapeOf(gradient, operand);
    }
    return g.reduceToShapeOf(g.squeeze(gradient, added), operand);
  }

  private static String swapped(String x, int rank, GradientContext g) {
    long[] permutation = LongStream.range(0, rank).toArray();
    permutation[rank - 1] = rank - 2L;
    permutation[rank - 2] = rank - 1L;
    return g.transpose(x, permutation);
  }
}
