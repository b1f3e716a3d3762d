/** Operators of ONNX Runtime's own domain. */
@NullMarked
package io.github.loragraph.ops.contrib;

import org.jspecify.annotations.NullMarked;
