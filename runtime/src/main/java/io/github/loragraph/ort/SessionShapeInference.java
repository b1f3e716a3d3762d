package io.github.loragraph.ort;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
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
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Shape inference by ONNX Runtime: of a copy of the model without its weights, every value is made
 * an output, and a session that optimizes nothing tells the outputs' types. ONNX Runtime says of a
 * scalar and of a value of unknown rank the same, so a second session is asked for the shape of the
 * shapes of those: it is [0] for a scalar.
 */
public final class SessionShapeInference implements ShapeInference {
  /** Larger floating-point tensors do not take part in shape computations. */
  private static final long LARGEST_KEPT = 64;

  private final OrtRuntime runtime;

  /**
   * @param runtime of any build
   */
  public SessionShapeInference(OrtRuntime runtime) {
    this.runtime = runtime;
  }

  @Override
  public ValueTypes infer(OnnxModel model) {
    return model.namingFile(() -> inferred(model));
  }

  private ValueTypes inferred(OnnxModel model) {
    Graph graph = model.graph().copy();
    for (Tensor tensor : List.copyOf(graph.initializers().values())) {
      if (tensor.elementType().isFloatingPoint() && tensor.elementCount() > LARGEST_KEPT) {
        graph.removeInitializer(tensor.name());
        graph.addInput(ValueInfo.of(tensor.name(), tensor.type()));
      }
    }
    OnnxModel weightless = model.withGraph(graph);
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
    List<String> withoutSizes = new ArrayList<>();
    forEachTensor(
        weightless,
        info -> {
          TensorInfo tensor = (TensorInfo) info.getInfo();
          boolean sizes = tensor.getShape().length > 0;
          types.put(
              info.getName(), new TensorType(elementType(tensor), sizes ? shape(tensor) : null));
          if (!sizes) {
            withoutSizes.add(info.getName());
          }
        });
    if (!withoutSizes.isEmpty()) {
      findScalars(weightless, withoutSizes, types);
    }
    return new ValueTypes(types);
  }

  private void findScalars(
      OnnxModel weightless, List<String> withoutSizes, Map<String, TensorType> types) {
    Graph graph = weightless.graph();
    Map<String, String> valueOfShape = new HashMap<>();
    graph.clearOutputs();
    for (String value : withoutSizes) {
      String shape = graph.freshName(value + "/shape");
      graph.add(Node.of(shape, "Shape", List.of(value), List.of(shape)));
      graph.addOutput(ValueInfo.untyped(shape));
      valueOfShape.put(shape, value);
    }
    graph.removeDeadNodes();
    forEachTensor(
        weightless,
        info -> {
          String value = valueOfShape.get(info.getName());
          if (value != null && ((TensorInfo) info.getInfo()).getShape()[0] == 0) {
            types.computeIfPresent(value, (name, type) -> TensorType.of(type.elementType()));
          }
        });
  }

  /** Visits the inputs and outputs of a model that are tensors, as ONNX Runtime sees them. */
  private void forEachTensor(OnnxModel model, Consumer<NodeInfo> visitor) {
    byte[] bytes = OnnxFile.serialize(model, tensor -> false);
    try (OrtSession.SessionOptions options = runtime.options()) {
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
      options.setIntraOpNumThreads(1);
      try (OrtSession session =
          OrtRuntime.told(runtime.environment().createSession(bytes, options))) {
        for (Map<String, NodeInfo> infos :
            List.of(session.getInputInfo(), session.getOutputInfo())) {
          infos.values().stream().filter(i -> i.getInfo() instanceof TensorInfo).forEach(visitor);
        }
      }
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime refuses the model", e);
    }
  }

  private static Shape shape(TensorInfo tensor) {
    List<Shape.Dimension> dimensions = new ArrayList<>();
    long[] sizes = tensor.getShape();
    String[] names = tensor.getDimensionNames();
    for (int i = 0; i < sizes.length; i++) {
      dimensions.add(
          sizes[i] >= 0
              ? Shape.Dimension.of(sizes[i])
              : names[i].isEmpty() ? Shape.Dimension.unknown() : Shape.Dimension.named(names[i]));
    }
    return new Shape(dimensions);
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
