package io.github.loragraph.shape;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Carries types from the inputs of a graph through its nodes, by the rules of their operators.
 * Inference by a runtime stops at a slice whose length is known only in the run, and everything
 * after it is nameless. Here every open dimension gets a symbol (a symbolic dimension), and the
 * symbols are followed through operators and through the integer arithmetic on shapes ({@code
 * Shape}, {@code Gather}, {@code Concat}, ...), so that two dimensions that always are the same
 * number come out with the same symbol.
 *
 * <p>Relied upon is the meaning that ONNX gives to symbols: within one model, equal names are equal
 * numbers. A name that stands twice in one graph input is not believed.
 *
 * <p>Holds no state but its rules, so that one may serve many graphs and threads.
 */
public final class ShapePropagation {
  private final TypeRules rules;

  /**
   * @param rules of all operators that are known: those of {@code ops.Operators}
   */
  public ShapePropagation(TypeRules rules) {
    this.rules = rules;
  }

  /**
   * Types with what the rules add.
   *
   * @param types those that were given and those that were found
   * @param unknown values that nodes make and that have no element type or no rank, in the order of
   *     the nodes: those of operators that are not known, or that have no rule
   */
  public record Result(ValueTypes types, List<String> unknown) {}

  /**
   * The same types with a size or a symbol for every dimension of every value whose rank is known.
   * Values without a type stay without.
   *
   * @param graph in operator set 13 or later, where {@code Squeeze} and {@code Unsqueeze} have
   *     their axes as inputs
   * @param types what inference has found
   */
  public ValueTypes refine(Graph graph, ValueTypes types) {
    return new Run(graph, types, false).run().types();
  }

  /**
   * Types for values that have none yet, such as those that a rewriting has made, from those that
   * are known; and a symbol for every open dimension, as in {@link #refine}.
   *
   * @param graph in operator set 13 or later
   * @param known the types of inputs and initializers may be left out; a type of a value that has
   *     been made anew under its old name must be
   */
  public Result complete(Graph graph, ValueTypes known) {
    return new Run(graph, known, true).run();
  }

  private final class Run {
    private final Graph graph;
    private final ValueTypes known;
    private final boolean completes;
    private final PropagatedShapes values = new PropagatedShapes();
    private final Set<String> distrusted = new HashSet<>();
    private final Map<String, TensorType> found = new HashMap<>();
    private final List<String> unknown = new ArrayList<>();

    Run(Graph graph, ValueTypes types, boolean completes) {
      this.graph = graph;
      this.known = completes ? ValueTypes.declaredInputs(graph).overriddenBy(types) : types;
      this.completes = completes;
    }

    Result run() {
      for (ValueInfo input : graph.inputs()) {
        distrustRepeated(input);
      }
      for (ValueInfo input : graph.inputs()) {
        settle(input.name(), null, null, false);
      }
      for (Tensor tensor : graph.initializers().values()) {
        values.putConstant(tensor.name(), tensor);
        keep(tensor.name());
      }
      graph.nodes().forEach(this::visit);
      return new Result(known.overriddenBy(new ValueTypes(found)), List.copyOf(unknown));
    }

    private void distrustRepeated(ValueInfo input) {
      if (input.type() == null || input.type().shape() == null) {
        return;
      }
      Set<String> seen = new HashSet<>();
      for (Dimension d : input.type().shape().dimensions()) {
        if (d.symbol() != null && !seen.add(d.symbol())) {
          distrusted.add(d.symbol());
        }
      }
    }

    private void visit(Node node) {
      TypeRule rule = rules.of(node);
      ShapeContext context = new ShapeContext(graph, node, values);
      for (int i = 0; i < node.outputs().size(); i++) {
        if (!node.hasOutput(i)) {
          continue;
        }
        List<Dimension> derived = rule == null ? null : rule.shape(i, context);
        ElementType type = rule == null || !completes ? null : rule.elementType(i, context);
        boolean surely = rule != null && derived != null && rule.overridesInference();
        settle(node.output(i), type, derived, surely);
        if (values.elementType(node.output(i)) == null || values.shape(node.output(i)) == null) {
          unknown.add(node.output(i));
        }
      }
      List<DimExpr> entries = rule == null ? null : rule.shapeData(context);
      if (entries != null) {
        values.putData(node.output(0), entries);
      }
    }

    /**
     * Puts together what inference and what the operator says; what is still open gets a symbol.
     *
     * @param type what the operator says; inference goes before
     * @param derived what the operator says; null where it says nothing
     * @param surely whether inference is not asked for the shape
     */
    private void settle(
        String value,
        @Nullable ElementType type,
        @Nullable List<Dimension> derived,
        boolean surely) {
      TensorType inferredType = known.get(value);
      ElementType elements = inferredType == null ? type : inferredType.elementType();
      if (elements != null) {
        values.putElementType(value, elements);
      }
      List<Dimension> inferred =
          surely || inferredType == null || inferredType.shape() == null
              ? null
              : inferredType.shape().dimensions();
      if (inferred != null || derived != null) {
        values.putShape(value, joined(value, inferred, derived));
      }
      keep(value);
    }

    private void keep(String value) {
      TensorType type = values.type(value);
      if (type != null && (completes || known.get(value) != null)) {
        found.put(value, type);
      }
    }

    private List<Dimension> joined(
        String value, @Nullable List<Dimension> inferred, @Nullable List<Dimension> derived) {
      int rank = Objects.requireNonNull(inferred != null ? inferred : derived).size();
      List<Dimension> agreed = derived != null && derived.size() == rank ? derived : null;
      List<Dimension> dimensions = new ArrayList<>();
      for (int axis = 0; axis < rank; axis++) {
        Dimension a = inferred == null ? null : trusted(inferred.get(axis));
        Dimension b = agreed == null ? null : agreed.get(axis);
        if (a != null && a.isKnown()) {
          dimensions.add(a);
        } else if (b != null && b.isKnown()) {
          dimensions.add(b);
        } else if (a != null) {
          dimensions.add(a);
        } else if (b != null) {
          dimensions.add(b);
        } else {
          dimensions.add(Dimension.named(value + "#" + axis));
        }
      }
      return dimensions;
    }

    private @Nullable Dimension trusted(Dimension d) {
      return d.isKnown() || (d.symbol() != null && !distrusted.contains(d.symbol())) ? d : null;
    }
  }
}
