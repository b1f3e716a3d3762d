package io.github.loragraph.ops;

import io.github.loragraph.onnx.Node;

/**
 * What an operator is made of, as ONNX defines it by a function: operators that have a gradient.
 * Where a gradient has to go through such a node, its body takes its place ({@code
 * passes.FunctionInlining}).
 */
@FunctionalInterface
public interface FunctionBody {
  /**
   * Puts down what a node computes.
   *
   * @return the value that takes the place of the node's first output
   */
  String write(Node node, TypedGraphBuilder b);

  /** Whether a node is covered: by default, where it has one output. */
  default boolean covers(Node node) {
    return node.outputs().size() == 1;
  }
}
