package io.github.loragraph.ops;

import org.jspecify.annotations.Nullable;

/** The gradients of values while the walk goes back over the nodes. The walk provides it. */
public interface GradientFlow {
  /** What gradients are written for. */
  Kernels kernels();

  /** Whether a gradient passes through a value. */
  boolean isWanted(String value);

  /** The sum of all gradients that have come to a value, of its shape; null where none has. */
  @Nullable String gradientOf(String value);

  /** Adds a gradient to those that have come to a value; it must have the value's shape. */
  void contribute(String value, String gradient);
}
