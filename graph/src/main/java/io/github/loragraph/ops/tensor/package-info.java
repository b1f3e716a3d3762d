/** Operators that move, cut, join and cast: shapes, slices, gathers, transpositions. */
@NullMarked
package io.github.loragraph.ops.tensor;

import org.jspecify.annotations.NullMarked;
