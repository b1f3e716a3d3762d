package io.github.loragraph;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.trainer.RunFolder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What runs leave in their folders, be it an adapter or a whole model. */
final class Runs {
  private Runs() {}

  /** The trained model. */
  static OnnxModel model(Path run) {
    return Model.open(run).onnx();
  }

  /** All bytes that say what was learned: runs that are the same have the same. */
  static byte[] learned(Path run) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    Path model = run.resolve(RunFolder.MODEL);
    if (Files.exists(model)) {
      Files.copy(model, all);
    }
    Path adapter = run.resolve(RunFolder.ADAPTER);
    if (Files.exists(adapter)) {
      for (Path file : files(adapter)) {
        Files.copy(file, all);
      }
    }
    if (all.size() == 0) {
      throw new IOException(run + " has neither a model nor an adapter");
    }
    return all.toByteArray();
  }

  /** What a run says of itself. */
  static JsonNode record(Path run) throws IOException {
    return new ObjectMapper().readTree(run.resolve("run.json").toFile());
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }
}
