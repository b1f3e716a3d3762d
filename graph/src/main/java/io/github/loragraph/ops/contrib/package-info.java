/** Operators of ONNX Runtime's own domain. */
package io.github.loragraph.ops.contrib;
