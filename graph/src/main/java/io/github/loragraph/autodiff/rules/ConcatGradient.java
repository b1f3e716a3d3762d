package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.autodiff.Sizes;
import io.github.loragraph.onnx.Node;
import java.util.List;
import java.util.stream.IntStream;

/** Values one behind the other along an axis: each gets its part of dy. */
@AutoService(GradientRule.class)
public final class ConcatGradient implements GradientRule {
  @Override
  public String operator() {
    return "Concat";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    List<Integer> needed =
        IntStream.range(0, node.inputs().size()).filter(g::needs).boxed().toList();
    if (node.inputs().size() == 1) {
      g.inputGradient(0, g.outputGradient(0));
    } else if (needed.size() == 1) {
      g.inputGradient(needed.get(0), part(node, needed.get(0), g));
    } else {
      List<String> parts = allParts(node, g);
      needed.forEach(input -> g.inputGradient(input, parts.get(input)));
    }
  }

  private static String part(Node node, int input, GradientScope g) {
    Sizes sizes = g.sizes();
    long axis = node.attribute("axis", 0L);
    String start = g.longs(0);
    for (int i = 0; i < input; i++) {
      start = sizes.add(start, sizes.of(node.input(i), axis));
    }
    String end = sizes.add(start, sizes.of(node.input(input), axis));
    return g.op("Slice", g.outputGradient(0), start, end, g.longs(axis));
  }

  private static List<String> allParts(Node node, GradientScope g) {
    long axis = node.attribute("axis", 0L);
    String[] lengths =
        node.inputs().stream().map(input -> g.sizes().of(input, axis)).toArray(String[]::new);
    return g.ops(
        "Split",
        lengths.length,
        n -> n.with("axis", axis),
        g.outputGradient(0),
        g.sizes().join(lengths));
  }
}
