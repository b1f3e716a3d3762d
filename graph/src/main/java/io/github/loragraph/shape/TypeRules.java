package io.github.loragraph.shape;

import io.github.loragraph.onnx.Node;

/** The rules of operators, handed to {@link ShapePropagation}, which knows none itself. */
@FunctionalInterface
public interface TypeRules {
  /** The rule of a node's operator, or null where the operator is not known. */
  TypeRule of(Node node);
}
