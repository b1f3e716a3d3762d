package io.github.loragraph.lora;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds the Linears of a graph: {@code MatMul} and {@code Gemm} (transA = 0) whose second input is
 * a constant matrix of floating-point numbers, an initializer or a {@code Constant} node, straight
 * or behind {@code Identity} nodes, one {@code Transpose}, one {@code Cast}, and one {@code Slice}
 * or {@code Split} that takes some of its rows or columns. Further axes of size 1 before the
 * matrix's do not matter. The {@code Add} of a 1-D constant is the bias where nothing else reads
 * the product. The multiplications of adapters are none.
 *
 * <p>Calls in the same module with the same weight and bias are one Linear with several sites, also
 * where PyTorch's exporter numbers the calls after the first ({@code query}, {@code query_1}:
 * ALBERT goes through one layer many times). Modules that share a weight are Linears of their own.
 * Where one module multiplies with different weights, the first keeps the module's path; each other
 * takes its weight's or bias's own name if that is free, else the path with {@code _2}, {@code _3},
 * and so on, in topological order.
 */
public final class LinearFinder {
  /** The path of a module with the number of a call behind it. */
  private static final Pattern FURTHER_CALL = Pattern.compile("(.*[^.])_\\d+");

  /** What may read the weight of one Linear, and of no other. */
  private static final Set<String> WEIGHT_READERS =
      Set.of("MatMul", "Gemm", "Transpose", "Identity", "Cast");

  private final Graph graph;
  private final Map<String, Set<String>> biasesOfWeight = new HashMap<>();
  private final Map<String, Set<String>> weightsOfBias = new HashMap<>();
  private final Set<Node> biasReaders = new HashSet<>();

  private LinearFinder(Graph graph) {
    this.graph = graph;
  }

  /** The Linears in topological order of their first sites. */
  public static List<Linear> find(Graph graph) {
    return new LinearFinder(graph).find();
  }

  /** A multiplication with a constant weight, before it has a path. */
  private record Call(
      Linear.Site site, Weight weight, @Nullable String bias, float gemmAlpha, long in, long out) {

    Layer layer() {
      return new Layer(weight.initializer, weight.layout, weight.part, bias, gemmAlpha);
    }
  }

  /** What two calls of one module have in common. */
  private record Layer(
      String weight,
      WeightLayout layout,
      Linear.@Nullable Part part,
      @Nullable String bias,
      float gemmAlpha) {}

  private record PathAndLayer(String path, Layer layer) {}

  /**
   * Where a multiplication has its weight from.
   *
   * @param value what {@code reader} reads, or else the multiplication
   * @param transpose null where there is none
   * @param reader the first node that reads the weight on its way; null where the multiplication
   *     does
   */
  private record Weight(
      String initializer,
      String value,
      @Nullable Node transpose,
      @Nullable Node reader,
      WeightLayout layout,
      Linear.@Nullable Part part,
      ElementType type,
      Tensor tensor) {
    long in() {
      return size(layout == WeightLayout.OUT_IN ? 1 : 0);
    }

    long out() {
      return size(layout == WeightLayout.OUT_IN ? 0 : 1);
    }

    private long size(int axis) {
      return part != null && part.axis() == axis ? part.size() : tensor.dim(axis - 2);
    }
  }

  private List<Linear> find() {
    List<Call> calls = new ArrayList<>();
    for (Node node : graph.nodes()) {
      Call call = call(node);
      if (call != null) {
        calls.add(call);
        String bias = Objects.requireNonNullElse(call.bias, "");
        biasesOfWeight.computeIfAbsent(call.weight.value, k -> new HashSet<>()).add(bias);
        weightsOfBias.computeIfAbsent(bias, k -> new HashSet<>()).add(call.weight.initializer);
        biasReaders.add(call.site.last());
      }
    }
    Map<PathAndLayer, List<Call>> groups = new LinkedHashMap<>();
    for (Call call : calls) {
      PathAndLayer key = new PathAndLayer(path(call), call.layer());
      Matcher further = FURTHER_CALL.matcher(key.path);
      if (further.matches()) {
        PathAndLayer first = new PathAndLayer(further.group(1), key.layer);
        key = groups.containsKey(first) ? first : key;
      }
      groups.computeIfAbsent(key, k -> new ArrayList<>()).add(call);
    }
    return linears(groups);
  }

  private static List<Linear> linears(Map<PathAndLayer, List<Call>> groups) {
    Set<String> taken = new HashSet<>();
    groups.keySet().forEach(key -> taken.add(key.path));
    Set<String> given = new HashSet<>();
    List<Linear> linears = new ArrayList<>();
    groups.forEach(
        (key, calls) -> {
          Call first = calls.get(0);
          String path = given.add(key.path) ? key.path : another(key.path, first, taken);
          taken.add(path);
          linears.add(
              new Linear(
                  path,
                  first.in,
                  first.out,
                  first.site.node().opType(),
                  first.weight.type,
                  first.weight.layout,
                  first.weight.part,
                  first.weight.initializer,
                  first.weight.value,
                  InProjection.parameter(first.weight.value, first.bias, path, "weight"),
                  first.bias,
                  InProjection.parameter(first.weight.value, first.bias, path, "bias"),
                  calls.stream().map(Call::site).toList()));
        });
    return linears;
  }

  private static String another(String path, Call call, Set<String> taken) {
    for (String own :
        Arrays.asList(
            ModulePath.ofParameter(call.weight.value, "weight"),
            ModulePath.ofParameter(call.bias, "bias"))) {
      if (own != null && !taken.contains(own)) {
        return own;
      }
    }
    int number = 2;
    while (taken.contains(path + "_" + number)) {
      number++;
    }
    return path + "_" + number;
  }

