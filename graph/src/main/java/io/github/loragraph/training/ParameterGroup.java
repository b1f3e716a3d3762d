package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Kernels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Parameters that the optimizer sees as one tensor: all alike in their sizes but for the first,
 * along which they lie one behind the other. The nodes that an update takes are few then, however
 * many adapters there are, and each parameter is still one piece of memory.
 *
 * <p>A large parameter is a table of tiles to it, each of which goes through all nodes of the
 * update before the next does: what lies in between stays in the cache, and is no larger than a
 * tile.
 *
 * @param name of the tensor; that of the parameter where it is alone and no table
 * @param parameters at least one
 * @param decays whether weight decay is on them
 * @param tiles of how many the table consists; 0 where it is none
 * @param coded how a tile's moments are kept; null where they are FLOAT
 */
record ParameterGroup(
    String name, List<Tensor> parameters, boolean decays, int tiles, @Nullable CodedMoments coded) {
  /**
   * What is larger is left alone: to be put beside others it is copied, and so is its gradient.
   * Where few nodes count more than few passes, more is.
   */
  private static final int LARGEST_BYTES = 1 << 18;

  private static final int LARGEST_BYTES_FOR_FEW_NODES = 4 << 20;

  /** From here on there are tiles: smaller ones pass through a cache as they are. */
  private static final long LEAST_TILED = 1 << 17;

  /** Six of them and what is written lie in a cache of two megabytes. */
  private static final long TILE = 1 << 16;

  /** How many elements have one scale, where moments are codes. */
  private static final long LARGEST_BLOCK = 2048;

  private static final long LEAST_BLOCK = 256;

  private static final String PACKED = "packed_parameters";
  private static final String FIRST_MOMENT = ".exp_avg";
  private static final String SECOND_MOMENT = ".exp_avg_sq";
  private static final String SCALES = ".scales";
  private static final String TILED = "_tiles";

  private record Key(List<Long> sizes, ElementType type, boolean decays) {}

  /**
   * The groups of parameters, in the order of the first of each.
   *
   * @param graph that their names are new in
   * @param exempt those without weight decay
   * @param kernels on a CPU large ones are tiled
   * @param moments how those of tiled ones are kept
   */
  static List<ParameterGroup> of(
      Iterable<Tensor> parameters,
      Set<String> exempt,
      Kernels kernels,
      Moments moments,
      Graph graph) {
    Map<Object, List<Tensor>> groups = new LinkedHashMap<>();
    int largest = kernels == Kernels.STANDARD ? LARGEST_BYTES_FOR_FEW_NODES : LARGEST_BYTES;
    for (Tensor parameter : parameters) {
      boolean alone = parameter.rank() == 0 || parameter.bytes().remaining() > largest;
      List<Long> sizes = Arrays.stream(parameter.dims()).skip(1).boxed().toList();
      Object key =
          alone
              ? parameter.name()
              : new Key(sizes, parameter.elementType(), !exempt.contains(parameter.name()));
      groups.computeIfAbsent(key, k -> new ArrayList<>()).add(parameter);
    }
    List<ParameterGroup> result = new ArrayList<>();
    for (List<Tensor> members : groups.values()) {
      Tensor first = members.get(0);
      int tiles = members.size() > 1 || kernels == Kernels.STANDARD ? 0 : tiles(first);
      String name =
          members.size() > 1
              ? graph.freshName(PACKED)
              : tiles > 0 ? graph.freshName(first.name() + TILED) : first.name();
      boolean decays = !exempt.contains(first.name());
      @Nullable CodedMoments coded =
          tiles == 0 ? null : coded(first.elementCount() / tiles, moments);
      result.add(new ParameterGroup(name, List.copyOf(members), decays, tiles, coded));
    }
    return result;
  }

  /**
   * The number of tiles, all of the largest size up to the wanted one that divides the whole; 0 for
   * none, where that is less than a quarter of it.
   */
  private static int tiles(Tensor parameter) {
    long count = parameter.elementCount();
    if (count < LEAST_TILED) {
      return 0;
    }
    for (long size = TILE; size >= TILE / 4; size--) {
      if (count % size == 0) {
        return Math.toIntExact(count / size);
      }
    }
    return 0;
  }

  /** Null where they are not codes. */
  private static @Nullable CodedMoments coded(long tile, Moments moments) {
    if (!moments.areCodes()) {
      return null;
    }
    long block = LARGEST_BLOCK;
    while (block >= LEAST_BLOCK && tile % block != 0) {
      block--;
    }
    if (block < LEAST_BLOCK) {
      // A tile whose size has a large prime in it: larger blocks are coarser, and there are some.
      block = LARGEST_BLOCK;
      while (tile % block != 0) {
        block++;
      }
    }
    return new CodedMoments(moments, tile / block, block);
  }

  private boolean isPacked() {
    return parameters.size() > 1;
  }

  boolean isTiled() {
    return tiles > 0;
  }

  /** The type of the whole. */
  TensorType type() {
    return TensorType.of(parameters.get(0).elementType(), dims());
  }

  /** The size of the whole. */
  int bytes() {
    return parameters.stream().mapToInt(p -> p.bytes().remaining()).sum();
  }

  private long[] dims() {
    Tensor first = parameters.get(0);
    if (isTiled()) {
      return new long[] {tiles, first.elementCount() / tiles};
    }
    long[] dims = first.dims();
    if (isPacked()) {
      dims[0] = parameters.stream().mapToLong(p -> p.dim(0)).sum();
    }
    return dims;
  }

  /** The values before the first step, under the name of the whole. */
  Tensor initial() {
    Tensor first = parameters.get(0);
    if (isTiled()) {
      return Tensor.of(name, first.elementType(), first.bytes(), dims());
    }
    if (!isPacked()) {
      return first;
    }
    ByteBuffer all = ByteBuffer.allocate(bytes()).order(ByteOrder.LITTLE_ENDIAN);
    parameters.forEach(p -> all.put(p.bytes()));
    return Tensor.of(name, first.elementType(), all.flip(), dims());
  }

  /** Where each parameter begins in the whole, in bytes. */
  Map<Tensor, Integer> offsets() {
    Map<Tensor, Integer> offsets = new LinkedHashMap<>();
    int offset = 0;
    for (Tensor parameter : parameters) {
      offsets.put(parameter, offset);
      offset += parameter.bytes().remaining();
    }
    return offsets;
  }

  /**
   * Makes the whole an input of the graph, and the parameters parts of it, or the table in another
   * shape.
   *
   * @param graph has an input for each parameter
   */
  void declare(Graph graph) {
    if (!isPacked() && !isTiled()) {
      return;
    }
    graph.addInput(ValueInfo.of(name, type()));
    List<String> names = parameters.stream().map(Tensor::name).toList();
    names.forEach(graph::removeInput);
    int before = graph.nodes().size();
    Node first = graph.nodes().get(0);
    GraphBuilder b = new GraphBuilder(graph, "/optimizer/" + name);
    if (isTiled()) {
      graph.rename(b.reshape(name, parameters.get(0).dims()), names.get(0));
      graph.moveTail(before, first);
      return;
    }
    String sizes = b.longs(parameters.stream().mapToLong(p -> p.dim(0)).toArray());
    List<String> split = b.ops("Split", names.size(), n -> n.with("axis", 0), name, sizes);
    for (int i = 0; i < split.size(); i++) {
      graph.rename(split.get(i), names.get(i));
    }
    graph.moveTail(before, first);
  }

  /**
   * The gradient of the whole.
   *
   * @param gradients of the parameters, by their names
   * @return its name
   */
  String gradient(GraphBuilder b, Map<String, String> gradients) {
    String[] parts =
        parameters.stream()
            .map(p -> Objects.requireNonNull(gradients.get(p.name())))
            .toArray(String[]::new);
    if (isTiled()) {
      return b.reshape(parts[0], dims());
    }
    return isPacked() ? b.concat(0, parts) : parts[0];
  }

  /** The nodes of one tile, as they go into a body. */
  @FunctionalInterface
  interface TileNodes {
    /**
     * @param tiles the names of a tile of each table
     * @return the names of what is made of them
     */
    List<String> of(GraphBuilder b, List<String> tiles);
  }

  /**
   * Puts tables through nodes tile by tile.
   *
   * @param tables names of values whose first axis is that of the tiles
   * @param types of a tile of each
   * @param results the type of what is made of a tile, for each
   * @return the names of what is made of all tiles, along a first axis
   */
  static List<String> scan(
      GraphBuilder b,
      List<String> tables,
      List<TensorType> types,
      List<TensorType> results,
      TileNodes nodes) {
    Graph body = new Graph();
    GraphBuilder inner = new GraphBuilder(body, b.scope() + "/tile");
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < tables.size(); i++) {
      String part = b.scope() + "/tile/input_" + i;
      body.addInput(ValueInfo.of(part, types.get(i)));
      parts.add(part);
    }
    List<String> values = nodes.of(inner, parts);
    for (int i = 0; i < values.size(); i++) {
      body.addOutput(ValueInfo.of(values.get(i), results.get(i)));
    }
    return b.ops(
        "Scan",
        values.size(),
        n -> n.with("num_scan_inputs", tables.size()).with("body", "tile", body),
        tables.toArray(String[]::new));
  }

  /** The type of one tile of a table. */
  static TensorType tile(TensorType table) {
    return new TensorType(
        table.elementType(), new Shape(table.requireShape().dimensions().subList(1, 2)));
  }

  /**
   * What is carried of a group: the types of the whole, of its moments and, where these are codes,
   * of their scales, by the endings of their names.
   */
  Map<String, TensorType> state() {
    Map<String, TensorType> state = new LinkedHashMap<>();
    state.put("", type());
    if (coded == null) {
      state.put(FIRST_MOMENT, type());
      state.put(SECOND_MOMENT, type());
      return state;
    }
    TensorType scales = TensorType.of(ElementType.FLOAT, tiles, coded.blocks());
    state.put(FIRST_MOMENT, TensorType.of(coded.moments().first(), dims()));
    state.put(SECOND_MOMENT, TensorType.of(coded.moments().second(), dims()));
    state.put(FIRST_MOMENT + SCALES, scales);
    state.put(SECOND_MOMENT + SCALES, scales);
    return state;
  }

  /**
   * The sum of the squares of a value of the whole's shape, a scalar. It is added up by rows or
   * tiles first: one sum over millions of numbers would lose digits.
   */
  String sumOfSquares(GraphBuilder b, String value) {
    if (isTiled()) {
      // Over all of a tensor ONNX Runtime adds with vectors, over its rows number by number.
      String sums =
          scan(
                  b,
                  List.of(value),
                  List.of(tile(type())),
                  List.of(TensorType.of(ElementType.FLOAT)),
                  (inner, tiles) ->
                      List.of(inner.reduce("ReduceSumSquare", tiles.get(0), "", false)))
              .get(0);
      return b.reduce("ReduceSum", sums, "", false);
    }
    long count =
        type().requireShape().dimensions().stream()
            .mapToLong(d -> d.size())
            .reduce(1, (x, y) -> x * y);
    long width = (long) Math.sqrt(count);
    while (width > 1 && count % width != 0) {
      width--;
    }
    if (width <= 1) {
      return b.reduce("ReduceSumSquare", value, "", false);
    }
    String rows = b.reduce("ReduceSumSquare", b.reshape(value, -1, width), b.longs(-1), false);
    return b.reduce("ReduceSum", rows, "", false);
  }
}
