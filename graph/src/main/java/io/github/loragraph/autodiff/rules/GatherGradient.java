package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;

/** Rows picked along an axis: dx has dy added up at the picked places and zero elsewhere. */
@AutoService(GradientRule.class)
public final class GatherGradient implements GradientRule {
  @Override
  public String operator() {
    return "Gather";
  }

  @Override
  public String refusal(Node node, GradientScope g) {
    Tensor index = g.constant(node.input(1));
    boolean single = index != null && index.rank() == 0 && index.toLongs()[0] >= 0;
    return single || node.attribute("axis", 0L) == 0 ? null : "of many indices off axis 0";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String x = node.input(0);
    long axis = node.attribute("axis", 0L);
    int rank = g.rank(x);
    if (rank >= 0 && axis < 0) {
      axis += rank;
    }
    String shape = g.shape(x);
    Tensor index = g.constant(node.input(1));
    if (index != null && index.rank() == 0 && index.toLongs()[0] >= 0) {
      g.inputGradient(0, padded(dy, x, axis, index.toLongs()[0], rank, g));
      return;
    }
    if (axis == 0) {
      String zeros = g.constantOfShape(shape, g.elementType(x), 0);
      String indices = g.op("Unsqueeze", node.input(1), g.longs(-1));
      g.inputGradient(0, g.op("ScatterND", n -> n.with("reduction", "add"), zeros, indices, dy));
      return;
    }
    throw new IllegalStateException("not reached: refused");
  }

  /** One slice picked: the gradient is dy with zeros before and after it. */
  private static String padded(
      String dy, String x, long axis, long index, int rank, GradientScope g) {
    String slice = g.unsqueeze(dy, axis);
    String size = g.op("Slice", g.shape(x), g.longs(axis), g.longs(axis + 1));
    String after = g.sub(size, g.longs(index + 1));
    String pads = g.concat(0, g.longs(index), after);
    return g.op("Pad", slice, pads, "", g.longs(axis));
  }
}
