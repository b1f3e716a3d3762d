package io.github.loragraph.lora;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The parameter table of a model, as PyTorch's {@code named_parameters} has it: weights and biases
 * of Linears, embeddings, normalization weights, adapters. Parameters that are tied count once;
 * those that only have equal values, which exporters merge behind {@code Identity} nodes, count
 * each. Constants of the computation (a mask's value, an epsilon) are none, nor are the buffers of
 * rotary embeddings and batch normalization, which no optimizer gets in PyTorch.
 */
public final class Parameters {
  /** Nothing but its name tells a buffer from a parameter in the file. */
  private static final Pattern BUFFER =
      Pattern.compile("(^|\\.)(inv_freq|running_mean|running_var)$");

  private Parameters() {}

  /**
   * The parameters in the order in which the graph reads them. In an injected model those are
   * trainable that its metadata names; in any other all are, as in a model that PyTorch has loaded.
   */
  public static List<Parameter> of(OnnxModel model) {
    Graph graph = model.graph();
    Set<String> trainable =
        LoraMetadata.of(model).map(m -> (Set<String>) new HashSet<>(m.trainable())).orElse(null);
    Map<String, String> names = new HashMap<>();
    for (Linear linear : LinearFinder.find(graph)) {
      names.putIfAbsent(linear.weightValue(), linear.path() + ".weight");
      if (linear.bias() != null) {
        names.putIfAbsent(linear.bias(), linear.path() + ".bias");
      }
    }
    List<Parameter> parameters = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (Node node : graph.nodes()) {
      if (node.is("Identity")) {
        continue;
      }
      for (int i = 0; i < node.inputs().size(); i++) {
        String value = node.input(i);
        Tensor tensor = value.isEmpty() ? null : graph.constant(value);
        if (tensor == null
            || !tensor.elementType().isFloatingPoint()
            || tensor.rank() == 0
            || !seen.add(value)) {
          continue;
        }
        String name = name(names.get(value), node, i, value);
        if (name != null) {
          parameters.add(
              new Parameter(
                  name,
                  value,
                  tensor.name(),
                  tensor.dims(),
                  tensor.elementCount(),
                  trainable == null || trainable.contains(name)));
        }
      }
    }
    return parameters;
  }

  /** The parameter's name, or null for a constant. */
  private static String name(String ofLinear, Node reader, int input, String value) {
    if (ofLinear != null) {
      return ofLinear;
    }
    if (Adapter.isPartOfAdapter(value)) {
      return Adapter.isAdapterWeight(value) ? value : null;
    }
    boolean embedding = reader.is("Gather") && input == 0;
    boolean normalization = reader.is("LayerNormalization") && input > 0;
    boolean named = ModulePath.isParameter(value) && !BUFFER.matcher(value).find();
    return embedding || normalization || named ? value : null;
  }
}
