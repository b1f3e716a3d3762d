package io.github.loragraph.passes;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.ValueTypes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Computes an attention's scores, and their gradients, some heads at a time, where the scores of
 * all heads of all texts are more than a processor's cache holds: each of the half a dozen passes
 * over them then finds them in the cache. Below that size the nodes run as they stand, which is
 * decided while the graph runs, by the lengths of the texts (an {@code If}). What comes out is the
 * same to the last bit, since each head is a matrix of its own.
 *
 * <p>What belongs together is found by its shape: all nodes around a {@code Softmax} that make or
 * read values of (..., queries, keys), or its transpose, and that treat each of the matrices by
 * itself. Forward and backward pass are two such groups, since the one has to be over before the
 * other begins.
 *
 * <p>Long because what finds a group and what puts it down, whole and in blocks, read the same
 * types.
 */
public final class AttentionBlocks {
  /** Bytes of scores that are computed at once: about what a core has as its own cache. */
  private static final long BLOCK_BYTES = 2L << 20;

  /** Up to so many bytes of scores nothing is gained. */
  private static final long WHOLE_BYTES = 4L << 20;

  private static final Shape BLOCK =
      new Shape(List.of(Dimension.unknown(), Dimension.unknown(), Dimension.unknown()));

  private final Graph graph;
  private final Set<String> kept;
  private final ValueTypes types;
  private final Map<List<Dimension>, Choice> choices = new HashMap<>();

  /**
   * How the scores of one shape are computed.
   *
   * @param isLarge names a BOOL scalar, whether in blocks
   * @param leading names the sizes of all axes but the last two
   * @param blocks names two sizes: how many blocks there are, and of how many matrices
   */
  private record Choice(String isLarge, String leading, String blocks) {}

  private AttentionBlocks(Graph graph, ValueTypes types, Collection<String> kept) {
    this.graph = graph;
    this.kept = Set.copyOf(kept);
    this.types = types;
  }

  /**
   * @param graph is changed
   * @param types of its values
   * @param kept values that stay as they are, as the graph's outputs do
   */
  public static void in(Graph graph, ValueTypes types, Collection<String> kept) {
    AttentionBlocks pass = new AttentionBlocks(graph, types, kept);
    Set<Node> seen = new HashSet<>();
    for (Node node : List.copyOf(graph.nodes())) {
      if (node.is("Softmax") && !seen.contains(node)) {
        AttentionScores scores = pass.scores(node);
        if (scores != null) {
          Set<Node> region = pass.region(node, scores);
          seen.addAll(region);
          Node product = pass.product(node, region, scores);
          if (product != null) {
            pass.compute(region, product, scores);
          }
        }
      }
    }
  }

  /** The sizes of the scores around a Softmax over the last axis; null where there are none. */
  private @Nullable AttentionScores scores(Node softmax) {
    Shape shape = shape(softmax.input(0));
    if (shape == null || shape.rank() < BLOCK.rank() || !isSingle(softmax.input(0))) {
      return null;
    }
    AttentionScores scores = new AttentionScores(shape);
    boolean oneRow = shape.dimension(-2).size() == 1 || shape.dimension(-1).size() == 1;
    boolean fixed = shape.isStatic();
    boolean small =
        fixed && Arrays.stream(shape.sizes()).reduce(Float.BYTES, (a, b) -> a * b) <= WHOLE_BYTES;
    return oneRow || small || !moves(softmax, scores) ? null : scores;
  }

  private boolean isSingle(String value) {
    TensorType type = types.get(value);
    return type != null && type.elementType() == ElementType.FLOAT;
  }

  private @Nullable Shape shape(String value) {
    TensorType type = types.get(value);
    return type == null ? null : type.shape();
  }

  /** All nodes that hang together with one by values of the scores' shape. */
  private Set<Node> region(Node softmax, AttentionScores scores) {
    Set<Node> region = new LinkedHashSet<>(List.of(softmax));
    Deque<Node> open = new ArrayDeque<>(region);
    while (!open.isEmpty()) {
      Node node = open.pop();
      for (String value : node.inputs()) {
        Node producer = scores.are(shape(value)) ? graph.producer(value) : null;
        if (producer != null && moves(producer, scores) && region.add(producer)) {
          open.push(producer);
        }
      }
      for (String value : node.outputs()) {
        if (scores.are(shape(value))) {
          for (Node reader : graph.consumers(value)) {
            if (moves(reader, scores) && region.add(reader)) {
              open.push(reader);
            }
          }
        }
      }
    }
    return region;
  }

