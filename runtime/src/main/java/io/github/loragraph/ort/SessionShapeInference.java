package io.github.loragraph.ort;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.github.loragraph.LoraGraphException;
import io.github.loragraph.autodiff.ShapeInference;
import io.github.loragraph.autodiff.ValueTypes;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Shape inference by ONNX Runtime: of a copy of the model without its weights, every value is made
 * an output, and a session that optimizes nothing tells the outputs' types.
 */
public final class SessionShapeInference implements ShapeInference {
  /** Larger floating-point tensors do not take part in shape computations. */
  private static final long LARGEST_KEPT = 64;

  @Override
  public ValueTypes infer(OnnxModel model) {
    Graph graph = model.graph().copy();
    for (Tensor tensor : List.copyOf(graph.initializers().values())) {
      if (tensor.elementType().isFloatingPoint() && tensor.elementCount() > LARGEST_KEPT) {
        graph.removeInitializer(tensor.name());
        graph.addInput(ValueInfo.of(tensor.name(), tensor.type()));
      }
    }
    graph.clearOutputs();
    for (Node node : graph.nodes()) {
      for (String output : node.outputs()) {
        if (!output.isEmpty()) {
          // The type is left for ONNX Runtime to find: an undefined one is filled in.
          graph.addOutput(ValueInfo.untyped(output));
        }
      }
    }
    Map<String, TensorType> types = new HashMap<>();
    model.graph().initializers().values().forEach(t -> types.put(t.name(), t.type()));
    byte[] bytes = OnnxFile.serialize(model.withGraph(graph), tensor -> false);
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      try (OrtSession session = OrtEnvironment.getEnvironment().createSession(bytes, options)) {
        session.getInputInfo().values().forEach(info -> put(types, info));
        session.getOutputInfo().values().forEach(info -> put(types, info));
      }
    } catch (OrtException e) {
      throw new LoraGraphException("ONNX Runtime refuses the model: " + Sessions.firstLine(e), e);
    }
    return new ValueTypes(types);
  }

  private static void put(Map<String, TensorType> types, NodeInfo info) {
    if (info.getInfo() instanceof TensorInfo tensor) {
      List<Shape.Dimension> dimensions = new ArrayList<>();
      long[] sizes = tensor.getShape();
      String[] names = tensor.getDimensionNames();
      for (int i = 0; i < sizes.length; i++) {
        dimensions.add(
            sizes[i] >= 0
                ? Shape.Dimension.of(sizes[i])
                : names[i].isEmpty() ? Shape.Dimension.unknown() : Shape.Dimension.named(names[i]));
      }
      // No sizes mean a scalar or an unknown rank, and ONNX Runtime does not say which.
      Shape shape = sizes.length == 0 ? null : new Shape(dimensions);
      types.put(info.getName(), new TensorType(elementType(tensor), shape));
    }
  }

  /** The types go by the same names in both, after a prefix. */
  private static ElementType elementType(TensorInfo tensor) {
    String name = tensor.onnxType.name().substring("ONNX_TENSOR_ELEMENT_DATA_TYPE_".length());
    for (ElementType type : ElementType.values()) {
      if (type.name().equals(name)) {
        return type;
      }
    }
    return ElementType.OTHER;
  }
}
