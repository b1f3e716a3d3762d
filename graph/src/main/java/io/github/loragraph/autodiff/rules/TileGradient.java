package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** x repeated along its axes: dx is the sum over the repetitions. */
@AutoService(GradientRule.class)
public final class TileGradient implements GradientRule {
  @Override
  public String operator() {
    return "Tile";
  }

  @Override
  public String refusal(Node node, GradientScope g) {
    return g.rank(node.input(0)) < 1 ? "of unknown rank" : null;
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String x = node.input(0);
    String repeats = g.op("Unsqueeze", node.input(1), g.longs(1));
    String sizes = g.op("Unsqueeze", g.shape(x), g.longs(1));
    String split = g.reshape(g.concat(1, repeats, sizes), -1);
    String parts = g.op("Reshape", n -> n.with("allowzero", 1), g.outputGradient(0), split);
    int rank = g.rank(x);
    long[] axes = new long[rank];
    for (int i = 0; i < rank; i++) {
      axes[i] = 2L * i;
    }
    g.inputGradient(0, g.reduceSum(parts, false, axes));
  }
}
