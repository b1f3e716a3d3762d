package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** Axes in another order: dx has them in the old order again. */
@AutoService(GradientRule.class)
public final class TransposeGradient implements GradientRule {
  @Override
  public String operator() {
    return "Transpose";
  }

  @Override
  public String refusal(Node node, GradientScope g) {
    return node.hasAttribute("perm") || g.rank(node.input(0)) >= 0
        ? null
        : "without perm, of unknown rank";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    long[] permutation = node.longs("perm");
    int rank = permutation == null ? g.rank(node.input(0)) : permutation.length;
    if (permutation == null) {
      permutation = new long[rank];
      for (int i = 0; i < rank; i++) {
        permutation[i] = rank - 1 - i;
      }
    }
    long[] inverse = new long[rank];
    for (int i = 0; i < rank; i++) {
      inverse[(int) permutation[i]] = i;
    }
    g.inputGradient(0, g.transpose(dy, inverse));
  }
}
