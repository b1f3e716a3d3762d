package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.autodiff.Sizes;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;

/**
 * Slices picked along an axis: dx has dy added up at the picked places and zero elsewhere. A single
 * slice, the first token above all, is padded with zeros; many, the rows of an embedding, are
 * scattered.
 */
@AutoService(GradientRule.class)
public final class GatherGradient implements GradientRule {
  @Override
  public String operator() {
    return "Gather";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    if (!g.needs(0)) {
      return;
    }
    Tensor index = g.constant(node.input(1));
    boolean single = index != null && index.rank() <= 1 && index.elementCount() == 1;
    g.inputGradient(0, single ? padded(node, g, index) : scattered(node, g));
  }

  private static String padded(Node node, GradientScope g, Tensor index) {
    String dy = g.outputGradient(0);
    long axis = node.attribute("axis", 0L);
    long place = index.toLongs()[0];
    Sizes sizes = g.sizes();
    String size = sizes.of(node.input(0), axis);
    String before = place < 0 ? sizes.add(size, g.longs(place)) : g.longs(place);
    String after = place < 0 ? g.longs(-place - 1) : sizes.subtract(size, g.longs(place + 1));
    String slice = index.rank() == 0 ? g.unsqueeze(dy, axis) : dy;
    return g.op("Pad", slice, sizes.pads(node.input(0), before, after, g.longs(axis)));
  }

  /** With the axes of the indices seen as one, and each index repeated over its slice. */
  private static String scattered(Node node, GradientScope g) {
    String x = node.input(0);
    String dy = g.outputGradient(0);
    long axis = node.attribute("axis", 0L);
    Sizes sizes = g.sizes();
    boolean vector = g.rank(node.input(1)) == 1;
    String indices = vector ? node.input(1) : g.reshape(node.input(1), -1);
    String count = vector ? sizes.of(node.input(1)) : g.shape(indices);
    String behind = sizes.behind(x, axis);
    String slices = sizes.join(sizes.before(x, axis), count, behind);
    String column = g.reshapeExactly(indices, sizes.join(count, sizes.ones(behind)));
    return g.scatterAdd(
        g.zerosLike(x),
        axis,
        g.repeat(column, g.elementType(node.input(1)), slices),
        vector ? dy : g.reshapeExactly(dy, slices));
  }
}
