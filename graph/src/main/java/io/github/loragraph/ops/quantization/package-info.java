/** Operators that quantize and take it back. */
package io.github.loragraph.ops.quantization;
