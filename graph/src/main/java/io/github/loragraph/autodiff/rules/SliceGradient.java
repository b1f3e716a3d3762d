package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.autodiff.Sizes;
import io.github.loragraph.onnx.Node;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A part of x. Without steps dx is dy with zeros around it: what is cut off in front is the start,
 * counted from the front and within the axis; what is cut off behind is the rest of the axis. With
 * steps dy goes to the places that the same slice of all places names.
 */
@AutoService(GradientRule.class)
public final class SliceGradient implements GradientRule {
  @Override
  public String operator() {
    return "Slice";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    long[] steps = g.sizes().numbers(node.input(4));
    boolean unit =
        !node.hasInput(4) || (steps != null && Arrays.stream(steps).allMatch(s -> s == 1));
    g.inputGradient(0, unit ? padded(node, g) : scattered(node, g));
  }

  private static String padded(Node node, GradientScope g) {
    Sizes sizes = g.sizes();
    String axes = node.hasInput(3) ? sizes.int64(node.input(3)) : sizes.counting(node.input(1));
    String size = sizes.at(node.input(0), axes);
    String length = sizes.at(node.output(0), axes);
    String before = before(node.input(1), size, g);
    String after = sizes.subtract(sizes.subtract(size, length), before);
    return g.op("Pad", g.outputGradient(0), sizes.pads(node.input(0), before, after, axes));
  }

  private static String before(String starts, String size, GradientScope g) {
    Sizes sizes = g.sizes();
    String zero = g.longs(0);
    long[] numbers = sizes.numbers(starts);
    if (numbers != null && Arrays.stream(numbers).allMatch(s -> s == 0)) {
      return g.longs(numbers);
    }
    String start = sizes.int64(starts);
    if (numbers != null && Arrays.stream(numbers).allMatch(s -> s >= 0)) {
      return sizes.min(start, size);
    }
    String fromEnd = sizes.add(start, size);
    String fromFront =
        numbers != null && Arrays.stream(numbers).allMatch(s -> s < 0)
            ? fromEnd
            : g.where(g.op("Less", start, zero), fromEnd, start);
    return sizes.max(sizes.min(fromFront, size), zero);
  }

  private static String scattered(Node node, GradientScope g) {
    List<String> inputs = new ArrayList<>(node.inputs());
    inputs.set(0, g.positions(node.input(0)));
    String moved = g.op("Slice", inputs.toArray(String[]::new));
    return g.gradientOfMoved(g.outputGradient(0), moved, node.input(0));
  }
}
