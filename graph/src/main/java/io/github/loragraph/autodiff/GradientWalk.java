package io.github.loragraph.autodiff;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.ops.Gradient;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.GradientFlow;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ops.TypedGraphBuilder;
import io.github.loragraph.shape.ValueTypes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The gradients that values have got so far, while the walk goes back over the nodes. */
final class GradientWalk implements GradientFlow {
  private final ValueTypes types;
  private final Set<String> path;
  private final Kernels kernels;
  private final TypedGraphBuilder builder;
  private final Map<String, List<String>> contributions = new HashMap<>();

  /**
   * @param graph that gradients are written to
   * @param path the values that a gradient passes through
   * @param kernels that it is written for
   */
  GradientWalk(Graph graph, ValueTypes types, Set<String> path, Kernels kernels) {
    this.types = types;
    this.path = path;
    this.kernels = kernels;
    this.builder = new TypedGraphBuilder(graph, "/gradient", types);
  }

  /** What nodes are put down with, under the name of the node that the walk is at. */
  TypedGraphBuilder builder() {
    return builder;
  }

  /** Goes on to a node: what its rule works with. */
  GradientContext at(Node node) {
    builder.setScope("/gradient" + (node.name().startsWith("/") ? "" : "/") + node.name());
    return new GradientContext(node, builder, types, this);
  }

  @Override
  public boolean isWanted(String value) {
    return path.contains(value);
  }

  @Override
  public Kernels kernels() {
    return kernels;
  }

  @Override
  public void contribute(String value, String gradient) {
    contributions.computeIfAbsent(value, k -> new ArrayList<>()).add(gradient);
  }

  @Override
  public @Nullable String gradientOf(String value) {
    List<String> parts = contributions.get(value);
    if (parts == null) {
      return null;
    }
    while (parts.size() > 1) {
      String sum = builder.add(parts.get(0), parts.get(1));
      parts.set(0, sum);
      parts.remove(1);
    }
    return parts.get(0);
  }

  /**
   * What of a node's gradients a rule would lose: a few words, or null where it takes all. Asked
   * before the walk of all that lies on the path, where every value gets a gradient.
   */
  @Nullable String untaken(Node node, Gradient rule) {
    for (int i = 0; i < node.outputs().size(); i++) {
      if (node.hasOutput(i) && path.contains(node.output(i)) && !rule.takes(i)) {
        return "with a gradient for its output " + (i + 1) + ", '" + node.output(i) + "'";
      }
    }
    for (String value : node.reads()) {
      TensorType type = types.get(value);
      boolean integer = type != null && !type.isFloatingPoint();
      if (integer && path.contains(value) && !rule.passesIntegers()) {
        return "of quantized numbers";
      }
    }
    return null;
  }
}
