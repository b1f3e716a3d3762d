package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Models whose inputs take batches of one size only, against the same model with open axes. */
final class FixedSizes {
  private FixedSizes() {}

  /** The model with fixed input axes. */
  static OnnxModel fixed(OnnxModel model, int rows, int tokens) {
    Graph graph = model.graph().copy();
    for (ValueInfo input : List.copyOf(graph.requiredInputs())) {
      graph.removeInput(input.name());
      graph.addInput(
          ValueInfo.of(
              input.name(),
              new TensorType(
                  input.type().elementType(), new Shape(List.of(size(rows), size(tokens))))));
    }
    return model.withGraph(graph);
  }

  private static Shape.Dimension size(int size) {
    return size == 0 ? Shape.Dimension.unknown() : Shape.Dimension.of(size);
  }

  /** The rows of a file, the first ones, some of them shorter. */
  static Path rows(Path file, int count, boolean shorter) throws IOException {
    List<String> lines = new ArrayList<>(Files.readAllLines(file).subList(0, count));
    for (int i = 0; shorter && i < count; i += 2) {
      lines.set(
          i,
          lines
              .get(i)
              .replaceFirst("(\"input_ids\": \\[\\d+, \\d+, \\d+)[^]]*", "$1")
              .replaceFirst("(\"attention_mask\": \\[\\d+, \\d+, \\d+)[^]]*", "$1"));
    }
    return Files.write(file.resolveSibling("some.jsonl"), lines);
  }

  /** A step over all rows: with so many at once, and in batches of the model's own size. */
  static void assertSameStep(
      Path folder, OnnxModel fixed, OnnxModel open, Path data, int rows, String engine) {
    JsonNode a = trained(folder.resolve("fixed"), fixed, data, rows, engine);
    JsonNode b = trained(folder.resolve("open"), open, data, rows, engine);
    assertEquals(b.get("finalTrainLoss").asDouble(), a.get("finalTrainLoss").asDouble(), 2e-6);
    assertEquals(b.get("evalLoss").asDouble(), a.get("evalLoss").asDouble(), 2e-6);
    OnnxModel x = Runs.model(folder.resolve("fixed/run"));
    OnnxModel y = Runs.model(folder.resolve("open/run"));
    int compared = 0;
    for (Tensor tensor : y.graph().initializers().values()) {
      if (tensor.elementType().isFloatingPoint()) {
        compared++;
        Tensor other = x.graph().initializer(tensor.name());
        for (int i = 0; i < tensor.elementCount(); i++) {
          assertEquals(value(tensor, i), value(other, i), 2e-5, tensor.name());
        }
      }
    }
    assertEquals(true, compared > 10);
    JsonNode merged =
        Cli.json("merge", folder.resolve("fixed/run"), "-o", folder.resolve("merged"));
    assertEquals(0, merged.get("maxOutputDifference").asDouble(), 1e-5);
    assertEquals(
        a.get("evalLoss").asDouble(),
        Cli.json("eval", folder.resolve("merged"), "--data", data).get("loss").asDouble(),
        1e-5);
  }

  private static float value(Tensor tensor, int index) {
    return tensor.bytes().order(java.nio.ByteOrder.LITTLE_ENDIAN).getFloat(4 * index);
  }

  private static JsonNode trained(
      Path folder, OnnxModel model, Path data, int rows, String engine) {
    Path file = folder.resolve("model.onnx");
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    OnnxFile.write(model, file, false);
    Cli.json("inject", file, "--match", "query|value", "--rank", 2);
    return Cli.json(
        "train",
        folder.resolve("model.lora.onnx"),
        "--data",
        data,
        "--eval",
        data,
        "--steps",
        2,
        "--batch-size",
        rows,
        "--lr",
        "1e-2",
        "--epsilon",
        "1e-3",
        "--no-shuffle",
        "--engine",
        engine,
        "-o",
        folder.resolve("run"));
  }
}
