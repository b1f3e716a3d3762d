package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorChange;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.TypedGraphBuilder;
import java.util.List;

/** {@code DFT}: the discrete Fourier transform. */
@AutoService(OperatorFamily.class)
public final class FourierTransform implements Operator {
  @Override
  public String name() {
    return "DFT";
  }

  @Override
  public List<OperatorChange> changes() {
    return List.of(new OperatorChange(20, FourierTransform::axisAsInput));
  }

  /** Version 20: the axis went from an attribute to the third input, and its default changed. */
  private static Node axisAsInput(Node node, TypedGraphBuilder b) {
    Tensor axis =
        Tensor.ofLongs(
            b.graph().freshName(node.name() + "/axis"), new long[] {node.attribute("axis", 1L)});
    return OperatorChange.withInput(node.without("axis"), 2, b.initializer(axis));
  }
}
