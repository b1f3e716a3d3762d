package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** Parts behind each other along an axis: each gets its part of dy. */
@AutoService(GradientRule.class)
public final class ConcatGradient implements GradientRule {
  @Override
  public String operator() {
    return "Concat";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    long axis = node.attribute("axis", 0L);
    String start = g.longs(0);
    for (int i = 0; i < node.inputs().size(); i++) {
      String at = g.longs(axis);
      String size = g.gather(g.shape(node.input(i)), at, 0);
      String end = g.add(start, size);
      if (g.needs(i)) {
        g.inputGradient(i, g.op("Slice", dy, start, end, at));
      }
      start = end;
    }
  }
}
