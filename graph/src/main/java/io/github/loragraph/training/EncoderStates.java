package io.github.loragraph.training;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Tells an encoder's states, pooled or not, from logits, by what makes them and not by their names:
 * logits come out of a projection, states out of a normalization, a residual sum or a pooler.
 */
final class EncoderStates {
  /** What leaves the kind of its first operand as it is. */
  private static final Set<Trait> KEEPING_KIND =
      Set.of(
          Trait.KEEPS_ENTRIES,
          Trait.MOVES_DATA,
          Trait.JOINS_DATA,
          Trait.SELECTS_DATA,
          Trait.REPEATS_DATA,
          Trait.POOLING,
          Trait.KEEPS_MEANING);

  /** No normalization or pooler that was spelled out is longer. */
  private static final int DEEPEST = 12;

  private static final int MOST_VISITED = 200;

  private final Operators operators = Operators.all();
  private final Graph graph;
  private int visited;

  private EncoderStates(Graph graph) {
    this.graph = graph;
  }

  /** Whether a value is an encoder's state. */
  static boolean contain(Graph graph, String value) {
    return new EncoderStates(graph).isState(value);
  }

  private boolean isState(String value) {
    Node node = graph.producer(value);
    if (node == null || ++visited > MOST_VISITED) {
      return false;
    }
    if (operators.has(node, Trait.NORMALIZATION)) {
      return true;
    }
    if (operators.has(node, KEEPING_KIND)) {
      return isState(node.input(0));
    }
    List<String> computed =
        node.inputs().stream()
            .filter(input -> !input.isEmpty() && graph.constant(input) == null)
            .toList();
    if (node.is("Gather")) {
      // Out of a table: embeddings.
      return graph.constant(node.input(0)) != null || isState(node.input(0));
    }
    if (node.is("Tanh")) {
      return isSquareProjection(node.input(0));
    }
    if (operators.has(node, Trait.SUM)) {
      return computed.stream().anyMatch(this::isState);
    }
    if (node.is("Mul") || node.is("Div")) {
      if (computed.size() == 2 && isByItself(computed.get(0), computed.get(1))) {
        return true;
      }
      return node.is("Div")
          ? computed.contains(node.input(0)) && isState(node.input(0))
          : computed.stream().anyMatch(this::isState);
    }
    return false;
  }

  /** BERT's pooler: as wide as what goes in. */
  private boolean isSquareProjection(String value) {
    Node node = graph.producer(value);
    if (node != null && (node.is("Add") || node.is("Identity") || node.is("Cast"))) {
      for (String input : node.inputs()) {
        if (graph.constant(input) == null) {
          return isSquareProjection(input);
        }
      }
    }
    if (node == null || !(node.is("MatMul") || node.is("Gemm"))) {
      return false;
    }
    Node transposed = graph.producer(node.input(1));
    Tensor weight =
        graph.constant(
            transposed != null && transposed.is("Transpose") ? transposed.input(0) : node.input(1));
    return weight != null && weight.rank() == 2 && weight.dim(0) == weight.dim(1);
  }

  /**
   * Whether one factor is computed from the other, as a normalization spelled out has it; a count
   * of tokens that a sum is divided by is not.
   */
  private boolean isByItself(String first, String second) {
    return isMadeOf(second, first) || isMadeOf(first, second);
  }

  private boolean isMadeOf(String value, String part) {
    Set<String> parts = new HashSet<>(Set.of(part));
    Node maker = graph.producer(part);
    if (maker != null && maker.is("Sub")) {
      // Some exporters subtract the mean twice.
      maker.inputs().stream().filter(i -> graph.constant(i) == null).forEach(parts::add);
    }
    Set<String> seen = new HashSet<>();
    Deque<String> open = new ArrayDeque<>(List.of(value));
    for (int depth = 0; depth < DEEPEST && !open.isEmpty(); depth++) {
      Deque<String> next = new ArrayDeque<>();
      for (String v : open) {
        Node node = graph.producer(v);
        if (node == null || node.is("Shape")) {
          continue;
        }
        for (String input : node.inputs()) {
          if (parts.contains(input)) {
            return true;
          }
          if (seen.add(input)) {
            next.add(input);
          }
        }
      }
      open = next;
    }
    return false;
  }
}
