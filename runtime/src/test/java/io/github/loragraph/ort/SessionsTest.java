package io.github.loragraph.ort;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SessionsTest {
  private static final OrtRuntime RUNTIME = OrtRuntime.ofThisProcess();

  private static final long[] IDS = {0, 7, 42, 199, 2, 0, 9, 2, 1, 1};
  private static final long[] MASK = {1, 1, 1, 1, 1, 1, 1, 1, 0, 0};

  @Test
  void answersAsAnOrdinarySessionOverTheFile() throws Exception {
    Path file = Fixtures.file("tiny-roberta/model.onnx");
    float[] expected;
    try (OrtSession session = RUNTIME.environment().createSession(file.toString())) {
      expected = logits(session);
    }
    OnnxModel model = OnnxFile.read(file);
    assertTrue(
        model.graph().initializers().values().stream().filter(Weights::isWeight).count() > 10);
    try (Weights weights = new Weights();
        OrtSession session = new Sessions(RUNTIME, 1).create(model, weights);
        OrtSession second = new Sessions(RUNTIME, 1).create(model, weights)) {
      assertArrayEquals(expected, logits(session), 1e-6f);
      assertArrayEquals(expected, logits(second), 1e-6f);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT16", "BFLOAT16"})
  void weightsOfSixteenBitsStayOutsideOfTheModel(ElementType type) throws Exception {
    float[] values = new float[4000];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 100;
    }
    Tensor half = Tensor.ofFloats("table", values, 1000, 4).toHalf("table", type);
    Graph graph = lookup(half).graph();
    graph.replace(graph.producer("row"), graph.producer("row").withOutput(0, "half"));
    graph.add(
        Node.of("cast", "Cast", List.of("half"), List.of("row"))
            .with("to", ElementType.FLOAT.code()));
    OnnxModel model = OnnxModel.of("lookup", graph, 8, 17);
    assertTrue(Weights.isWeight(half));
    assertTrue(OnnxFile.serialize(model, Weights::isWeight).length < 1000);
    try (Weights weights = new Weights();
        OrtSession session = new Sessions(RUNTIME, 1).create(model, weights)) {
      assertArrayEquals(new float[] {28, 29, 30, 31}, row(session, 7));
    }
  }

  /** What is written to the memory afterwards shows in the session: it has no copy. */
  @Test
  void sessionsReadTheGivenMemory() throws Exception {
    int rows = 500;
    ByteBuffer memory = ByteBuffer.allocateDirect(rows * 4 * 4).order(ByteOrder.nativeOrder());
    for (int i = 0; i < rows * 4; i++) {
      memory.putFloat(i * 4, i);
    }
    Map<String, OnnxTensorLike> shared = new HashMap<>();
    OnnxModel model = lookup(Tensor.of("table", ElementType.FLOAT, memory.duplicate(), rows, 4));
    try (OnnxTensor table =
            OnnxTensor.createTensor(
                RUNTIME.environment(), memory.asFloatBuffer(), new long[] {rows, 4});
        OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      shared.put("table", table);
      Sessions.share(shared, options);
      byte[] bytes = OnnxFile.serialize(model, tensor -> true);
      try (OrtSession first = RUNTIME.environment().createSession(bytes, options)) {
        assertArrayEquals(new float[] {28, 29, 30, 31}, row(first, 7));
        memory.putFloat(7 * 16, -5);
        assertArrayEquals(new float[] {-5, 29, 30, 31}, row(first, 7));
      }
    }
  }

  private static OnnxModel lookup(Tensor table) {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("index", TensorType.of(ElementType.INT64, 1)));
    graph.putInitializer(table);
    graph.add(Node.of("lookup", "Gather", List.of("table", "index"), List.of("row")));
    graph.addOutput(ValueInfo.of("row", TensorType.of(ElementType.FLOAT, 1, 4)));
    return OnnxModel.of("lookup", graph, 8, 17);
  }

  private static float[] row(OrtSession session, long index) throws OrtException {
    try (OnnxTensor tensor = OnnxTensor.createTensor(RUNTIME.environment(), new long[] {index});
        OrtSession.Result result = session.run(Map.of("index", tensor))) {
      return OrtTensors.rows((OnnxTensor) result.get(0))[0];
    }
  }

  private static float[] logits(OrtSession session) throws OrtException {
    long[] shape = {2, 5};
    try (OnnxTensor ids =
            OnnxTensor.createTensor(RUNTIME.environment(), LongBuffer.wrap(IDS), shape);
        OnnxTensor mask =
            OnnxTensor.createTensor(RUNTIME.environment(), LongBuffer.wrap(MASK), shape);
        OrtSession.Result result = session.run(Map.of("input_ids", ids, "attention_mask", mask))) {
      float[][] rows = OrtTensors.rows((OnnxTensor) result.get(0));
      float[] all = Arrays.copyOf(rows[0], 4);
      System.arraycopy(rows[1], 0, all, 2, 2);
      return all;
    }
  }
}
