package io.github.loragraph.onnx;

import io.github.loragraph.file.FileStamps;
import java.nio.file.Path;

/**
 * Where the bytes of a tensor lie in a file, as {@code raw_data} has them.
 *
 * @param file the model itself, or the file of its external data
 * @param offset of the first byte
 * @param stamp of the file, since before the tensor was read; one for all tensors of a file
 */
record TensorPlace(Path file, long offset, FileStamps stamp) {}
