package io.github.loragraph.check;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.TemporaryFolder;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.ort.OrtFailure;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What a device reaches in large matrix products. One call of a session multiplies in a loop: the
 * matrix stays on the device from product to product, the factors are made there from two vectors,
 * and one number comes back. So nothing but products is in the time.
 */
final class MatrixRate {
  /** In one round of the loop: what a round costs besides is then small. */
  private static final int PRODUCTS_IN_A_ROUND = 8;

  private static final int MEASUREMENTS = 3;

  private final int size;
  private final ElementType type;

  MatrixRate(int size, ElementType type) {
    this.size = size;
    this.type = type;
  }

  private static HostTensor number(long value) {
    ByteBuffer data = ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder());
    return new HostTensor("rounds", ElementType.INT64, new long[0], data.putLong(0, value));
  }

  /**
   * Measures.
   *
   * @param products at least
   * @return additions and multiplications in a second
   * @throws LoraGraphException if the device cannot multiply this type
   */
  double measure(Sessions sessions, int products) {
    long rounds = Math.max(1, (products + PRODUCTS_IN_A_ROUND - 1) / PRODUCTS_IN_A_ROUND);
    OrtRuntime runtime = sessions.runtime();
    try (TemporaryFolder folder = TemporaryFolder.create("lora-graph-matrix");
        Weights weights = new Weights()) {
      Path file = folder.path().resolve("matrix.onnx");
      Files.write(file, model().toByteArray());
      try (OrtSession session = sessions.create(OnnxFile.read(file), weights);
          OnnxTensor count = runtime.tensor(number(rounds));
          OnnxTensor once = runtime.tensor(number(1))) {
        session.run(Map.of("rounds", once)).close();
        double best = Double.MAX_VALUE;
        for (int i = 0; i < MEASUREMENTS; i++) {
          long start = System.nanoTime();
          session.run(Map.of("rounds", count)).close();
          best = Math.min(best, (System.nanoTime() - start) / 1e9);
        }
        return 2.0 * size * size * size * PRODUCTS_IN_A_ROUND * rounds / best;
      }
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime fails", e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot write a temporary file: " + e.getMessage(), e);
    }
  }

  /**
   * The factor is u times its transpose, u of length 1: a product with it neither grows nor
   * vanishes, however often it is taken.
   */
  private ModelProto model() {
    int code = type.code();
    GraphProto.Builder body =
        GraphProto.newBuilder()
            .setName("products")
            .addInput(value("round", ElementType.INT64.code()))
            .addInput(value("go", ElementType.BOOL.code()))
            .addInput(value("x0", code, size, size))
            .addNode(node("Identity", List.of("go"), "go_on"));
    for (int i = 0; i < PRODUCTS_IN_A_ROUND; i++) {
      body.addNode(node("MatMul", List.of("x" + i, "factor"), "x" + (i + 1)));
    }
    body.addOutput(value("go_on", ElementType.BOOL.code()))
        .addOutput(value("x" + PRODUCTS_IN_A_ROUND, code, size, size));
    GraphProto graph =
        GraphProto.newBuilder()
            .setName("matrix rate")
            .addInput(value("rounds", ElementType.INT64.code()))
            .addInitializer(vector("column", size, 1))
            .addInitializer(vector("row", 1, size))
            .addNode(node("Mul", List.of("column", "row"), "outer"))
            .addNode(
                node("Cast", List.of("outer"), "factor").toBuilder()
                    .addAttribute(
                        attribute("to", AttributeProto.AttributeType.INT).setI(code).build()))
            .addNode(
                node("Loop", List.of("rounds", "", "factor"), "product").toBuilder()
                    .addAttribute(
                        attribute("body", AttributeProto.AttributeType.GRAPH).setG(body).build()))
            // No provider has a maximum of bfloat16.
            .addNode(
                node("Cast", List.of("product"), "wide").toBuilder()
                    .addAttribute(
                        attribute("to", AttributeProto.AttributeType.INT)
                            .setI(ElementType.FLOAT.code())
                            .build()))
            .addNode(
                node("ReduceMax", List.of("wide"), "largest").toBuilder()
                    .addAttribute(
                        attribute("keepdims", AttributeProto.AttributeType.INT).setI(0).build()))
            .addOutput(value("largest", ElementType.FLOAT.code()))
            .build();
    return ModelProto.newBuilder()
        .setIrVersion(9)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(20))
        .setGraph(graph)
        .build();
  }

  private TensorProto vector(String name, long... dims) {
    TensorProto.Builder tensor =
        TensorProto.newBuilder().setName(name).setDataType(ElementType.FLOAT.code());
    for (long d : dims) {
      tensor.addDims(d);
    }
    float value = (float) (1 / Math.sqrt(size));
    for (int i = 0; i < size; i++) {
      // Signs in no simple order: a device could be faster with numbers that are all alike.
      tensor.addFloatData(Integer.bitCount(i * 0x9E3779B9) % 2 == 0 ? value : -value);
    }
    return tensor.build();
  }

  private static AttributeProto.Builder attribute(String name, AttributeProto.AttributeType type) {
    return AttributeProto.newBuilder().setName(name).setType(type);
  }

  private static NodeProto node(String operator, List<String> inputs, String output) {
    return NodeProto.newBuilder()
        .setName(output)
        .setOpType(operator)
        .addAllInput(inputs)
        .addOutput(output)
        .build();
  }

  private static ValueInfoProto value(String name, int type, long... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long d : dims) {
      shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(d));
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(TypeProto.Tensor.newBuilder().setElemType(type).setShape(shape)))
        .build();
  }
}
