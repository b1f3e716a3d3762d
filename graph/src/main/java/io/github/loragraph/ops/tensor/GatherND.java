package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Slices picked by tuples of indices: each entry of dy is added at the place in x that the same
 * operator picks from the places of all entries.
 */
@AutoService(OperatorFamily.class)
public final class GatherND implements DifferentiableOperator {
  @Override
  public String name() {
    return "GatherND";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.SELECTS_DATA);
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> x = c.shape(0);
    List<Dimension> indices = c.shape(1);
    if (x == null || indices == null || indices.isEmpty()) {
      return null;
    }
    Dimension length = indices.get(indices.size() - 1);
    if (length == null || !length.isKnown()) {
      return null;
    }
    int picked = (int) (c.node().attribute("batch_dims", 0L) + length.size());
    if (picked > x.size()) {
      return null;
    }
    List<Dimension> result = new ArrayList<>(indices.subList(0, indices.size() - 1));
    result.addAll(x.subList(picked, x.size()));
    return result;
  }

  @Override
  public void emit(Node node, GradientContext g) {
    long batches = node.attribute("batch_dims", 0L);
    String moved =
        g.op(
            "GatherND",
            n -> n.with("batch_dims", batches),
            g.positions(node.input(0)),
            node.input(1));
    g.inputGradient(0, g.gradientOfMoved(g.outputGradient(), moved, node.input(0)));
  }
}
