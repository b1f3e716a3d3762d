package io.github.loragraph.lora;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.util.List;
import java.util.Set;

/**
 * Un-shares what exporters merge: of equal tensors they keep one initializer and give the others as
 * {@code Identity} of it. What is trained must not take others along.
 */
public final class SharedTensors {
  private SharedTensors() {}

  /**
   * The model in which each of the values is an initializer of its own, under the value's name.
   * What is not trained stays shared, and a value that several nodes read stays tied. The given
   * model is left as it is.
   *
   * @param values parameters that will be trained
   */
  public static OnnxModel unshare(OnnxModel model, Set<String> values) {
    Graph graph = model.graph().copy();
    for (String value : values) {
      if (graph.initializer(value) == null) {
        giveOwn(graph, value);
      }
      for (Node reader : List.copyOf(graph.consumers(value))) {
        if (reader.is("Identity") && !graph.isOutput(reader.output(0))) {
          giveOwn(graph, reader.output(0));
        }
      }
    }
    return model.withGraph(graph);
  }

  private static void giveOwn(Graph graph, String value) {
    Tensor tensor = graph.constant(value);
    if (tensor != null) {
      graph.remove(graph.producer(value));
      graph.putInitializer(tensor.withName(value));
    }
  }
}
