package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;
import java.util.List;
import java.util.stream.LongStream;

/**
 * y = (x - mean) / deviation * scale + bias over the trailing axes. With n the normalized x and a =
 * dy scale: dx = (a - mean(a) - n mean(a n)) / deviation; dscale = sum(dy n), dbias = sum(dy).
 */
@AutoService(GradientRule.class)
public final class LayerNormalizationGradient implements GradientRule {
  @Override
  public String operator() {
    return "LayerNormalization";
  }

  @Override
  public String refusal(Node node, GradientScope g) {
    return node.attribute("axis", -1L) < 0 || g.rank(node.input(0)) >= 0
        ? null
        : "of unknown rank with a positive axis";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    Node full = withStatistics(node, g);
    String x = node.input(0);
    String mean = full.output(1);
    String inverseDeviation = full.output(2);
    boolean normalizedNeeded = g.needs(0) || g.needs(1);
    String normalized = normalizedNeeded ? g.mul(g.sub(x, mean), inverseDeviation) : null;
    if (g.needs(0)) {
      long[] axes = axes(node, g);
      String a = g.mul(dy, node.input(1));
      String meanA = g.reduceMean(a, true, axes);
      String meanAN = g.reduceMean(g.mul(a, normalized), true, axes);
      String centered = g.sub(g.sub(a, meanA), g.mul(normalized, meanAN));
      g.inputGradient(0, g.mul(centered, inverseDeviation));
    }
    if (g.needs(1)) {
      g.inputGradient(1, g.sumTo(g.mul(dy, normalized), node.output(0), node.input(1)));
    }
    if (g.needs(2)) {
      g.inputGradient(2, g.sumTo(dy, node.output(0), node.input(2)));
    }
  }

  /** The axes from the attribute's to the last. */
  private static long[] axes(Node node, GradientScope g) {
    long axis = node.attribute("axis", -1L);
    if (axis >= 0) {
      int rank = g.rank(node.input(0));
      return LongStream.range(axis, rank).toArray();
    }
    return LongStream.range(axis, 0).toArray();
  }

  /** The node with its outputs of mean and inverse deviation, so that both are computed once. */
  private static Node withStatistics(Node node, GradientScope g) {
    if (node.hasOutput(1) && node.hasOutput(2)) {
      return node;
    }
    String y = node.output(0);
    String mean = node.hasOutput(1) ? node.output(1) : g.graph().freshName(y + "_mean");
    String deviation = node.hasOutput(2) ? node.output(2) : g.graph().freshName(y + "_inv_std");
    Node full = node.withOutputs(List.of(y, mean, deviation));
    g.graph().replace(node, full);
    return full;
  }
}
