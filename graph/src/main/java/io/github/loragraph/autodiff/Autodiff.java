package io.github.loragraph.autodiff;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.ops.Gradient;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.ops.TypedGraphBuilder;
import io.github.loragraph.shape.ShapePropagation;
import io.github.loragraph.shape.ValueTypes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Reverse-mode differentiation. An ONNX graph is already the tape: the walk goes backwards over the
 * nodes between the wanted values and the loss, and asks the rule of each node for the gradients of
 * its inputs. It knows no operator itself.
 *
 * <p>Only values on a path from a wanted value to the loss get a gradient, so nothing is computed
 * below the lowest trainable layer and no gradient of a frozen weight is computed at all.
 */
public final class Autodiff {
  private final Operators operators = Operators.all();
  private final Kernels kernels;
  private final Set<String> constants;

  /**
   * @param kernels those that the gradients may be written with
   */
  public Autodiff(Kernels kernels) {
    this(kernels, Set.of());
  }

  /**
   * @param kernels those that the gradients may be written with
   * @param constants values that no gradient goes through, whatever they are computed from: {@code
   *     detach} of PyTorch
   */
  public Autodiff(Kernels kernels, Set<String> constants) {
    this.kernels = kernels;
    this.constants = Set.copyOf(constants);
  }

  /**
   * Appends to a graph the nodes that compute the gradients of a loss. Operators on the way that
   * have a body and no gradient are replaced by their bodies.
   *
   * @param graph the forward graph, in the operator set of {@link
   *     io.github.loragraph.onnx.GraphBuilder#OPSET}
   * @param known types of its values, each open dimension with a symbol ({@link
   *     io.github.loragraph.shape.ShapePropagation#refine}); element types must be known on the
   *     path
   * @param loss a value with one element
   * @param wanted graph inputs or initializers
   * @return the name of the gradient for each wanted value, of the value's shape, in the order of
   *     {@code wanted}; values that the loss does not depend on are left out
   * @throws LoraGraphException if an operator on a path has no rule: it names the operators, the
   *     nodes and what to do; the graph is then as it was
   */
  public Map<String, String> gradients(
      Graph graph, ValueTypes known, String loss, Collection<String> wanted) {
    return gradients(graph, known, loss, wanted, null);
  }

  /**
   * The same for a multiple of the loss.
   *
   * @param scale names a scalar of the loss's element type, that all gradients are multiplied by;
   *     null for 1
   */
  public Map<String, String> gradients(
      Graph graph,
      ValueTypes known,
      String loss,
      Collection<String> wanted,
      @Nullable String scale) {
    List<Node> functions = functions(graph, known, loss, wanted);
    if (!functions.isEmpty()) {
      check(graph, known, loss, wanted);
    }
    ValueTypes types = inlined(graph, known, functions);
    Set<String> path = path(graph, types, loss, wanted);
    List<Node> tape =
        graph.nodes().stream().filter(n -> n.outputs().stream().anyMatch(path::contains)).toList();
    GradientWalk walk = new GradientWalk(graph, types, path, kernels);
    refuseMissingRules(tape, walk);

    walk.contribute(loss, seed(walk, loss, scale));
    for (int i = tape.size() - 1; i >= 0; i--) {
      Node node = tape.get(i);
      GradientContext context = walk.at(node);
      if (node.outputs().stream().anyMatch(out -> walk.gradientOf(out) != null)) {
        Objects.requireNonNull(operators.gradient(node, kernels)).emit(node, context);
      }
    }
    Map<String, String> gradients = new LinkedHashMap<>();
    for (String value : wanted) {
      String gradient = path.contains(value) ? walk.gradientOf(value) : null;
      if (gradient != null) {
        gradients.put(value, gradient);
      }
    }
    return gradients;
  }

  /**
   * Refuses what {@link #gradients} would refuse, and adds nothing to the graph.
   *
   * @param target the value that a loss is going to be computed from
   * @throws LoraGraphException as {@link #gradients} does
   */
  public void check(Graph graph, ValueTypes known, String target, Collection<String> wanted) {
    List<Node> functions = functions(graph, known, target, wanted);
    Graph checked = functions.isEmpty() ? graph : graph.copy();
    ValueTypes types = inlined(checked, known, functions);
    Set<String> path = path(checked, types, target, wanted);
    List<Node> tape =
        checked.nodes().stream()
            .filter(n -> n.outputs().stream().anyMatch(path::contains))
            .toList();
    refuseMissingRules(tape, new GradientWalk(checked, types, path, kernels));
  }

  /** The nodes on the path that a gradient goes through by what they are made of. */
  private List<Node> functions(
      Graph graph, ValueTypes types, String loss, Collection<String> wanted) {
    return FunctionInlining.candidates(graph, path(graph, types, loss, wanted), kernels);
  }

  private ValueTypes inlined(Graph graph, ValueTypes types, List<Node> functions) {
    if (functions.isEmpty()) {
      return types;
    }
    FunctionInlining.inline(graph, types, functions, kernels);
    return new ShapePropagation(operators).complete(graph, types).types();
  }

