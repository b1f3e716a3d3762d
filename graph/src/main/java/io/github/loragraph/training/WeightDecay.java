package io.github.loragraph.training;

import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.Operators;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Which parameters AdamW's weight decay is on. */
public enum WeightDecay {
  /**
   * All but biases and normalization weights, as {@code Trainer.get_decay_parameter_names} of
   * transformers has it.
   */
  WEIGHTS,
  /** All, as {@code torch.optim.AdamW} has it with one group of parameters. */
  ALL;

  /** The patterns of {@code Trainer.get_decay_parameter_names}, found in the name in lower case. */
  private static final Pattern NAMES =
      Pattern.compile("bias|layernorm|rmsnorm|(?:^|\\.)norm(?:$|\\.)|_norm(?:$|\\.)");

  /**
   * The trainable values that are biases or weights of a normalization: by the name of the
   * parameter, or by the part that the value has in the graph, where exporters have left no name.
   *
   * @param source the model as it was read, whose names count
   * @param normal the same with LayerNorm as one node
   */
  static Set<String> exempt(OnnxModel source, Graph normal, Collection<String> trainable) {
    Map<String, String> names = new HashMap<>();
    for (Parameter parameter : Parameters.of(source)) {
      names.put(parameter.value(), parameter.name());
    }
    Set<String> byRole = new HashSet<>();
    addByRole(source.graph(), byRole);
    addByRole(normal, byRole);
    Set<String> exempt = new HashSet<>();
    for (String value : trainable) {
      String name = names.getOrDefault(value, value);
      if (byRole.contains(value) || NAMES.matcher(name.toLowerCase(Locale.ROOT)).find()) {
        exempt.add(value);
      }
    }
    return exempt;
  }

  private static void addByRole(Graph graph, Set<String> values) {
    for (Node node : graph.nodes()) {
      Operator operator = Operators.all().of(node);
      if (operator != null) {
        operator.scaleAndShift().forEach(input -> values.add(node.input(input)));
      }
    }
  }

  /** The name by which it is chosen. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