  private @Nullable Call call(Node node) {
    boolean gemm = node.is("Gemm");
    if (!gemm && !node.is("MatMul")) {
      return null;
    }
    if (gemm && node.attribute("transA", 0L) != 0) {
      return null;
    }
    Weight weight = weight(node.input(1), gemm && node.attribute("transB", 0L) != 0);
    if (weight == null || graph.constant(node.input(0)) != null) {
      return null;
    }
    long out = weight.out();
    String bias = null;
    Node add = null;
    if (node.hasInput(2)) {
      bias = isBias(node.input(2), out) ? node.input(2) : null;
    } else {
      add = biasAdd(node, out);
      if (add != null) {
        bias = add.input(add.input(0).equals(node.output(0)) ? 1 : 0);
      }
    }
    String output = add == null ? node.output(0) : add.output(0);
    Node reader = weight.reader == null ? node : weight.reader;
    Linear.Site site = new Linear.Site(node, weight.transpose, reader, add, node.input(0), output);
    return new Call(site, weight, bias, gemm ? node.attribute("alpha", 1f) : 1f, weight.in(), out);
  }

  /** The weight behind a value; null where that is no constant matrix, or part of an adapter. */
  private @Nullable Weight weight(String value, boolean transposed) {
    Node transpose = null;
    Node cast = null;
    Linear.Part part = null;
    Node reader = null;
    String name = value;
    while (graph.initializer(name) == null) {
      Node producer = graph.producer(name);
      if (producer == null) {
        return null;
      }
      if (producer.is("Constant")) {
        break;
      }
      if (producer.is("Transpose") && transpose == null && part == null) {
        transpose = producer;
      } else if (producer.is("Cast") && cast == null) {
        cast = producer;
      } else if ((producer.is("Slice") || producer.is("Split")) && part == null) {
        part = MatrixPart.of(graph, producer, name);
        if (part == null) {
          return null;
        }
      } else if (!producer.is("Identity")) {
        return null;
      }
      reader = producer.is("Identity") ? reader : producer;
      name = producer.input(0);
    }
    Tensor tensor = graph.constant(name);
    if (tensor == null
        || !isMatrix(tensor, part)
        || !tensor.elementType().isFloatingPoint()
        || (transpose != null && !swapsLastTwoAxes(transpose, tensor.rank()))
        || Adapter.isPartOfAdapter(name)) {
      return null;
    }
    ElementType type = tensor.elementType();
    if (cast != null) {
      type = ElementType.of((int) cast.attribute("to", 0L));
    }
    boolean outIn = transposed != (transpose != null);
    WeightLayout layout = outIn ? WeightLayout.OUT_IN : WeightLayout.IN_OUT;
    String read = reader == null ? value : reader.input(0);
    return new Weight(name, read, transpose, reader, layout, part, type, tensor);
  }

  private static boolean isMatrix(Tensor tensor, Linear.@Nullable Part part) {
    long[] dims = tensor.dims();
    return dims.length >= 2
        && Arrays.stream(dims).limit(dims.length - 2).allMatch(d -> d == 1)
        && (part == null || dims.length == 2);
  }

  private static boolean swapsLastTwoAxes(Node transpose, int rank) {
    long[] permutation = transpose.longs("perm");
    if (permutation == null) {
      return rank == 2;
    }
    if (permutation.length != rank) {
      return false;
    }
    for (int i = 0; i < rank; i++) {
      int from = i == rank - 1 ? rank - 2 : i == rank - 2 ? rank - 1 : i;
      if (permutation[i] != from) {
        return false;
      }
    }
    return true;
  }

  /** The {@code Add} of the bias to a product that nothing else reads, or null. */
  private @Nullable Node biasAdd(Node node, long out) {
    String product = node.output(0);
    List<Node> readers = graph.consumers(product);
    if (readers.size() != 1 || graph.isOutput(product) || !readers.get(0).is("Add")) {
      return null;
    }
    Node add = readers.get(0);
    String other = add.input(add.input(0).equals(product) ? 1 : 0);
    return isBias(other, out) ? add : null;
  }

  private boolean isBias(String value, long out) {
    Tensor bias = graph.constant(value);
    return bias != null
        && bias.rank() == 1
        && bias.dim(0) == out
        && bias.elementType().isFloatingPoint();
  }

  private String path(Call call) {
    Node node = call.site.node();
    String output = node.output(0);
    int base = output.lastIndexOf(Adapter.BASE);
    String projection =
        InProjection.path(
            call.weight.value,
            isOwnBias(call) ? call.bias : null,
            call.weight.part,
            call.weight.tensor);
    if (projection != null) {
      return projection;
    }
    return ModulePath.recover(
        node.name(),
        isOwnWeight(call) ? call.weight.value : null,
        isOwnBias(call) ? call.bias : null,
        base < 0 ? output : output.substring(0, base));
  }

  /** Whether no other layer reads the weight by the name that this one does. */
  private boolean isOwnWeight(Call call) {
    return isOne(biasesOfWeight, call.weight.value)
        && graph.consumers(call.weight.value).stream()
            .allMatch(
                n ->
                    (n.domain().isEmpty() && WEIGHT_READERS.contains(n.opType())) || Dora.isOwn(n));
  }

  private static boolean isOne(Map<String, Set<String>> others, String value) {
    return others.getOrDefault(value, Set.of()).size() == 1;
  }

  /** Whether no other layer reads the bias by the name that this one does. */
  private boolean isOwnBias(Call call) {
    return call.bias != null
        && isOne(weightsOfBias, call.bias)
        && graph.consumers(call.bias).stream()
            .allMatch(n -> n.is("Identity") || biasReaders.contains(n) || Dora.isOwn(n));
  }
}
