/**
 * What a machine has for CUDA and what it lacks, found out without ONNX Runtime, and the installer
 * of the build that uses it.
 */
@NullMarked
package io.github.loragraph.cuda;

import org.jspecify.annotations.NullMarked;
