package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/**
 * Slices picked by tuples of indices: each entry of dy is added at the place in x that the same
 * operator picks from the places of all entries.
 */
@AutoService(GradientRule.class)
public final class GatherNDGradient implements GradientRule {
  @Override
  public String operator() {
    return "GatherND";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    long batches = node.attribute("batch_dims", 0L);
    String moved =
        g.op(
            "GatherND",
            n -> n.with("batch_dims", batches),
            g.positions(node.input(0)),
            node.input(1));
    g.inputGradient(0, g.gradientOfMoved(g.outputGradient(0), moved, node.input(0)));
  }
}
