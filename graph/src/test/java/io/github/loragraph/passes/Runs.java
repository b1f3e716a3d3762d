package io.github.loragraph.passes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** Runs models in ONNX Runtime and compares what comes out. */
final class Runs {
  private Runs() {}

  /** The outputs of a model for inputs, by name. */
  static Map<String, Tensor> run(OnnxModel model, Map<String, Tensor> inputs) {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    Map<String, OnnxTensor> values = new HashMap<>();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      try (OrtSession session =
          environment.createSession(OnnxFile.serialize(model, tensor -> false), options)) {
        for (Map.Entry<String, Tensor> e : inputs.entrySet()) {
          values.put(e.getKey(), tensor(environment, e.getValue()));
        }
        Map<String, Tensor> outputs = new LinkedHashMap<>();
        try (OrtSession.Result result = session.run(values)) {
          for (Map.Entry<String, OnnxValue> e : result) {
            outputs.put(e.getKey(), tensor(e.getKey(), (OnnxTensor) e.getValue()));
          }
        }
        return outputs;
      }
    } catch (OrtException e) {
      throw new AssertionError("the model does not run: " + e.getMessage(), e);
    } finally {
      values.values().forEach(OnnxTensor::close);
    }
  }

  private static OnnxTensor tensor(OrtEnvironment environment, Tensor tensor) throws OrtException {
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(tensor.bytes().remaining()).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(tensor.bytes()).flip();
    OnnxJavaType type =
        switch (tensor.elementType()) {
          case FLOAT -> OnnxJavaType.FLOAT;
          case DOUBLE -> OnnxJavaType.DOUBLE;
          case INT64 -> OnnxJavaType.INT64;
          case INT32 -> OnnxJavaType.INT32;
          case BOOL -> OnnxJavaType.BOOL;
          default -> throw new IllegalArgumentException(tensor.toString());
        };
    return OnnxTensor.createTensor(environment, bytes, tensor.dims(), type);
  }

  private static Tensor tensor(String name, OnnxTensor value) {
    ElementType type =
        switch (value.getInfo().type) {
          case FLOAT -> ElementType.FLOAT;
          case DOUBLE -> ElementType.DOUBLE;
          case INT64 -> ElementType.INT64;
          case INT32 -> ElementType.INT32;
          case BOOL -> ElementType.BOOL;
          default -> throw new IllegalArgumentException(value.toString());
        };
    ByteBuffer source = value.getByteBuffer();
    ByteBuffer bytes = ByteBuffer.allocate(source.remaining());
    bytes.put(source).flip();
    return Tensor.of(name, type, bytes, value.getInfo().getShape());
  }

  /** Normally distributed numbers. */
  static Tensor normal(String name, Random random, long... dims) {
    float[] values =
        new float
            [(int)
                TensorType.of(ElementType.FLOAT, dims).shape().dimensions().stream()
                    .mapToLong(d -> d.size())
                    .reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.ofFloats(name, values, dims);
  }

  static Map<String, Tensor> inputs(Tensor... tensors) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    for (Tensor tensor : tensors) {
      inputs.put(tensor.name(), tensor);
    }
    return inputs;
  }

  /**
   * Batches for an encoder: token ids with padding at the end, as many as the vocabulary allows.
   */
  static Map<String, Tensor> tokens(OnnxModel model, Random random, int batch, int sequence) {
    long[] ids = new long[batch * sequence];
    long[] mask = new long[batch * sequence];
    for (int row = 0; row < batch; row++) {
      int length = row == 0 ? sequence : 1 + random.nextInt(sequence);
      for (int i = 0; i < sequence; i++) {
        ids[row * sequence + i] = i < length ? 3 + random.nextInt(90) : 1;
        mask[row * sequence + i] = i < length ? 1 : 0;
      }
    }
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    for (ValueInfo input : model.graph().requiredInputs()) {
      long[] values =
          switch (input.name()) {
            case "input_ids" -> ids;
            case "attention_mask" -> mask;
            default -> new long[ids.length];
          };
      inputs.put(input.name(), Tensor.ofLongs(input.name(), values, batch, sequence));
    }
    return inputs;
  }

  /** Asserts equal names, types and shapes, and values within a tolerance (0: the same bits). */
  static void assertSame(
      Map<String, Tensor> expected, Map<String, Tensor> actual, double tolerance, String what) {
    assertEquals(expected.keySet(), actual.keySet(), what);
    for (Map.Entry<String, Tensor> e : expected.entrySet()) {
      Tensor a = e.getValue();
      Tensor b = actual.get(e.getKey());
      assertEquals(a.elementType(), b.elementType(), what);
      assertArrayEquals(a.dims(), b.dims(), what);
      if (tolerance == 0) {
        assertEquals(a.bytes(), b.bytes(), what);
      } else {
        double[] x = a.toDoubles();
        double[] y = b.toDoubles();
        for (int i = 0; i < x.length; i++) {
          assertEquals(x[i], y[i], tolerance, what + ", entry " + i);
        }
      }
    }
  }

  /** How many nodes of each operator a graph has. */
  static Map<String, Integer> operators(Graph graph) {
    Map<String, Integer> counts = new TreeMap<>();
    graph.nodes().forEach(node -> counts.merge(node.opType(), 1, Integer::sum));
    return counts;
  }

  /** Asserts that every node reads only what stands before it, as the file format demands. */
  static void assertOrdered(Graph graph) {
    List<String> known = new ArrayList<>(graph.initializers().keySet());
    graph.inputs().forEach(v -> known.add(v.name()));
    for (Node node : graph.nodes()) {
      for (String input : node.reads()) {
        assertTrue(known.contains(input), node + " reads '" + input + "' too early");
      }
      known.addAll(node.outputs());
    }
  }
}
