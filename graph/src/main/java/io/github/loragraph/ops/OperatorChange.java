package io.github.loragraph.ops;

import io.github.loragraph.onnx.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/**
 * How nodes of an operator are written since a version of the standard operator set (ONNX operator
 * changelog). Types that are admitted since, and attributes whose default is what was there before,
 * are no change.
 *
 * @param since the version
 * @param conversion makes of a node one in the new form with the same outputs. Nodes before it may
 *     be put down with the builder, which knows the types of the old graph. It throws a {@code
 *     LoraGraphException} if the node cannot be written so.
 */
public record OperatorChange(int since, BiFunction<Node, TypedGraphBuilder, Node> conversion) {

  /** The axes went from an attribute to the second input. None means the same in both forms. */
  public static OperatorChange axesAsInput(int since) {
    return new OperatorChange(
        since,
        (node, b) -> {
          long[] axes = node.longs("axes");
          Node bare = node.without("axes");
          return axes == null || axes.length == 0 ? bare : withInput(bare, 1, b.longs(axes));
        });
  }

  /** A node with an input put at a place; inputs before it that it has not are left out. */
  public static Node withInput(Node node, int index, String value) {
    List<String> inputs = new ArrayList<>(node.inputs());
    while (inputs.size() <= index) {
      inputs.add("");
    }
    inputs.set(index, value);
    return node.withInputs(inputs);
  }
}
