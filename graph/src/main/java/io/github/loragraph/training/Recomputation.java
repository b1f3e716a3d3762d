package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.ValueTypes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Gradient checkpointing (Chen et al. 2016, arXiv 1604.06174), planned on the graph. Of a forward
 * pass only the values are kept that everything goes through, as the sum behind each half of a
 * layer; what lies between two of them is computed a second time when the way back comes there, so
 * the memory of one such piece is enough for all.
 *
 * <p>ONNX Runtime takes equal nodes of equal inputs for one, and computes a node as soon as what it
 * needs is there. So a second computation begins at the kept value in a shape that the gradient at
 * the end of the piece has a part in. The shape is all zeros, which stand for the sizes that the
 * value has: it is the same value in the same memory, but nobody can tell before the gradient is
 * there.
 *
 * @param kept the values, in the order in which they are computed: pieces lie between them. What
 *     comes before the first and after the last is not computed again
 */
record Recomputation(List<Kept> kept) {
  /**
   * A value that is kept.
   *
   * @param gradient names its gradient; null where there is none
   */
  record Kept(String value, int rank, @Nullable String gradient) {}

  /**
   * @param values {@link KeptValues} of the graph before its gradients
   * @param gradients of some of them
   */
  static Recomputation of(List<String> values, ValueTypes types, Map<String, String> gradients) {
    return new Recomputation(
        values.stream()
            .map(
                value ->
                    new Kept(
                        value,
                        Objects.requireNonNull(types.get(value)).requireShape().rank(),
                        gradients.get(value)))
            .toList());
  }

  /**
   * Puts the second computations into a graph with gradients, and lets the gradients read them.
   *
   * @param graph is changed
   * @param forward what the forward pass is for: the loss and the logits
   * @param results the gradients that the way back is for
   * @param most how many pieces are computed again: the first ones, whose turn on the way back is
   *     last, so that what is kept of the others is gone by then
   * @return how many there are that could be
   */
  int in(Graph graph, Collection<String> forward, Collection<String> results, int most) {
    List<Kept> ends = usable(graph);
    int pieces = Math.max(0, ends.size() - 1);
    if (pieces > 0 && most > 0) {
      new WayBack(graph, forward, Set.copyOf(results), ends).change(Math.min(pieces, most));
    }
    return pieces;
  }

  /** The pieces' ends: the last value below all gradients, and those that have one. */
  private List<Kept> usable(Graph graph) {
    List<Kept> ends = new ArrayList<>();
    for (Kept one : kept) {
      if (graph.producer(one.value()) == null && !graph.isInput(one.value())) {
        continue;
      }
      if (one.gradient() == null || graph.producer(one.gradient()) == null) {
        ends.clear();
      }
      ends.add(one);
    }
    return ends;
  }

  /** The graph while it is changed, from the last of the kept values to the first. */
  private static final class WayBack {
    private final Graph graph;
    private final Set<String> results;
    private final List<Kept> ends;

    /** What the forward pass makes. */
    private final Set<String> forward = new HashSet<>();

    /** What lies in the pieces, by their number, without the values that are kept. */
    private final List<Set<String>> inner = new ArrayList<>();

    /** What is computed before a gradient is told on, by way of it. */
    private final Set<String> awaited = new HashSet<>();

    WayBack(Graph graph, Collection<String> forward, Set<String> results, List<Kept> ends) {
      this.graph = graph;
      this.results = results;
      this.ends = ends;
      for (String value : forward) {
        this.forward.add(value);
        this.forward.addAll(AnswerSearch.below(graph, value));
      }
      for (int i = 0; i + 1 < ends.size(); i++) {
        String begin = ends.get(i).value();
        Set<String> between = AnswerSearch.above(graph, List.of(begin));
        between.removeAll(AnswerSearch.above(graph, List.of(ends.get(i + 1).value())));
        between.remove(begin);
        between.retainAll(this.forward);
        inner.add(between);
      }
    }

