/**
 * ONNX models in memory and in files. The graph is mutable; nodes, tensors and types are values,
 * and weights stay in the mapped file until they are read. Part of the promised API.
 */
@NullMarked
package io.github.loragraph.onnx;

import org.jspecify.annotations.NullMarked;
