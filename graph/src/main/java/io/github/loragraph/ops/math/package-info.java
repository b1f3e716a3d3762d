/** Arithmetic, functions of one number, products of matrices, softmax and losses. */
package io.github.loragraph.ops.math;
