package io.github.loragraph.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The weights of a model that was read lie in the file's memory map, not on the heap. */
class MappedWeightsTest {
  @TempDir Path folder;

  @Test
  void weightsStayInTheFile() {
    Graph graph = new Graph();
    float[] values = new float[10_000];
    values[1234] = 5;
    graph.putInitializer(Tensor.ofFloats("w", values, 100, 100));
    graph.addInput(ValueInfo.of("x", TensorType.of(ElementType.FLOAT, 1, 100)));
    graph.add(Node.of("product", "MatMul", List.of("x", "w"), List.of("y")));
    graph.addOutput(ValueInfo.of("y", TensorType.of(ElementType.FLOAT, 1, 100)));
    Path file = folder.resolve("model.onnx");
    OnnxFile.write(OnnxModel.of("product", graph, 8, 17), file, false);

    Tensor read = OnnxFile.read(file).graph().initializer("w");
    assertTrue(read.bytes().isDirect(), "the protobuf library copied the file to the heap");
    assertEquals(5, read.toFloats()[1234]);
    Path copy = folder.resolve("copy.onnx");
    OnnxFile.write(OnnxFile.read(file), copy, false);
    assertEquals(5, OnnxFile.read(copy).graph().initializer("w").toFloats()[1234]);
  }
}
