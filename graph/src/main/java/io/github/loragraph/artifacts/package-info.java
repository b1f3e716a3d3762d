/**
 * Training artifacts as ONNX Runtime's training API reads them: gradients that accumulate in place,
 * the optimizer as a model of its own, and checkpoints in ONNX Runtime's format.
 */
@NullMarked
package io.github.loragraph.artifacts;

import org.jspecify.annotations.NullMarked;
