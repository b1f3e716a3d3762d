package io.github.loragraph.training;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.ValueTypes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Finds the values of a forward pass that everything goes through. */
final class KeptValues {
  /** The end of the names of inputs that hold tokens. */
  private static final String TOKENS = "input_ids";

  private KeptValues() {}

  /**
   * The values, those of each encoder by themselves: all that is computed from one input, and that
   * a weight has a part in, goes through each of them. What is computed from shapes or from other
   * inputs alone, as a mask or the angles of positions, goes around them. Of several with no matrix
   * product between them it is the first, since what follows costs little. All are of the size that
   * most have, or the larger of two sizes: an embedding may be narrower than the layers, and so is
   * what follows the choice of a token.
   *
   * @param graph ends in the loss
   * @param inputs of the model: what is told of its examples by numbers goes before tokens
   */
  static List<List<String>> of(Graph graph, List<ValueInfo> inputs, ValueTypes types, String loss) {
    return sources(inputs).stream()
        .map(source -> ofOneSize(through(graph, source, types, loss), types))
        .toList();
  }

  /** The values of whatever size, the source among them where it is no number of a token. */
  private static List<String> through(
      Graph graph, ValueInfo source, ValueTypes types, String loss) {
    List<Node> main = main(graph, source.name(), loss);
    Map<String, Integer> lastRead = new HashMap<>();
    Map<String, String> origins = new HashMap<>();
    for (int i = 0; i < main.size(); i++) {
      Node node = main.get(i);
      for (String value : node.reads()) {
        lastRead.put(origins.getOrDefault(value, value), i);
      }
      // A value in another shape is the same memory.
      boolean same = Operators.all().has(node, Trait.KEEPS_ENTRIES);
      for (String output : node.outputs()) {
        String origin = same ? origins.getOrDefault(node.input(0), node.input(0)) : output;
        origins.put(output, origin);
      }
    }
    boolean multiplied = true;
    List<String> found = new ArrayList<>();
    if (source.requireType().isFloatingPoint()) {
      found.add(source.name());
      multiplied = false;
    }
    Set<String> live = new HashSet<>();
    for (int i = 0; i < main.size(); i++) {
      int now = i;
      Node node = main.get(i);
      multiplied |= Operators.all().has(node, Trait.MATRIX_PRODUCT);
      node.outputs().forEach(output -> live.add(Objects.requireNonNull(origins.get(output))));
      live.removeIf(value -> lastRead.getOrDefault(value, -1) <= now);
      String value = node.output(0);
      TensorType type = types.get(value);
      if (multiplied
          && live.equals(Set.of(value))
          && type != null
          && type.isFloatingPoint()
          && type.shape() != null
          && type.shape().rank() > 0) {
        found.add(value);
        multiplied = false;
      }
    }
    return found;
  }

  private static List<String> ofOneSize(List<String> values, ValueTypes types) {
    Map<Size, List<String>> bySize = new LinkedHashMap<>();
    for (String value : values) {
      Size size = Size.of(Objects.requireNonNull(types.get(value)).requireShape());
      bySize.computeIfAbsent(size, s -> new ArrayList<>()).add(value);
    }
    return bySize.entrySet().stream()
        .max(
            Comparator.<Map.Entry<Size, List<String>>>comparingInt(e -> e.getValue().size())
                .thenComparingLong(e -> e.getKey().known()))
        .map(Map.Entry::getValue)
        .orElse(List.of());
  }

  /** States or pixels; else the tokens of each text; else the first. */
  private static List<ValueInfo> sources(List<ValueInfo> inputs) {
    List<ValueInfo> numbers =
        inputs.stream()
            .filter(input -> input.requireType().isFloatingPoint())
            .filter(input -> input.requireType().requireShape().rank() > 2)
            .filter(input -> !input.name().equals(Towers.VECTORS) && !input.name().contains("mask"))
            .toList();
    if (!numbers.isEmpty()) {
      return numbers.subList(0, 1);
    }
    List<ValueInfo> tokens =
        inputs.stream().filter(input -> input.name().endsWith(TOKENS)).toList();
    return tokens.isEmpty() ? inputs.subList(0, 1) : tokens;
  }

  /**
   * How many entries a shape has: the same for rows of all examples and for those of each.
   *
   * @param known the product of the sizes that are
   * @param open the others' symbols
   */
  private record Size(long known, List<String> open) {
    static Size of(Shape shape) {
      long known = 1;
      List<String> open = new ArrayList<>();
      for (Shape.Dimension one : shape.dimensions()) {
        known *= one.isKnown() ? one.size() : 1;
        if (!one.isKnown()) {
          open.add(String.valueOf(one.symbol()));
        }
      }
      return new Size(known, open);
    }
  }

  /** The nodes that make what the class speaks of, up to the loss. */
  private static List<Node> main(Graph graph, String source, String loss) {
    Set<String> needed = AnswerSearch.below(graph, loss);
    Set<String> moving = new HashSet<>(Set.of(source));
    Set<String> weighted = AnswerSearch.aboveWeights(graph);
    graph.inputs().stream()
        .filter(input -> input.type() != null && input.type().isFloatingPoint())
        .forEach(input -> weighted.add(input.name()));
    List<Node> main = new ArrayList<>();
    for (Node node : graph.nodes()) {
      boolean moves =
          node.reads().stream().anyMatch(moving::contains)
              && !Operators.all().has(node, Trait.READS_SHAPE);
      boolean leads =
          node.outputs().contains(loss) || node.outputs().stream().anyMatch(needed::contains);
      if (!moves || !leads) {
        continue;
      }
      moving.addAll(node.outputs());
      if (node.reads().stream().anyMatch(weighted::contains)) {
        weighted.addAll(node.outputs());
        main.add(node);
      }
    }
    return main;
  }
}
