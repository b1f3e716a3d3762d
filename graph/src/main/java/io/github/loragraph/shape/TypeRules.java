package io.github.loragraph.shape;

import io.github.loragraph.onnx.Node;
import org.jspecify.annotations.Nullable;

/** The rules of operators, handed to {@link ShapePropagation}, which knows none itself. */
@FunctionalInterface
public interface TypeRules {
  /** The rule of a node's operator, or null where the operator is not known. */
  @Nullable TypeRule of(Node node);
}
