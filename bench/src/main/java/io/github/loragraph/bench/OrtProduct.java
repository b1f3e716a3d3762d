package io.github.loragraph.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.OrtFailure;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/** ONNX Runtime's product with a constant matrix, which it packs once: a graph of one MatMul. */
final class OrtProduct implements ProductRate.Product {
  private static final int IR_VERSION = 8;
  private static final String INPUT = "x";

  private final Weights weights = new Weights();
  private final OrtSession session;
  private final OnnxTensor input;
  private final OnnxTensor output;
  private final String name;

  OrtProduct(ProductRate.Size size, Sessions sessions) {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of(INPUT, type(size.rows(), size.inner())));
    GraphBuilder b = new GraphBuilder(graph, "");
    Tensor matrix =
        Tensor.of(
            "w",
            ElementType.FLOAT,
            ones(size.inner(), size.columns()),
            size.inner(),
            size.columns());
    this.name = b.matMul(INPUT, b.initializer(matrix));
    graph.addOutput(ValueInfo.of(name, type(size.rows(), size.columns())));
    this.session =
        sessions.create(OnnxModel.of("product", graph, IR_VERSION, GraphBuilder.OPSET), weights);
    try {
      this.input = tensor(sessions, size.rows(), size.inner());
      this.output = tensor(sessions, size.rows(), size.columns());
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime fails", e);
    }
  }

  private static TensorType type(int rows, int columns) {
    return new TensorType(ElementType.FLOAT, Shape.of(rows, columns));
  }

  private static OnnxTensor tensor(Sessions sessions, int rows, int columns) throws OrtException {
    return sessions
        .runtime()
        .tensor(
            new HostTensor(
                INPUT, ElementType.FLOAT, new long[] {rows, columns}, ones(rows, columns)));
  }

  private static ByteBuffer ones(int rows, int columns) {
    ByteBuffer data =
        ByteBuffer.allocateDirect(rows * columns * Float.BYTES).order(ByteOrder.nativeOrder());
    while (data.hasRemaining()) {
      data.putFloat(1);
    }
    return data.flip();
  }

  @Override
  public void multiply() {
    try {
      session.run(Map.of(INPUT, input), Map.of(name, output)).close();
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime fails", e);
    }
  }

  @Override
  public void close() {
    try {
      output.close();
      input.close();
      session.close();
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime fails", e);
    } finally {
      weights.close();
    }
  }
}
