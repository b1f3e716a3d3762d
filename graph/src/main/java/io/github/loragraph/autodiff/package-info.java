/**
 * Reverse-mode differentiation of a graph: a walk back from the loss that asks each node's operator
 * for its gradient. It knows no operator itself.
 */
@NullMarked
package io.github.loragraph.autodiff;

import org.jspecify.annotations.NullMarked;
