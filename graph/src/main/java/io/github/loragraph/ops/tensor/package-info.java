/** Operators that move, cut, join and cast: shapes, slices, gathers, transpositions. */
package io.github.loragraph.ops.tensor;
