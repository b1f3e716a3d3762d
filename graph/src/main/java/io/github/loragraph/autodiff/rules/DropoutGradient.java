package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;

/** Off: y = x, dx = dy. A Dropout that is on is refused, since its mask is drawn anew each time. */
@AutoService(GradientRule.class)
public final class DropoutGradient implements GradientRule {
  @Override
  public String operator() {
    return "Dropout";
  }

  @Override
  public String refusal(Node node, GradientScope g) {
    Tensor on = node.hasInput(2) ? g.constant(node.input(2)) : null;
    boolean off = !node.hasInput(2) || (on != null && on.toLongs()[0] == 0);
    return off ? null : "in training mode";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    g.inputGradient(0, g.outputGradient(0));
  }
}
