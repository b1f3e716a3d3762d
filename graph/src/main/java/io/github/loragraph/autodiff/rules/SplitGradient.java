package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.autodiff.Sizes;
import io.github.loragraph.onnx.Node;
import java.util.List;
import java.util.stream.IntStream;

/**
 * x cut along an axis: dx is the gradients of the parts, one behind the other. A part that nothing
 * came back to is zero; where only one has a gradient, it is padded.
 */
@AutoService(GradientRule.class)
public final class SplitGradient implements GradientRule {
  @Override
  public String operator() {
    return "Split";
  }

  @Override
  public boolean takes(int output) {
    return true;
  }

  @Override
  public void emit(Node node, GradientScope g) {
    int parts = node.outputs().size();
    List<Integer> given =
        IntStream.range(0, parts).filter(i -> g.outputGradient(i) != null).boxed().toList();
    if (parts == 1) {
      g.inputGradient(0, g.outputGradient(0));
    } else if (given.size() == 1) {
      g.inputGradient(0, padded(node, given.get(0), g));
    } else {
      String[] gradients = new String[parts];
      for (int i = 0; i < parts; i++) {
        gradients[i] = given.contains(i) ? g.outputGradient(i) : g.zerosLike(node.output(i));
      }
      g.inputGradient(0, g.concat(node.attribute("axis", 0L), gradients));
    }
  }

  private static String padded(Node node, int part, GradientScope g) {
    Sizes sizes = g.sizes();
    long axis = node.attribute("axis", 0L);
    String before = g.longs(0);
    String after = g.longs(0);
    for (int i = 0; i < node.outputs().size(); i++) {
      if (i < part) {
        before = sizes.add(before, sizes.of(node.output(i), axis));
      } else if (i > part) {
        after = sizes.add(after, sizes.of(node.output(i), axis));
      }
    }
    String pads = sizes.pads(node.input(0), before, after, g.longs(axis));
    return g.op("Pad", g.outputGradient(part), pads);
  }
}
