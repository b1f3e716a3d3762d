package io.github.loragraph.engine;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.NodePlacement;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** On a machine without a GPU every node falls to the CPU, which is all that this needs. */
class FirstCallProfileTest {
  @Test
  void allNodesAreWhereTheyShouldBe() throws Exception {
    check(NodePlacement.CPU);
  }

  @Test
  void aNodeOnTheCpuIsNamed() {
    String message =
        assertThrows(LoraGraphException.class, () -> check(NodePlacement.CUDA)).getMessage();
    assertTrue(
        message.startsWith("1 of 1 compute nodes did not run on CUDAExecutionProvider: '/t/Exp"),
        message);
  }

  private static void check(String provider) throws Exception {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("x", TensorType.of(ElementType.FLOAT, 100)));
    String y = new GraphBuilder(graph, "/t").exp("x");
    graph.addOutput(ValueInfo.of(y, TensorType.of(ElementType.FLOAT, 100)));
    OnnxModel model = OnnxModel.of("t", graph, 9, GraphBuilder.OPSET);
    OrtRuntime runtime = OrtRuntime.ofThisProcess();
    try (FirstCallProfile profile = new FirstCallProfile(provider);
        Weights weights = new Weights();
        OrtSession session = profile.recording(new Sessions(runtime, 1)).create(model, weights);
        OnnxTensor x =
            runtime.tensor(
                ByteBuffer.allocateDirect(400).order(ByteOrder.nativeOrder()),
                new long[] {100},
                ElementType.FLOAT)) {
      session.run(Map.of("x", x)).close();
      profile.check(session);
    }
  }
}
