package io.github.loragraph.ops.math;

import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.OperatorChange;
import io.github.loragraph.ops.TypedGraphBuilder;
import java.util.List;

/**
 * Softmax, LogSoftmax and Hardmax 13 go over one axis. Before, all axes from the given one on were
 * taken as one: the same where it is the last, else the input is flattened and shaped back.
 */
final class SoftmaxOverOneAxis {
  static final OperatorChange CHANGE = new OperatorChange(13, SoftmaxOverOneAxis::convert);

  private SoftmaxOverOneAxis() {}

  private static Node convert(Node node, TypedGraphBuilder b) {
    long axis = node.attribute("axis", 1L);
    String x = node.input(0);
    if (b.isLastAxis(axis, x)) {
      return node.with("axis", -1);
    }
    String rows = b.op("Flatten", n -> n.with("axis", axis), x);
    String result = b.op(node.opType(), n -> n.with("axis", -1), rows);
    String shape = b.shape(x);
    String name = b.graph().freshName(node.name() + "/Reshape");
    return Node.of(name, "Reshape", List.of(result, shape), node.outputs());
  }
}
