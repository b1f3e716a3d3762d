package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.List;

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
  public String refusal(Node node, GradientScope g) {
    boolean ranks = g.rank(node.input(0)) >= 0 && g.rank(node.input(1)) >= 0;
    boolean simple = single(node, g) != null || node.attribute("axis", 0L) == 0;
    return simple || ranks ? null : "of unknown rank";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    Long single = single(node, g);
    g.inputGradient(0, single == null ? scattered(node, g) : padded(node, g, single));
  }

  /** The index where it is one constant, or null. */
  private static Long single(Node node, GradientScope g) {
    Tensor index = g.constant(node.input(1));
    boolean axisKnown = node.attribute("axis", 0L) >= 0 || g.rank(node.input(0)) >= 0;
    return index != null && index.rank() == 0 && axisKnown ? index.toLongs()[0] : null;
  }

  private static long axis(Node node, GradientScope g) {
    long axis = node.attribute("axis", 0L);
    return axis < 0 ? axis + g.rank(node.input(0)) : axis;
  }

  private static String padded(Node node, GradientScope g, long index) {
    long axis = axis(node, g);
    String size = g.op("Slice", g.shape(node.input(0)), g.longs(axis), g.longs(axis + 1));
    String before = index < 0 ? g.add(size, g.longs(index)) : g.longs(index);
    String after = index < 0 ? g.longs(-index - 1) : g.sub(size, g.longs(index + 1));
    String slice = g.unsqueeze(g.outputGradient(0), axis);
    return g.op("Pad", slice, g.concat(0, before, after), "", g.longs(axis));
  }

  /** With the axis, and the axes of the indices in dy, moved to the front and back. */
  private static String scattered(Node node, GradientScope g) {
    String x = node.input(0);
    String dy = g.outputGradient(0);
    String indices = g.op("Unsqueeze", node.input(1), g.longs(-1));
    int axis = Math.toIntExact(axis(node, g));
    if (axis == 0) {
      return scatter(g.constantOfShape(g.shape(x), g.elementType(x), 0), indices, dy, g);
    }
    int rank = g.rank(x);
    int picked = g.rank(node.input(1));
    List<Long> toFront = new ArrayList<>();
    for (long i = 0; i < picked; i++) {
      toFront.add(axis + i);
    }
    for (long i = 0; i < rank - 1 + picked; i++) {
      if (!toFront.contains(i)) {
        toFront.add(i);
      }
    }
    long[] there = new long[rank];
    long[] back = new long[rank];
    there[0] = axis;
    for (int i = 1; i < rank; i++) {
      there[i] = i <= axis ? i - 1 : i;
    }
    for (int i = 0; i < rank; i++) {
      back[(int) there[i]] = i;
    }
    String moved = g.transpose(dy, toFront.stream().mapToLong(Long::longValue).toArray());
    String shape = g.gather(g.shape(x), g.longs(there), 0);
    String zeros = g.constantOfShape(shape, g.elementType(x), 0);
    return g.transpose(scatter(zeros, indices, moved, g), back);
  }

  private static String scatter(String zeros, String indices, String updates, GradientScope g) {
    return g.op("ScatterND", n -> n.with("reduction", "add"), zeros, indices, updates);
  }
}
