package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Puts adapters that are there already beside the Linears of a model that has none. */
public final class AdapterPlacement {
  private AdapterPlacement() {}

  /**
   * The model with adapters; the given one is left as it is. The nodes are those that {@link
   * LoraInjector} makes.
   *
   * @param metadata what is said of the adapters, and put into the model
   * @param tensors those of each target by their names ({@link LoraMetadata.Target}), FLOAT
   * @throws LoraGraphException if a target is no Linear that can be adapted, has not these sizes,
   *     or lacks a tensor
   */
  public static OnnxModel place(
      OnnxModel model, LoraMetadata metadata, Map<String, Tensor> tensors) {
    Graph graph = model.graph().copy();
    Map<String, Linear> linears = new HashMap<>();
    LinearFinder.find(graph).forEach(linear -> linears.put(linear.path(), linear));
    for (LoraMetadata.Target target : metadata.targets()) {
      Linear linear = linears.get(target.path());
      if (linear == null) {
        throw new LoraGraphException("the model has no Linear layer '%s'".formatted(target.path()));
      }
      LoraVariant variant = metadata.variant();
      LoraInjector.requireAdaptable(graph, linear, variant);
      put(graph, tensors, target.parameterA(), linear.in(), target.rank());
      put(graph, tensors, target.parameterB(), target.rank(), linear.out());
      if (variant.init().isAnchored()) {
        put(graph, tensors, target.anchorA(), linear.in(), target.rank());
        put(graph, tensors, target.anchorB(), target.rank(), linear.out());
      }
      if (variant.useDora()) {
        put(graph, tensors, target.magnitude(), linear.out());
      }
      graph.putInitializer(
          Tensor.scalar(target.scaleName(), ElementType.FLOAT, metadata.scale(target)));
      LoraInjector.addNodes(graph, linear, variant, model.opset());
    }
    return metadata.putInto(model.withGraph(graph));
  }

  private static void put(Graph graph, Map<String, Tensor> tensors, String name, long... dims) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new LoraGraphException("there is no tensor '%s'".formatted(name));
    }
    if (tensor.elementType() != ElementType.FLOAT || !Arrays.equals(tensor.dims(), dims)) {
      throw new LoraGraphException(
          "'%s' is %s%s, and the layer takes FLOAT%s"
              .formatted(
                  name,
                  tensor.elementType(),
                  Arrays.toString(tensor.dims()),
                  Arrays.toString(dims)));
    }
    graph.putInitializer(tensor.withName(name));
  }
}