  /** Whether a node treats each matrix by itself, and the axes of a matrix as the last two. */
  private boolean moves(Node node, AttentionScores scores) {
    if (!node.domain().isEmpty() || node.hasSubgraph() || node.outputs().size() != 1) {
      return false;
    }
    Shape output = shape(node.output(0));
    if (!scores.hasLeading(output)) {
      return false;
    }
    Operator operator = Operators.all().of(node);
    boolean elementwise =
        operator != null && (operator.is(Trait.ELEMENTWISE) || operator.is(Trait.BROADCASTING));
    return switch (node.opType()) {
      case "MatMul" -> node.inputs().stream().allMatch(x -> scores.hasLeading(shape(x)));
      case "Softmax" -> isLast(node.attribute("axis", -1L), scores);
      case "Transpose" -> swapsLast(node.longs("perm"), scores);
      case "ReduceSum", "ReduceMax" -> reducesLast(node, scores);
      default ->
          elementwise
              && scores.are(output)
              && node.inputs().stream()
                  .allMatch(x -> scores.isForAll(shape(x)) || scores.reachesLeading(shape(x)));
    };
  }

  private static boolean isLast(long axis, AttentionScores scores) {
    return axis == -1 || axis == scores.shape().rank() - 1;
  }

  private static boolean swapsLast(long @Nullable [] permutation, AttentionScores scores) {
    int rank = scores.shape().rank();
    if (permutation == null || permutation.length != rank) {
      return false;
    }
    for (int axis = 0; axis < rank - 2; axis++) {
      if (permutation[axis] != axis) {
        return false;
      }
    }
    return permutation[rank - 2] == rank - 1;
  }

  private boolean reducesLast(Node node, AttentionScores scores) {
    Tensor axes = node.hasInput(1) ? graph.constant(node.input(1)) : null;
    return axes != null
        && node.attribute("keepdims", 1L) == 1
        && axes.elementCount() == 1
        && isLast(axes.toLongs()[0], scores)
        && scores.hasLeading(shape(node.input(0)));
  }

  /** Puts down the groups of a region: what only begins when others are over is one of its own. */
  private void compute(Set<Node> region, Node product, AttentionScores scores) {
    Map<Integer, List<Node>> groups = new TreeMap<>();
    Map<String, Integer> turns = new HashMap<>();
    for (Node node : graph.nodes()) {
      boolean inside = region.contains(node);
      int turn = 0;
      for (String value : node.reads()) {
        Node producer = graph.producer(value);
        boolean enters = !inside && producer != null && region.contains(producer);
        turn = Math.max(turn, turns.getOrDefault(value, 0) + (enters ? 1 : 0));
      }
      for (String value : node.outputs()) {
        turns.put(value, turn);
      }
    }
    List<Node> backwards = new ArrayList<>(graph.nodes());
    Collections.reverse(backwards);
    for (Node node : backwards) {
      if (region.contains(node) && !isResult(node.output(0), region)) {
        graph.consumers(node.output(0)).stream()
            .mapToInt(reader -> turns.getOrDefault(reader.output(0), 0))
            .min()
            .ifPresent(turn -> turns.put(node.output(0), turn));
      }
    }
    for (Node node : graph.nodes()) {
      if (region.contains(node)) {
        int turn = turns.getOrDefault(node.output(0), 0);
        groups.computeIfAbsent(turn, t -> new ArrayList<>()).add(node);
      }
    }
    groups.values().removeIf(group -> !makesScores(group, scores));
    Set<Node> moved = new HashSet<>();
    groups.values().forEach(moved::addAll);
    // An If's branches make values of one rank: blocks of scores are told on where they have that.
    Set<String> between = new HashSet<>();
    for (Node node : moved) {
      Shape shape = shape(node.output(0));
      if (shape != null
          && scores.are(shape)
          && shape.rank() == BLOCK.rank() + 1
          && !isResult(node.output(0), moved)) {
        between.add(node.output(0));
      }
    }
    Choice choice = choice(product, scores);
    for (List<Node> group : groups.values()) {
      replace(group, choice, scores, between);
    }
  }

