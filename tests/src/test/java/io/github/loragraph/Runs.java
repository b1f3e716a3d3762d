package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.trainer.RunFolder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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

  /** The losses that a run logged, in their order. */
  static List<Double> losses(Path run) throws IOException {
    List<Double> losses = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      JsonNode loss = new ObjectMapper().readTree(line).get("loss");
      if (loss != null) {
        losses.add(loss.asDouble());
      }
    }
    return losses;
  }

  /**
   * Holds a run of more than two steps to another: its losses and all that it ends with.
   *
   * @param curve what losses may differ by
   * @param last the same of trained values
   */
  static void assertSame(Path expected, Path found, double curve, float last) throws IOException {
    List<Double> losses = losses(expected);
    List<Double> others = losses(found);
    assertEquals(losses.size(), others.size());
    assertTrue(losses.size() > 2, losses::toString);
    for (int i = 0; i < losses.size(); i++) {
      assertEquals(losses.get(i), others.get(i), curve, found + ", step " + (i + 1));
    }
    Map<String, Tensor> other = model(found).graph().initializers();
    for (Tensor tensor : model(expected).graph().initializers().values()) {
      if (tensor.elementType().isFloatingPoint()) {
        assertArrayEquals(
            tensor.toFloats(), other.get(tensor.name()).toFloats(), last, tensor.name());
      }
    }
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }
}
