/**
 * ONNX models in memory and in files. The graph is mutable; nodes, tensors and types are values,
 * and weights stay in the mapped file until they are read. A graph belongs to one thread while it
 * is changed; everything else may be used by several.
 *
 * <p>Part of the promised API, but for methods that take types of packages that are not.
 */
@NullMarked
package io.github.loragraph.onnx;

import org.jspecify.annotations.NullMarked;
