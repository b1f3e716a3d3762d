package io.github.loragraph.rewrite;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A piece of a graph, written as the expression that it computes. A pattern that stands at two
 * places matches the same value at both; operands of {@code Add} and {@code Mul} may come in either
 * order.
 */
final class Pattern {
  private static final double RELATIVE_TOLERANCE = 1e-4;
  private static final Set<String> COMMUTATIVE = Set.of("Add", "Mul");

  private enum Kind {
    ANY,
    NUMBER,
    OPERATOR
  }

  private final Kind kind;
  private final Double number;
  private final String opType;
  private final List<Pattern> inputs;

  private Pattern(Kind kind, Double number, String opType, List<Pattern> inputs) {
    this.kind = kind;
    this.number = number;
    this.opType = opType;
    this.inputs = inputs;
  }

  /** Any value. */
  static Pattern any() {
    return new Pattern(Kind.ANY, null, null, List.of());
  }

  /** A constant with one element, of any value. */
  static Pattern number() {
    return new Pattern(Kind.NUMBER, null, null, List.of());
  }

  /**
   * A constant with one element of this value, as far as single precision and exporters keep it.
   */
  static Pattern number(double value) {
    return new Pattern(Kind.NUMBER, value, null, List.of());
  }

  /** The output of a standard operator; inputs after the given ones may be anything. */
  static Pattern op(String opType, Pattern... inputs) {
    return new Pattern(Kind.OPERATOR, null, opType, List.of(inputs));
  }

  /** The values that the parts of a pattern have matched. */
  record Match(Graph graph, Map<Pattern, String> values) {
    String value(Pattern part) {
      return values.get(part);
    }

    Node node(Pattern part) {
      return graph.producer(values.get(part));
    }

    /** The number that a constant part has. */
    double number(Pattern part) {
      return graph.constant(values.get(part)).toDoubles()[0];
    }
  }

  /** Matches a value; null where it is something else. */
  Match match(Graph graph, String value) {
    Map<Pattern, String> bound = match(graph, value, Map.of());
    return bound == null ? null : new Match(graph, bound);
  }

  private Map<Pattern, String> match(Graph graph, String value, Map<Pattern, String> bound) {
    String before = bound.get(this);
    if (before != null) {
      return before.equals(value) ? bound : null;
    }
    Map<Pattern, String> result =
        switch (kind) {
          case ANY -> bound;
          case NUMBER -> isNumber(graph.constant(value)) ? bound : null;
          case OPERATOR -> matchNode(graph, graph.producer(value), bound);
        };
    if (result == null) {
      return null;
    }
    Map<Pattern, String> extended = new HashMap<>(result);
    extended.put(this, value);
    return extended;
  }

  private boolean isNumber(Tensor tensor) {
    if (tensor == null || !tensor.elementType().isFloatingPoint() || tensor.elementCount() != 1) {
      return false;
    }
    return number == null
        || Math.abs(tensor.toDoubles()[0] - number) <= RELATIVE_TOLERANCE * Math.abs(number);
  }

  private Map<Pattern, String> matchNode(Graph graph, Node node, Map<Pattern, String> bound) {
    if (node == null || !node.is(opType) || node.inputs().size() < inputs.size()) {
      return null;
    }
    Map<Pattern, String> result = matchInputs(graph, node.inputs(), bound);
    if (result == null && COMMUTATIVE.contains(opType)) {
      List<String> swapped = new ArrayList<>(List.of(node.input(1), node.input(0)));
      result = matchInputs(graph, swapped, bound);
    }
    return result;
  }

  private Map<Pattern, String> matchInputs(
      Graph graph, List<String> values, Map<Pattern, String> bound) {
    Map<Pattern, String> result = bound;
    for (int i = 0; i < inputs.size() && result != null; i++) {
      result = inputs.get(i).match(graph, values.get(i), result);
    }
    return result;
  }
}
