package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorChange;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.ShapeArithmetic;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * x cut along an axis: dx is the gradients of the parts, one behind the other. A part that nothing
 * came back to is zero; where only one has a gradient, it is padded.
 */
@AutoService(OperatorFamily.class)
public final class Split implements DifferentiableOperator {
  @Override
  public String name() {
    return "Split";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.MOVES_DATA);
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> x = c.shape(0);
    if (x == null) {
      return null;
    }
    int axis = ShapeContext.axis(c.node().attribute("axis", 0L), x.size());
    List<Dimension> result = new ArrayList<>(x);
    result.set(axis, length(output, x.get(axis), c));
    return result;
  }

  private static @Nullable Dimension length(int output, Dimension whole, ShapeContext c) {
    Node node = c.node();
    long[] attribute = node.longs("split");
    if (attribute != null) {
      return Dimension.of(attribute[output]);
    }
    if (node.hasInput(1)) {
      List<DimExpr> lengths = c.data(1);
      return lengths == null ? null : c.dimension(lengths.get(output));
    }
    if (whole == null || !whole.isKnown()) {
      return null;
    }
    long parts = node.outputs().size();
    long each = (whole.size() + parts - 1) / parts;
    return Dimension.of(Math.max(0, Math.min(each, whole.size() - output * each)));
  }

  /**
   * Version 13: the lengths went from an attribute to the second input. Version 18: without
   * lengths, the number of parts is said.
   */
  @Override
  public List<OperatorChange> changes() {
    return List.of(
        new OperatorChange(
            13,
            (node, b) -> {
              long[] lengths = node.longs("split");
              return lengths == null
                  ? node
                  : OperatorChange.withInput(node.without("split"), 1, b.longs(lengths));
            }),
        new OperatorChange(
            18,
            (node, b) ->
                node.hasInput(1) ? node : node.with("num_outputs", node.outputs().size())));
  }

  @Override
  public boolean takes(int output) {
    return true;
  }

  @Override
  public void emit(Node node, GradientContext g) {
    int parts = node.outputs().size();
    Map<Integer, String> given = new TreeMap<>();
    for (int i = 0; i < parts; i++) {
      String gradient = g.outputGradient(i);
      if (gradient != null) {
        given.put(i, gradient);
      }
    }
    if (parts == 1) {
      g.inputGradient(0, g.outputGradient());
    } else if (given.size() == 1) {
      given.forEach((part, gradient) -> g.inputGradient(0, padded(node, part, gradient, g)));
    } else {
      String[] gradients = new String[parts];
      for (int i = 0; i < parts; i++) {
        String gradient = given.get(i);
        gradients[i] = gradient == null ? g.zerosLike(node.output(i)) : gradient;
      }
      g.inputGradient(0, g.concat(node.attribute("axis", 0L), gradients));
    }
  }

  private static String padded(Node node, int part, String gradient, GradientContext g) {
    ShapeArithmetic sizes = g.sizes();
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
    return g.op("Pad", gradient, pads);
  }
}
