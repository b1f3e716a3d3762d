package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorChange;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Axes of size 1 taken out: dx = dy with them put in again. Both operators count axes in x. Where
 * the node names none, dy takes the shape of x.
 */
@AutoService(OperatorFamily.class)
public final class Squeeze implements DifferentiableOperator {
  @Override
  public String name() {
    return "Squeeze";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.MOVES_DATA, Trait.KEEPS_ENTRIES);
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> x = c.shape(0);
    List<Long> axes = c.axes();
    if (x == null || axes == null) {
      return null;
    }
    List<Dimension> result = new ArrayList<>(x);
    axes.stream()
        .map(axis -> ShapeContext.axis(axis, x.size()))
        .sorted(Collections.reverseOrder())
        .forEach(axis -> result.remove((int) axis));
    return result;
  }

  @Override
  public @Nullable List<DimExpr> shapeData(ShapeContext c) {
    return ShapeData.ofVector(c);
  }

  @Override
  public List<OperatorChange> changes() {
    return List.of(OperatorChange.axesAsInput(13));
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    g.inputGradient(
        0,
        node.hasInput(1)
            ? g.op("Unsqueeze", dy, node.input(1))
            : g.reshapeTo(dy, node.output(0), node.input(0)));
  }
}
