/** Arithmetic, functions of one number, products of matrices, softmax and losses. */
@NullMarked
package io.github.loragraph.ops.math;

import org.jspecify.annotations.NullMarked;
