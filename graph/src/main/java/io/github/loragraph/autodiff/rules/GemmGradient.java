package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = alpha op(a) op(b) + beta c: products of dy with the other operand, with alpha inside. */
@AutoService(GradientRule.class)
public final class GemmGradient implements GradientRule {
  @Override
  public String operator() {
    return "Gemm";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
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
      g.inputGradient(
          1,
          transB
              ? g.gemm(dy, true, a, transA, "", alpha)
              : g.gemm(a, !transA, dy, false, "", alpha));
    }
    if (g.needs(2)) {
      String gradient = g.sumTo(dy, node.output(0), node.input(2));
      float beta = node.attribute("beta", 1f);
      g.inputGradient(
          2, beta == 1f ? gradient : g.mul(gradient, g.scalarLike(node.input(2), beta)));
    }
  }
}
