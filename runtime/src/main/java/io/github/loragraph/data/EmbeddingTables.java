package io.github.loragraph.data;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How much there is in the tables in which a model looks up tokens and positions, as far as its
 * graph tells.
 *
 * @param rows for inputs with integers that are looked up, the number of rows: all integers are
 *     below it
 * @param positions how many tokens there are positions for; empty where the graph does not tell
 */
public record EmbeddingTables(Map<String, Integer> rows, OptionalInt positions) {
  /** Nothing is known. */
  public static final EmbeddingTables UNKNOWN = new EmbeddingTables(Map.of(), OptionalInt.empty());

  /** What indices may go through and stay what they are. */
  private static final Set<Trait> UNCHANGED =
      Set.of(Trait.KEEPS_ENTRIES, Trait.MOVES_DATA, Trait.REPEATS_DATA);

  private static final int FARTHEST = 64;

  public EmbeddingTables {
    rows = Map.copyOf(rows);
  }

  /** The tables of a model. */
  public static EmbeddingTables of(Graph graph) {
    Map<String, Integer> rows = new LinkedHashMap<>();
    Set<Node> lookups = new HashSet<>();
    int width = -1;
    OptionalInt positions = OptionalInt.empty();
    for (ValueInfo input : graph.requiredInputs()) {
      for (Node lookup : lookups(graph, input.name())) {
        lookups.add(lookup);
        Tensor table = requireTable(graph, lookup);
        rows.merge(input.name(), size(table), Math::min);
        width = table.rank() == 2 && input.name().equals("input_ids") ? size(table, 1) : width;
      }
    }
    for (Node node : graph.nodes()) {
      if (node.opType().equals("EmbedLayerNormalization")) {
        fused(graph, node, 0, 2, rows);
        fused(graph, node, 1, 4, rows);
        Tensor table = node.hasInput(3) ? table(graph, node.input(3)) : null;
        positions = table == null ? positions : least(positions, size(table));
      } else if (isLookup(graph, node) && !lookups.contains(node)) {
        Tensor table = requireTable(graph, node);
        if (table.rank() == 2 && size(table, 1) == width) {
          OptionalInt length = longest(graph, node.input(1), size(table));
          positions = length.isPresent() ? least(positions, length.getAsInt()) : positions;
        }
      }
    }
    return new EmbeddingTables(rows, positions);
  }

  private static void fused(
      Graph graph, Node node, int indices, int data, Map<String, Integer> rows) {
    Tensor table = node.hasInput(data) ? table(graph, node.input(data)) : null;
    if (table != null && node.hasInput(indices) && graph.isInput(node.input(indices))) {
      rows.merge(node.input(indices), size(table), Math::min);
    }
  }

  private static OptionalInt least(OptionalInt known, int other) {
    return OptionalInt.of(Math.min(known.orElse(Integer.MAX_VALUE), other));
  }

  private static int size(Tensor table) {
    return size(table, 0);
  }

  private static int size(Tensor table, int axis) {
    return (int) Math.min(Integer.MAX_VALUE, table.dim(axis));
  }

  private static boolean isLookup(Graph graph, Node node) {
    if (!node.is("Gather") || node.attribute("axis", 0) != 0) {
      return false;
    }
    Tensor table = table(graph, node.input(0));
    return table != null && table.rank() > 0 && table.dim(0) > 0;
  }

  private static Tensor requireTable(Graph graph, Node lookup) {
    return Objects.requireNonNull(table(graph, lookup.input(0)));
  }

  /** The weight that a value is, quantized or cast as it may be; null where it is none. */
  private static @Nullable Tensor table(Graph graph, String value) {
    String at = value;
    for (int i = 0; i < FARTHEST; i++) {
      Tensor constant = graph.constant(at);
      Node producer = constant == null ? graph.producer(at) : null;
      if (producer == null
          || !(producer.is("DequantizeLinear") || producer.is("Cast") || producer.is("Identity"))) {
        return constant;
      }
      at = producer.input(0);
    }
    return null;
  }

  /** The lookups whose indices an input is. */
  private static List<Node> lookups(Graph graph, String input) {
    Deque<String> waiting = new ArrayDeque<>(List.of(input));
    Set<String> seen = new HashSet<>();
    Set<Node> found = new HashSet<>();
    while (!waiting.isEmpty()) {
      String value = waiting.remove();
      if (!seen.add(value)) {
        continue;
      }
      for (Node node : graph.consumers(value)) {
        if (isLookup(graph, node) && node.input(1).equals(value)) {
          found.add(node);
        } else if (Operators.all().has(node, UNCHANGED) && node.input(0).equals(value)) {
          node.outputs().stream().filter(o -> !o.isEmpty()).forEach(waiting::add);
        }
      }
    }
    return List.copyOf(found);
  }

  /**
   * The longest row whose positions a table has. Positions are a range, a count of the tokens so
   * far, or a stored list of rising numbers, with constants added.
   */
  private static OptionalInt longest(Graph graph, String indices, int rows) {
    long first = 0;
    String at = indices;
    Map<String, Boolean> counts = new HashMap<>();
    for (int i = 0; i < FARTHEST; i++) {
      Tensor constant = graph.constant(at);
      if (constant != null) {
        return stored(constant, first, rows);
      }
      Node node = graph.producer(at);
      if (node == null) {
        return OptionalInt.empty();
      }
      if (Operators.all().has(node, UNCHANGED)) {
        at = node.input(0);
      } else if (node.is("Add")) {
        Tensor added = graph.constant(node.input(1));
        int other = added == null ? 1 : 0;
        added = added == null ? graph.constant(node.input(0)) : added;
        if (added == null || added.elementCount() != 1) {
          return OptionalInt.empty();
        }
        first += (long) added.toDoubles()[0];
        at = node.input(other);
      } else if (node.is("Mul")) {
        // Times the mask: what is left out has the position of the padding.
        int side = count(graph, node.input(0), counts) ? 0 : 1;
        if (!count(graph, node.input(side), counts)) {
          return OptionalInt.empty();
        }
        at = node.input(side);
      } else if (node.is("CumSum")) {
        return fitting(rows - 1 - first);
      } else if (node.is("Range")) {
        Tensor start = graph.constant(node.input(0));
        return start == null
            ? OptionalInt.empty()
            : fitting(rows - first - (long) start.toDoubles()[0]);
      } else {
        return OptionalInt.empty();
      }
    }
    return OptionalInt.empty();
  }

  private static OptionalInt fitting(long length) {
    return length < 1 ? OptionalInt.empty() : OptionalInt.of((int) length);
  }

  /** Whether a count of tokens goes into a value through additions and casts. */
  private static boolean count(Graph graph, String value, Map<String, Boolean> known) {
    Boolean before = known.putIfAbsent(value, false);
    if (before != null) {
      return before;
    }
    Node node = graph.producer(value);
    boolean counts =
        node != null
            && (node.is("CumSum")
                || Operators.all().has(node, UNCHANGED) && count(graph, node.input(0), known)
                || node.is("Add")
                    && (count(graph, node.input(0), known) || count(graph, node.input(1), known)));
    known.put(value, counts);
    return counts;
  }

  private static OptionalInt stored(Tensor positions, long first, int rows) {
    if (positions.elementCount() < 2 || positions.type().isFloatingPoint()) {
      return OptionalInt.empty();
    }
    long[] numbers = positions.toLongs();
    for (int i = 1; i < numbers.length; i++) {
      if (numbers[i] != numbers[i - 1] + 1) {
        return OptionalInt.empty();
      }
    }
    return fitting(Math.min(numbers.length, rows - first - numbers[0]));
  }
}
