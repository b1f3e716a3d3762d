package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.FileStamps;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Maps tensor contents that stand in files beside the model (ONNX external data). A location is
 * taken only if it names a regular file inside the model's folder, links resolved: a model file
 * from elsewhere must not make its reader open other files.
 */
final class ExternalData {
  private final Path modelFile;

  /** Of each file, since before it was first read. */
  private final Map<Path, FileStamps> stamps = new HashMap<>();

  /** The locations that the model only refers to. */
  private final Set<String> referred = new HashSet<>();

  ExternalData(Path modelFile) {
    this.modelFile = modelFile;
  }

  /**
   * A tensor with its content.
   *
   * @throws LoraGraphException if the entry is malformed, the file is missing or too short, or lies
   *     outside the model's folder
   */
  Tensor tensor(TensorProto tensor) {
    String location = "";
    long offset = 0;
    long length = -1;
    for (StringStringEntryProto entry : tensor.getExternalDataList()) {
      switch (entry.getKey()) {
        case "location" -> location = entry.getValue();
        case "offset" -> offset = number(tensor, entry);
        case "length" -> length = number(tensor, entry);
        default -> {
          // "checksum" and keys of other tools do not say where the bytes are.
        }
      }
    }
    Path file = resolve(tensor.getName(), location);
    FileStamps stamp = stamps.computeIfAbsent(file, f -> FileStamps.of(List.of(f)));
    Part part = new Part(tensor, location, offset, length);
    try {
      ByteBuffer content = FileMaps.of(file, size -> place(part, size));
      Tensor read = Tensor.external(tensor, content, new TensorPlace(file, offset, stamp));
      // What is only referred to is the model's like what stands in it, wherever it is written.
      return referred.contains(location) ? read.asEmbedded() : read;
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  /**
   * @param length negative for all that is left of the file
   */
  private record Part(TensorProto tensor, String location, long offset, long length) {}

  private long[] place(Part part, long size) {
    TensorProto tensor = part.tensor;
    long offset = part.offset;
    long length = part.length < 0 ? Math.max(0, size - offset) : part.length;
    if (offset > size || length > size - offset) {
      throw new LoraGraphException(
          "%s: external data of tensor '%s' is %,d bytes from byte %,d on of %s, which has only %,d: copy the file again"
              .formatted(modelFile, tensor.getName(), length, offset, part.location, size));
    }
    if (length > Integer.MAX_VALUE) {
      throw new LoraGraphException(
          "%s: tensor '%s' is larger than 2 GB, which is not supported"
              .formatted(modelFile, tensor.getName()));
    }
    return new long[] {offset, length};
  }

  /**
   * Refuses files of others that are no longer what they were when the model was made.
   *
   * @throws LoraGraphException if one has changed, is missing or lies outside the model's folder
   */
  void requireUnchanged(List<ReferredFiles> files) {
    ReferredFiles.requireUnchanged(
        files, modelFile, location -> resolve(ReferredFiles.KEY, location));
    files.forEach(file -> referred.add(file.location()));
  }

  private Path resolve(String tensor, String location) {
    Path folder = AtomicFile.folderOf(modelFile.toAbsolutePath().normalize());
    Path file;
    try {
      file = folder.resolve(location).normalize();
    } catch (InvalidPathException e) {
      throw outside(tensor, location);
    }
    if (location.isEmpty()
        || Path.of(location).isAbsolute()
        || location.contains("\\")
        || !file.startsWith(folder)
        || file.equals(folder)) {
      throw outside(tensor, location);
    }
    if (!Files.exists(file)) {
      throw new LoraGraphException(
          "%s: external data file '%s' of tensor '%s' is missing: %s"
              .formatted(
                  modelFile,
                  location,
                  tensor,
                  Files.isSymbolicLink(modelFile)
                      ? "the model is a link, so name the file that it leads to, or link its data, too"
                      : "put it into the model's folder"));
    }
    try {
      if (!file.toRealPath().startsWith(folder.toRealPath())) {
        throw new LoraGraphException(
            "%s: external data file '%s' of tensor '%s' is a link out of the model's folder: put the file itself there"
                .formatted(modelFile, location, tensor));
      }
      if (!Files.isRegularFile(file)) {
        throw outside(tensor, location);
      }
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
    return file;
  }

  private LoraGraphException outside(String tensor, String location) {
    return new LoraGraphException(
        "%s: external data of tensor '%s' is at '%s', which is no file inside the model's folder: refused"
            .formatted(modelFile, tensor, location));
  }

  private long number(TensorProto tensor, StringStringEntryProto entry) {
    try {
      long value = Long.parseLong(entry.getValue().strip());
      if (value >= 0) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Reported below, as a negative number is.
    }
    throw new LoraGraphException(
        "%s: external data of tensor '%s' has %s '%s', which is no size: the file is damaged"
            .formatted(modelFile, tensor.getName(), entry.getKey(), entry.getValue()));
  }
}
