package io.github.loragraph.passes;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import com.google.protobuf.InvalidProtocolBufferException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.shape.ValueTypes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Shape inference by ONNX Runtime: a copy of the model whose large weights are inputs and whose
 * values are all outputs is loaded, and the types of the outputs are read.
 */
public final class SessionShapeInference implements ShapeInference {
  /** Weights with more elements become inputs: they say nothing of shapes. */
  private static final int LARGEST_CONSTANT = 256;

  @Override
  public ValueTypes infer(OnnxModel model) {
    Graph graph = model.graph().copy();
    for (Tensor tensor : List.copyOf(graph.initializers().values())) {
      if (tensor.elementCount() > LARGEST_CONSTANT) {
        graph.removeInitializer(tensor.name());
        graph.addInput(ValueInfo.of(tensor.name(), tensor.type()));
      }
    }
    byte[] bytes = withAllOutputs(model.withGraph(graph));
    ValueTypes declared = ValueTypes.declared(model.graph());
    Map<String, TensorType> types = new HashMap<>();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      try (OrtSession session = OrtEnvironment.getEnvironment().createSession(bytes, options)) {
        for (NodeInfo info : session.getOutputInfo().values()) {
          if (info.getInfo() instanceof TensorInfo tensor) {
            TensorType type = type(tensor);
            if (type.shape() != null || declared.get(info.getName()) == null) {
              types.put(info.getName(), type);
            }
          }
        }
      }
    } catch (OrtException e) {
      throw new AssertionError("shape inference failed", e);
    }
    return declared.overriddenBy(new ValueTypes(types));
  }

  private static byte[] withAllOutputs(OnnxModel model) {
    try {
      ModelProto.Builder proto =
          ModelProto.parseFrom(OnnxFile.serialize(model, tensor -> false)).toBuilder();
      GraphProto.Builder graph = proto.getGraphBuilder();
      Set<String> outputs = new HashSet<>();
      graph.getOutputList().forEach(v -> outputs.add(v.getName()));
      for (Node node : model.graph().nodes()) {
        for (String output : node.outputs()) {
          if (!output.isEmpty() && outputs.add(output)) {
            graph.addOutput(ValueInfoProto.newBuilder().setName(output));
          }
        }
      }
      return proto.build().toByteArray();
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  private static TensorType type(TensorInfo info) {
    ElementType elementType =
        ElementType.valueOf(
            info.onnxType.name().substring("ONNX_TENSOR_ELEMENT_DATA_TYPE_".length()));
    if (info.getShape().length == 0) {
      // The Java API says the same of a scalar and of a value whose rank is not known.
      return new TensorType(elementType, null);
    }
    List<Shape.Dimension> dimensions = new ArrayList<>();
    for (int i = 0; i < info.getShape().length; i++) {
      String symbol = info.getDimensionNames()[i];
      dimensions.add(
          info.getShape()[i] >= 0
              ? Shape.Dimension.of(info.getShape()[i])
              : symbol.isEmpty() ? Shape.Dimension.unknown() : Shape.Dimension.named(symbol));
    }
    return new TensorType(elementType, new Shape(dimensions));
  }
}
