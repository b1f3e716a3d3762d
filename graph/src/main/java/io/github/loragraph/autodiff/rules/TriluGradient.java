package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** A triangle of the last two axes kept, zeros elsewhere: dx is the same triangle of dy. */
@AutoService(GradientRule.class)
public final class TriluGradient implements GradientRule {
  @Override
  public String operator() {
    return "Trilu";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    long upper = node.attribute("upper", 1L);
    g.inputGradient(
        0, g.op("Trilu", n -> n.with("upper", upper), g.outputGradient(0), node.input(1)));
  }
}
