package io.github.loragraph.ops.nn;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorChange;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.ShapeContext;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Off: y = x, dx = dy. A Dropout that is on is refused, since its mask is drawn anew each time. */
@AutoService(OperatorFamily.class)
public final class Dropout implements DifferentiableOperator {
  @Override
  public String name() {
    return "Dropout";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.KEEPS_SHAPE, Trait.KEEPS_MEANING);
  }

  /** The mask holds truth values. */
  @Override
  public @Nullable ElementType elementType(int output, ShapeContext c) {
    return output == 0 ? c.elementType(0) : ElementType.BOOL;
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    return c.shape(0);
  }

  /**
   * Version 12: the ratio went from an attribute to the second input. Without a third, dropout is
   * off, and the mask, of which version 10 says nothing, is true everywhere.
   */
  @Override
  public List<OperatorChange> changes() {
    return List.of(
        new OperatorChange(
            12,
            (node, b) ->
                OperatorChange.withInput(
                    node.without("ratio"),
                    1,
                    b.scalar(ElementType.FLOAT, node.attribute("ratio", 0.5f)))));
  }

  @Override
  public @Nullable String unsupportedReason(Node node, GradientContext g) {
    Tensor on = node.hasInput(2) ? g.constant(node.input(2)) : null;
    boolean off = !node.hasInput(2) || (on != null && on.toLongs()[0] == 0);
    return off ? null : "in training mode";
  }

  @Override
  public void emit(Node node, GradientContext g) {
    g.inputGradient(0, g.outputGradient());
  }
}
