package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxModel;

/** Takes adapters out. */
public final class LoraRemover {
  private LoraRemover() {}

  /**
   * The model as it was before the injection: the same nodes, and the weights of adapted Linears
   * byte for byte. The given model is left as it is.
   *
   * @throws LoraGraphException if the model has no adapters, or they are damaged
   */
  public static OnnxModel remove(OnnxModel model) {
    return model.namingFile(() -> removed(model));
  }

  private static OnnxModel removed(OnnxModel model) {
    LoraMetadata metadata = LoraMetadata.require(model);
    Graph graph = model.graph().copy();
    for (LoraMetadata.Target target : metadata.targets()) {
      Adapter.of(graph, target, metadata.variant()).removeFrom(graph);
    }
    return LoraMetadata.removeFrom(model.withGraph(graph));
  }
}
