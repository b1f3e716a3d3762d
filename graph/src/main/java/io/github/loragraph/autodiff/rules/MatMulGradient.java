package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;
import java.util.stream.LongStream;

/**
 * y = a b, with leading axes as batches that broadcast: da = dy b', db = a' dy, summed to the
 * operand's shape. A two-dimensional b, a weight, is multiplied in one Gemm over all rows.
 */
@AutoService(GradientRule.class)
public final class MatMulGradient implements GradientRule {
  @Override
  public String operator() {
    return "MatMul";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String a = node.input(0);
    String b = node.input(1);
    int rankA = g.rank(a);
    int rankB = g.rank(b);
    if (rankB == 2 && rankA >= 2) {
      String rows = rankA == 2 ? dy : g.reshape(dy, -1, lastSize(b, g));
      if (g.needs(0)) {
        String gradient = g.gemm(rows, false, b, true, "", 1f);
        g.inputGradient(0, rankA == 2 ? gradient : g.reshape(gradient, g.shape(a)));
      }
      if (g.needs(1)) {
        String flat = rankA == 2 ? a : g.reshape(a, -1, firstSize(b, g));
        g.inputGradient(1, g.gemm(flat, true, rows, false, "", 1f));
      }
      return;
    }
    if (g.needs(0)) {
      g.inputGradient(0, g.sumTo(g.matMul(dy, swapped(b, rankB, g)), node.output(0), a));
    }
    if (g.needs(1)) {
      g.inputGradient(1, g.sumTo(g.matMul(swapped(a, rankA, g), dy), node.output(0), b));
    }
  }

  private static long lastSize(String b, GradientScope g) {
    return g.shapeOf(b).dimension(1).size();
  }

  private static long firstSize(String b, GradientScope g) {
    return g.shapeOf(b).dimension(0).size();
  }

  private static String swapped(String x, int rank, GradientScope g) {
    long[] permutation = LongStream.range(0, rank).toArray();
    permutation[rank - 1] = rank - 2;
    permutation[rank - 2] = rank - 1;
    return g.transpose(x, permutation);
  }
}
