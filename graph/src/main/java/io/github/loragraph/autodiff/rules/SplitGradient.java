package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;
import java.util.ArrayList;
import java.util.List;

/** Parts of an axis: dx is the parts of dy behind each other, zeros for parts that lead nowhere. */
@AutoService(GradientRule.class)
public final class SplitGradient implements GradientRule {
  @Override
  public String operator() {
    return "Split";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < node.outputs().size(); i++) {
      String dy = g.outputGradient(i);
      String y = node.output(i);
      parts.add(dy == null ? g.constantOfShape(g.shape(y), g.elementType(node.input(0)), 0) : dy);
    }
    g.inputGradient(0, g.concat(node.attribute("axis", 0L), parts.toArray(String[]::new)));
  }
}
