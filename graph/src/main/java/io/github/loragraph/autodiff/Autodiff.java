package io.github.loragraph.autodiff;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.TensorType;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Reverse-mode differentiation. An ONNX graph is already the tape: the walk goes backwards over the
 * nodes between the wanted values and the loss, and asks the rule of each node for the gradients of
 * its inputs. It knows no operator itself.
 *
 * <p>Only values on a path from a wanted value to the loss get a gradient, so nothing is computed
 * below the lowest trainable layer and no gradient of a frozen weight is computed at all.
 */
public final class Autodiff {
  private final GradientRules rules;

  public Autodiff(GradientRules rules) {
    this.rules = rules;
  }

  /**
   * Appends to a graph the nodes that compute the gradients of a loss.
   *
   * @param graph the forward graph, in the operator set of {@link
   *     io.github.loragraph.onnx.GraphBuilder#OPSET}
   * @param inferred the types of its values; element types must be known on the path, shapes are
   *     refined here
   * @param loss a value with one element
   * @param wanted graph inputs or initializers
   * @return the name of the gradient for each wanted value, of the value's shape, in the order of
   *     {@code wanted}; values that the loss does not depend on are left out
   * @throws LoraGraphException if an operator on a path has no rule: it names the operators, the
   *     nodes and the operators that have one; the graph is then as it was
   */
  public Map<String, String> gradients(
      Graph graph, ValueTypes inferred, String loss, Collection<String> wanted) {
    return gradients(graph, inferred, loss, wanted, null);
  }

  /**
   * The same for a multiple of the loss.
   *
   * @param scale names a scalar of the loss's element type, that all gradients are multiplied by;
   *     null for 1
   */
  public Map<String, String> gradients(
      Graph graph, ValueTypes inferred, String loss, Collection<String> wanted, String scale) {
    ValueTypes types = SymbolicShapes.refine(graph, inferred);
    Set<String> path = path(graph, types, loss, wanted);
    List<Node> tape =
        graph.nodes().stream().filter(n -> n.outputs().stream().anyMatch(path::contains)).toList();
    GradientScope scope = new GradientScope(graph, types, path);
    refuseMissingRules(tape, scope);

    scope.contribute(loss, seed(scope, loss, scale));
    for (int i = tape.size() - 1; i >= 0; i--) {
      Node node = tape.get(i);
      scope.enter(node);
      if (node.outputs().stream().anyMatch(out -> scope.gradientOf(out) != null)) {
        rules.rule(node).emit(node, scope);
      }
    }
    Map<String, String> gradients = new LinkedHashMap<>();
    for (String value : wanted) {
      String gradient = path.contains(value) ? scope.gradientOf(value) : null;
      if (gradient != null) {
        gradients.put(value, gradient);
      }
    }
    return gradients;
  }

  /** The gradient of the multiplied loss with respect to the loss, in the loss's own shape. */
  private static String seed(GradientScope scope, String loss, String scale) {
    if (scope.rank(loss) == 0) {
      return scale == null ? scope.scalarLike(loss, 1) : scale;
    }
    if (scale != null) {
      return scope.expand(scale, scope.shape(loss));
    }
    return scope.constantOfShape(scope.shape(loss), scope.elementType(loss), 1);
  }

  /** The floating-point values that depend on a wanted one and that the loss depends on. */
  private static Set<String> path(
      Graph graph, ValueTypes types, String loss, Collection<String> wanted) {
    Set<String> influenced = new HashSet<>(wanted);
    for (Node node : graph.nodes()) {
      if (node.reads().stream().anyMatch(influenced::contains)) {
        for (String output : node.outputs()) {
          TensorType type = types.get(output);
          if (type == null || type.isFloatingPoint()) {
            influenced.add(output);
          }
        }
      }
    }
    Set<String> path = new HashSet<>();
    List<String> open = new ArrayList<>(List.of(loss));
    while (!open.isEmpty()) {
      String value = open.remove(open.size() - 1);
      if (influenced.contains(value) && path.add(value)) {
        Node producer = graph.producer(value);
        if (producer != null) {
          open.addAll(producer.reads());
        }
      }
    }
    return path;
  }

  private void refuseMissingRules(List<Node> tape, GradientScope scope) {
    Set<String> missing = new TreeSet<>();
    List<String> places = new ArrayList<>();
    for (Node node : tape) {
      GradientRule rule = rules.rule(node);
      String refusal = null;
      if (rule != null) {
        scope.enter(node);
        refusal = rule.refusal(node, scope);
      }
      if (rule == null || refusal != null) {
        String operator =
            (node.domain().isEmpty() ? "" : node.domain() + ".")
                + node.opType()
                + (refusal == null ? "" : " (" + refusal + ")");
        if (missing.add(operator)) {
          places.add(operator + " at " + place(node));
        }
      }
    }
    if (!missing.isEmpty()) {
      throw new LoraGraphException(
          "cannot train through %s: there is a gradient rule for %s only; choose trainable layers above it"
              .formatted(String.join(", ", places), String.join(", ", rules.operators())));
    }
  }

  /** The node, and the module in whose scope exporters named it: {@code /module/path/Operator}. */
  private static String place(Node node) {
    String name = node.name();
    if (name.isEmpty()) {
      return "the node that makes '" + node.output(0) + "'";
    }
    String scope = name.substring(0, Math.max(0, name.lastIndexOf('/')));
    String module = scope.replaceFirst("^/", "").replace('/', '.');
    return "node '%s'%s".formatted(name, module.isEmpty() ? "" : " of module " + module);
  }
}