  /** Whether a group makes scores by a product, and something else of them. */
  private boolean makesScores(List<Node> group, AttentionScores scores) {
    List<Node> making = group.stream().filter(node -> scores.are(shape(node.output(0)))).toList();
    return making.size() > 1 && making.stream().anyMatch(node -> node.is("MatMul"));
  }

  /** What makes the scores that a Softmax is of; null where no product does. */
  private @Nullable Node product(Node softmax, Set<Node> region, AttentionScores scores) {
    Node node = softmax;
    while (node != null && !node.is("MatMul")) {
      node =
          node.inputs().stream()
              .filter(value -> scores.are(shape(value)))
              .map(graph::producer)
              .filter(producer -> producer != null && region.contains(producer))
              .findFirst()
              .orElse(null);
    }
    return node;
  }

  /** Whether a value is read by others than these. */
  private boolean isResult(String value, Collection<Node> group) {
    return graph.isOutput(value)
        || kept.contains(value)
        || !group.containsAll(graph.consumers(value));
  }

  /**
   * @param between what only replaced groups read: it stays in blocks
   */
  private void replace(
      List<Node> group, Choice choice, AttentionScores scores, Set<String> between) {
    Set<String> made = new HashSet<>();
    group.forEach(node -> made.addAll(node.outputs()));
    List<String> results = made.stream().filter(value -> isResult(value, group)).sorted().toList();
    String scope = graph.freshName(group.get(0).name() + "/blocks");
    Node node =
        Node.of(graph.freshName(scope + "/If"), "If", List.of(choice.isLarge()), results)
            .with("then_branch", "blocks", inBlocks(group, results, choice, scores, between, scope))
            .with("else_branch", "whole", whole(group, results, scope));
    graph.replaceAll(group, List.of(node));
  }

  /** The sizes that decide, worked out once for all scores of a shape. */
  private Choice choice(Node product, AttentionScores scores) {
    Shape shape = shape(product.output(0));
    List<Dimension> key = (shape == null ? scores.shape() : shape).dimensions();
    Choice known = choices.get(key);
    if (known != null) {
      return known;
    }
    int before = graph.nodes().size();
    GraphBuilder b = new GraphBuilder(graph, "/attention_blocks");
    String a = b.shape(product.input(0));
    String leading = b.op("Slice", a, b.longs(0), b.longs(-2), b.longs(0));
    String matrices = b.reduce("ReduceProd", leading, "", true);
    String rows = b.op("Slice", a, b.longs(-2), b.longs(-1), b.longs(0));
    String columns =
        b.op("Slice", b.shape(product.input(1)), b.longs(-1), b.longs(Long.MAX_VALUE), b.longs(0));
    String all = b.mul(matrices, b.mul(rows, columns));
    String isLarge = b.op("Greater", b.squeeze(all, 0), scalar(b, WHOLE_BYTES / Float.BYTES));
    String numbers =
        b.op("Range", scalar(b, 1), b.add(b.squeeze(matrices, 0), scalar(b, 1)), scalar(b, 1));
    String divides = b.op("Equal", b.op("Mod", matrices, numbers), b.longs(0));
    String fits = b.op("GreaterOrEqual", b.mul(numbers, b.longs(BLOCK_BYTES / Float.BYTES)), all);
    String count =
        b.reduce("ReduceMin", b.where(b.op("And", divides, fits), numbers, matrices), "", true);
    String blocks = b.concat(0, count, b.div(matrices, count));
    graph.moveTail(before, product);
    Choice choice = new Choice(isLarge, leading, blocks);
    if (key.stream().allMatch(size -> size.surelyEquals(size))) {
      choices.put(key, choice);
    }
    return choice;
  }

  private static String scalar(GraphBuilder b, long value) {
    return b.scalar(ElementType.INT64, value);
  }

