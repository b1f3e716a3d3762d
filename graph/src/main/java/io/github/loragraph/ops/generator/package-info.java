/** Operators that make constants: their values or what they are computed from. */
@NullMarked
package io.github.loragraph.ops.generator;

import org.jspecify.annotations.NullMarked;
