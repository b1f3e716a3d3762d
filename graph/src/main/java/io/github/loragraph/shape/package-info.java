/** Shapes and types of a graph's values, with symbolic dimensions. */
@NullMarked
package io.github.loragraph.shape;

import org.jspecify.annotations.NullMarked;
