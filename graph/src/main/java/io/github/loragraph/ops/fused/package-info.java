/**
 * Gradients that are one kernel of ONNX Runtime's training build, where that was measured to be
 * faster than standard operators.
 */
@NullMarked
package io.github.loragraph.ops.fused;

import org.jspecify.annotations.NullMarked;
