package io.github.loragraph.onnx;

import java.nio.file.Path;

/**
 * Where the bytes of a tensor lie in a file, as {@code raw_data} has them.
 *
 * @param file the model itself, or the file of its external data
 * @param offset of the first byte
 */
record TensorPlace(Path file, long offset) {}