  /** The gradient of the multiplied loss with respect to the loss, in the loss's own shape. */
  private static String seed(GradientWalk walk, String loss, @Nullable String scale) {
    TypedGraphBuilder b = walk.builder();
    if (b.rank(loss) == 0) {
      return scale == null ? b.scalarLike(loss, 1) : scale;
    }
    if (scale != null) {
      return b.expand(scale, b.shape(loss));
    }
    return b.constantOfShape(b.shape(loss), b.elementType(loss), 1);
  }

  /**
   * Why values have no gradient although the loss depends on them.
   *
   * @param operators those that let none through, each with its node, in the order of the nodes
   * @param values that for this alone have none
   */
  public record Cut(List<String> operators, List<String> values) {}

  /**
   * Tells of values that the loss has no gradient for which of them it does depend on, but only by
   * way of integers, of truth values, or of numbers that were rounded.
   */
  public Cut cut(Graph graph, ValueTypes types, String loss, Collection<String> values) {
    Set<String> influenced = influenced(graph, types, values);
    Set<String> below = new HashSet<>();
    List<String> open = new ArrayList<>(List.of(loss));
    while (!open.isEmpty()) {
      String value = open.remove(open.size() - 1);
      Node producer = graph.producer(value);
      if (below.add(value) && producer != null && !readsShapesOnly(producer)) {
        open.addAll(producer.reads());
      }
    }
    List<String> operators =
        graph.nodes().stream()
            .filter(node -> !readsShapesOnly(node))
            .filter(node -> node.reads().stream().anyMatch(influenced::contains))
            .filter(node -> node.outputs().stream().anyMatch(below::contains))
            .filter(node -> node.outputs().stream().noneMatch(influenced::contains))
            .map(node -> operator(node) + " at " + place(node))
            .toList();
    return new Cut(operators, values.stream().filter(below::contains).toList());
  }

  /** What an operator makes of the shape of a value does not depend on the value. */
  private boolean readsShapesOnly(Node node) {
    return operators.has(node, Trait.READS_SHAPE);
  }

  /** The values that a gradient can pass through on its way to one of the given ones. */
  private Set<String> influenced(Graph graph, ValueTypes types, Collection<String> values) {
    Set<String> influenced = new HashSet<>(values);
    for (Node node : graph.nodes()) {
      if (readsShapesOnly(node) || node.reads().stream().noneMatch(influenced::contains)) {
        continue;
      }
      Gradient rule = operators.gradient(node, kernels);
      if (rule != null && rule.isZero()) {
        continue;
      }
      boolean integers =
          (rule != null && rule.passesIntegers())
              || node.reads().stream().anyMatch(v -> influenced.contains(v) && !isFloat(v, types));
      for (String output : node.outputs()) {
        if (!output.isEmpty()
            && !constants.contains(output)
            && (integers || isFloat(output, types))) {
          influenced.add(output);
        }
      }
    }
    return influenced;
  }

  private static boolean isFloat(String value, ValueTypes types) {
    TensorType type = types.get(value);
    return type == null || type.isFloatingPoint();
  }

  /** The values that depend on a wanted one and that the loss depends on. */
  private Set<String> path(Graph graph, ValueTypes types, String loss, Collection<String> wanted) {
    Set<String> influenced = influenced(graph, types, wanted);
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

  private void refuseMissingRules(List<Node> tape, GradientWalk walk) {
    Set<String> missing = new TreeSet<>();
    List<String> places = new ArrayList<>();
    for (Node node : tape) {
      Gradient rule = operators.gradient(node, kernels);
      String reason = null;
      if (rule != null) {
        reason = walk.untaken(node, rule);
        reason = reason == null ? rule.unsupportedReason(node, walk.at(node)) : reason;
      }
      if (rule == null || reason != null) {
        String operator = operator(node) + (reason == null ? "" : " (" + reason + ")");
        if (missing.add(operator)) {
          places.add(operator + " at " + place(node));
        }
      }
    }
    if (!missing.isEmpty()) {
      throw new LoraGraphException(
          "cannot train through %s: no gradient rule covers that; %s, or train layers above it only"
              .formatted(String.join(", ", places), remedy(tape, missing)));
    }
  }

  /** How to export the model so that it has other operators. */
  private String remedy(List<Node> tape, Set<String> missing) {
    boolean subgraph = false;
    boolean optimized = false;
    boolean function = false;
    boolean newer = false;
    for (Node node : tape) {
      if (missing.stream().anyMatch(m -> m.equals(operator(node)))) {
        subgraph |= node.hasSubgraph();
        Operator operator = operators.of(node);
        optimized |= node.domain().equals(Kernels.DOMAIN) || operators.has(node, Trait.FUSED);
        function |= !node.domain().isEmpty() && !node.domain().equals(Kernels.DOMAIN);
        newer |= operator != null && operator.since() > GraphBuilder.OPSET;
      }
    }
    if (optimized) {
      return "take the model as it was before ONNX Runtime's optimizer";
    }
    if (function) {
      return "export the model with its functions inlined";
    }
    if (subgraph) {
      return "export the model without control flow";
    }
    return newer
        ? "export the model with operator set " + GraphBuilder.OPSET + " or lower"
        : "export the model with other operators in its place";
  }

  private static String operator(Node node) {
    return (node.domain().isEmpty() ? "" : node.domain() + ".") + node.opType();
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
