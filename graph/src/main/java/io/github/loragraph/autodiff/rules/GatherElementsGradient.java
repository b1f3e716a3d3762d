package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** Entries picked along an axis: dx has dy added up at the picked places and zero elsewhere. */
@AutoService(GradientRule.class)
public final class GatherElementsGradient implements GradientRule {
  @Override
  public String operator() {
    return "GatherElements";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String zeros = g.zerosLike(node.input(0));
    long axis = node.attribute("axis", 0L);
    g.inputGradient(0, g.scatterAdd(zeros, axis, node.input(1), dy));
  }
}
