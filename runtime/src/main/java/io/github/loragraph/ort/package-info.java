/**
 * ONNX Runtime: the build that is loaded in this process, its sessions and tensors, the memory of
 * weights, and what its profiles and errors say. Nothing else calls its constructors.
 */
@NullMarked
package io.github.loragraph.ort;

import org.jspecify.annotations.NullMarked;
