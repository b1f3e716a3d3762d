package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/**
 * Updates put at, or added to, entries that indices name along an axis: the updates get dy from
 * there; the data get dy, without the entries that were put over.
 */
@AutoService(GradientRule.class)
public final class ScatterElementsGradient implements GradientRule {
  @Override
  public String operator() {
    return "ScatterElements";
  }

  @Override
  public String refusal(Node node, GradientScope g) {
    String reduction = node.attribute("reduction", "none");
    return reduction.equals("none") || reduction.equals("add") ? null : "with " + reduction;
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    long axis = node.attribute("axis", 0L);
    String indices = node.input(1);
    if (g.needs(0)) {
      g.inputGradient(
          0,
          node.attribute("reduction", "none").equals("add")
              ? dy
              : g.op(
                  "ScatterElements",
                  n -> n.with("axis", axis),
                  dy,
                  indices,
                  g.zerosLike(node.input(2))));
    }
    if (g.needs(2)) {
      g.inputGradient(2, g.op("GatherElements", n -> n.with("axis", axis), dy, indices));
    }
  }
}
