/** Operators that make constants: their values or what they are computed from. */
package io.github.loragraph.ops.generator;
