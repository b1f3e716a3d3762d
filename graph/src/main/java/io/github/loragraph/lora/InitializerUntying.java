package io.github.loragraph.lora;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.passes.Pass;
import io.github.loragraph.passes.TypedModel;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Un-shares what exporters merge: of equal tensors they keep one initializer and give the others as
 * {@code Identity} of it. What is trained must not take others along.
 */
public final class InitializerUntying implements Pass {
  @Override
  public Result apply(TypedModel model, Set<String> trainable) {
    return Result.of(model.with(unshare(model.model(), trainable)));
  }

  /**
   * The model in which each of the values is an initializer of its own, under the value's name.
   * What is not trained stays shared. A value that several nodes read stays tied, and so does the
   * weight of a Linear that is called several times, of which constant folding makes a tensor for
   * each call. A further copy that the file has of a tied weight is computed from it, unless it is
   * one of the values itself. The given model is left as it is.
   *
   * @param values parameters that will be trained
   */
  public static OnnxModel unshare(OnnxModel model, Set<String> values) {
    return TiedWeights.follow(ownTensors(model, values), values);
  }

  /**
   * The model with other numbers in its parameters, and in the copies of those that are tied; it
   * has the nodes that it had, but for what {@link #unshare} takes apart. The given model is left
   * as it is.
   *
   * @param values tensors by the names of parameters' values
   */
  public static OnnxModel withValues(OnnxModel model, Map<String, Tensor> values) {
    OnnxModel changed = ownTensors(model, values.keySet());
    TiedWeights.update(model, changed, values);
    return changed;
  }

  private static OnnxModel ownTensors(OnnxModel model, Set<String> values) {
    Graph graph = model.graph().copy();
    for (Linear linear : LinearFinder.find(graph)) {
      if (values.contains(linear.weightValue())) {
        readOneWeight(graph, linear);
      }
    }
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

  /** Lets all calls of a Linear read what the first one reads. */
  private static void readOneWeight(Graph graph, Linear linear) {
    for (Linear.Site site : linear.sites()) {
      Node reader = site.weightReader();
      int at = site.weightInput();
      String other = reader.input(at);
      if (!other.equals(linear.weightValue())) {
        graph.replace(reader, reader.withInput(at, linear.weightValue()));
        Node producer = graph.producer(other);
        if (graph.consumers(other).isEmpty() && producer != null) {
          graph.remove(producer);
        }
      }
    }
  }

  private static void giveOwn(Graph graph, String value) {
    Tensor tensor = graph.constant(value);
    if (tensor != null) {
      graph.remove(graph.requireProducer(value));
      graph.putInitializer(tensor.withName(value));
    }
  }
}