    void change(int again) {
      for (int i = ends.size() - 2; i >= 0; i--) {
        Kept begin = ends.get(i);
        Kept end = ends.get(i + 1);
        GraphBuilder b = new GraphBuilder(graph, "/recompute/" + begin.value());
        String gradient = Objects.requireNonNull(end.gradient());
        Set<String> before = AnswerSearch.below(graph, gradient);
        List<String> done = done(i, gradient, before);
        before.add(gradient);
        boolean isRead = i < again && !readers(i, before).isEmpty();
        if (!isRead && done.isEmpty()) {
          continue;
        }
        List<Node> after = List.copyOf(graph.consumers(gradient));
        String zero = zero(b, gradient, done);
        if (!done.isEmpty()) {
          String gated = gated(b, gradient, end.rank(), zero);
          for (Node node : after) {
            graph.replace(node, renamed(node, Map.of(gradient, gated)));
          }
        }
        if (isRead) {
          // Asked again: some read the gated gradient now, and are other nodes.
          Map<String, String> second = new HashMap<>();
          second.put(begin.value(), gated(b, begin.value(), begin.rank(), zero));
          computeAgain(i, readers(i, before), second);
        }
        graph.sort();
      }
    }

    /** The nodes on the way back that read what lies in a piece, and that its end does not need. */
    private List<Node> readers(int piece, Set<String> before) {
      return graph.nodes().stream()
          .filter(node -> node.outputs().stream().noneMatch(forward::contains))
          .filter(node -> node.outputs().stream().noneMatch(before::contains))
          .filter(node -> node.reads().stream().anyMatch(inner.get(piece)::contains))
          .toList();
    }

    /**
     * What can be computed when the gradient at the end of a piece is there, and is not needed for
     * it: gradients of parameters behind it. ONNX Runtime would go down to the first layer before
     * it computes them, and hold until then all that they are computed from.
     */
    private List<String> done(int piece, String gradient, Set<String> before) {
      Set<String> ready = new HashSet<>(forward);
      inner.subList(0, piece + 1).forEach(ready::removeAll);
      List<Node> nodes = new ArrayList<>();
      for (Node node : graph.nodes()) {
        boolean there = before.containsAll(node.outputs());
        if (there || forward.containsAll(node.outputs())) {
          ready.addAll(there ? node.outputs() : List.of());
        } else if (!node.outputs().contains(gradient)
            && node.reads().stream().allMatch(value -> isGiven(value) || ready.contains(value))) {
          ready.addAll(node.outputs());
          nodes.add(node);
        }
      }
      List<String> done = new ArrayList<>();
      for (Node node : nodes) {
        String value = node.output(0);
        boolean counts = results.contains(value) || Operators.all().has(node, Trait.MATRIX_PRODUCT);
        boolean last = graph.consumers(value).stream().noneMatch(nodes::contains);
        if (counts && last && awaited.add(value)) {
          done.add(value);
        }
      }
      return done;
    }

    private boolean isGiven(String value) {
      return graph.producer(value) == null;
    }

    /** An INT64 0 of shape (1) that nobody knows before some values are there. */
    private static String zero(GraphBuilder b, String value, List<String> others) {
      List<String> ones = new ArrayList<>(List.of(b.cast(first(b, value), ElementType.INT64)));
      others.forEach(other -> ones.add(b.cast(first(b, other), ElementType.INT64)));
      String one = ones.size() == 1 ? ones.get(0) : b.op("Max", ones.toArray(String[]::new));
      return b.mul(one, b.longs(0));
    }

    private static String first(GraphBuilder b, String value) {
      return b.op("Slice", b.reshape(value, -1), b.longs(0), b.longs(1));
    }

    /** The same value in the same memory. */
    private static String gated(GraphBuilder b, String value, int rank, String zero) {
      return b.reshape(value, rank == 1 ? zero : b.expand(zero, b.longs(rank)));
    }

    private void computeAgain(int piece, List<Node> readers, Map<String, String> second) {
      Set<String> wanted = new LinkedHashSet<>();
      readers.forEach(node -> wanted.addAll(node.reads()));
      wanted.retainAll(inner.get(piece));
      Set<Node> needed = new HashSet<>();
      Deque<String> open = new ArrayDeque<>(wanted);
      while (!open.isEmpty()) {
        Node node = graph.requireProducer(open.pop());
        if (needed.add(node)) {
          node.reads().stream().filter(inner.get(piece)::contains).forEach(open::push);
        }
      }
      for (Node node : graph.nodes().stream().filter(needed::contains).toList()) {
        for (String output : node.outputs()) {
          if (!output.isEmpty()) {
            second.put(output, graph.freshName(output + "_again"));
          }
        }
        graph.add(renamed(node, second).withName(graph.freshName(node.name() + "/again")));
      }
      second.remove(ends.get(piece).value());
      for (Node reader : readers) {
        graph.replace(reader, renamed(reader, second));
      }
    }

    private static Node renamed(Node node, Map<String, String> names) {
      return node.withValuesNamed(value -> names.getOrDefault(value, value));
    }
  }
}
