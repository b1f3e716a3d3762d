/** Operators that quantize and take it back. */
@NullMarked
package io.github.loragraph.ops.quantization;

import org.jspecify.annotations.NullMarked;