  /** The nodes as they are. */
  private Graph whole(List<Node> group, List<String> results, String scope) {
    Graph body = new Graph();
    Map<String, String> names = freshNames(group, scope + "/whole");
    for (Node node : group) {
      body.add(named(node, names, scope));
    }
    results.forEach(value -> output(body, names, value));
    return body;
  }

  private Map<String, String> freshNames(List<Node> group, String scope) {
    Map<String, String> names = new HashMap<>();
    for (Node node : group) {
      names.put(node.output(0), graph.freshName(scope + "/" + node.opType() + "_output"));
    }
    return names;
  }

  private Node named(Node node, Map<String, String> names, String scope) {
    return node.withName(graph.freshName(scope + "/" + node.opType()))
        .withValuesNamed(value -> names.getOrDefault(value, value));
  }

  private void output(Graph body, Map<String, String> names, String value) {
    body.addOutput(
        ValueInfo.of(names.getOrDefault(value, value), new TensorType(elementType(value), null)));
  }

  private ElementType elementType(String value) {
    TensorType type = types.get(value);
    return type == null ? ElementType.FLOAT : type.elementType();
  }

  /**
   * The nodes on one block of matrices after the other, each of shape (matrices, rows, columns).
   */
  private Graph inBlocks(
      List<Node> group,
      List<String> results,
      Choice choice,
      AttentionScores scores,
      Set<String> between,
      String scope) {
    Graph branch = new Graph();
    GraphBuilder b = new GraphBuilder(branch, scope + "/branch");
    Graph body = new Graph();
    Map<String, String> names = freshNames(group, scope + "/block");
    List<String> tables = new ArrayList<>();
    for (Node node : group) {
      for (String value : node.inputs()) {
        if (names.containsKey(value)) {
          continue;
        }
        if (node.is("ReduceSum") || node.is("ReduceMax")) {
          if (value.equals(node.input(1)) && !scores.hasLeading(shape(value))) {
            names.put(value, b.longs(-1));
            continue;
          }
        }
        if (scores.isForAll(shape(value)) && !scores.hasLeading(shape(value))) {
          names.put(value, flat(b, value));
          continue;
        }
        String full =
            scores.hasLeading(shape(value))
                ? value
                : b.expand(value, b.concat(0, choice.leading(), b.longs(1, 1)));
        tables.add(
            between.contains(value)
                ? value
                : b.reshape(full, b.concat(0, choice.blocks(), lastTwo(b, value))));
        String part = graph.freshName(scope + "/block/input");
        body.addInput(ValueInfo.of(part, new TensorType(elementType(value), BLOCK)));
        names.put(value, part);
      }
    }
    for (Node node : group) {
      Node inner = named(node, names, scope + "/block");
      body.add(
          node.is("Transpose")
              ? inner.with("perm", new long[] {0, 2, 1})
              : node.is("Softmax") ? inner.with("axis", -1) : inner);
    }
    for (String value : results) {
      body.addOutput(
          ValueInfo.of(
              names.getOrDefault(value, value), new TensorType(elementType(value), BLOCK)));
    }
    List<String> stacked =
        b.ops(
            "Scan",
            results.size(),
            n -> n.with("num_scan_inputs", tables.size()).with("body", "block", body),
            tables.toArray(String[]::new));
    for (int i = 0; i < stacked.size(); i++) {
      String table = stacked.get(i);
      String result = results.get(i);
      String value =
          between.contains(result)
              ? table
              : b.reshape(table, b.concat(0, choice.leading(), lastTwo(b, table)));
      branch.addOutput(ValueInfo.of(value, new TensorType(elementType(result), null)));
    }
    return branch;
  }

  private static String lastTwo(GraphBuilder b, String value) {
    return b.op("Slice", b.shape(value), b.longs(-2), b.longs(Long.MAX_VALUE), b.longs(0));
  }

  /** What is the same for all matrices, without the axes that would give a block one more. */
  private String flat(GraphBuilder b, String value) {
    Shape shape = shape(value);
    if (shape == null || shape.rank() <= 2) {
      return value;
    }
    long[] axes = new long[shape.rank() - 2];
    Arrays.setAll(axes, i -> i);
    return b.squeeze(value, axes);
  }
}
