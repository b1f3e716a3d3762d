package io.github.loragraph.onnx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Writes nodes of the standard operator set at the end of a graph, one method for each operator,
 * each of which returns the name of the value it makes. The operators are those of {@link #OPSET},
 * in which every graph that is built here is read. Equal constants and equal {@code Shape} nodes
 * are made once; a transpose of a transpose becomes one, or none.
 */
public class GraphBuilder {
  /**
   * The version of the standard operator set that is written: the first with {@code Gelu}, and with
   * the axes of all reductions as inputs.
   */
  public static final int OPSET = 20;

  private final Graph graph;
  private final Map<List<Object>, String> made;
  private String scope;

  /**
   * @param scope the beginning of the names of all nodes and values that are made
   */
  public GraphBuilder(Graph graph, String scope) {
    this.graph = graph;
    this.scope = scope;
    this.made = new HashMap<>();
  }

  /**
   * Another view of the same graph: what one of both makes once, the other does not make again.
   *
   * @param scope the beginning of the names of what this one makes
   */
  protected GraphBuilder(GraphBuilder shared, String scope) {
    this.graph = shared.graph;
    this.scope = scope;
    this.made = shared.made;
  }

  public final Graph graph() {
    return graph;
  }

  /** The beginning of the names of what is made. */
  public final String scope() {
    return scope;
  }

  /** Changes the beginning of the names of what is made from here on. */
  public final void setScope(String scope) {
    this.scope = scope;
  }

  /** Adds a node with one output. */
  public final String op(String opType, String... inputs) {
    return op(opType, UnaryOperator.identity(), inputs);
  }

  /**
   * Adds a node with one output.
   *
   * @param attributes puts the attributes on the node
   */
  public final String op(String opType, UnaryOperator<Node> attributes, String... inputs) {
    return ops(opType, 1, attributes, inputs).get(0);
  }

  /** Adds a node with several outputs. */
  public final List<String> ops(
      String opType, int outputs, UnaryOperator<Node> attributes, String... inputs) {
    String name = graph.freshName(scope + "/" + opType);
    List<String> outputNames = new ArrayList<>();
    for (int i = 0; i < outputs; i++) {
      outputNames.add(graph.freshName(name + "_output_" + i));
    }
    graph.add(attributes.apply(Node.of(name, opType, trimmed(Arrays.asList(inputs)), outputNames)));
    return outputNames;
  }

  /**
   * Adds an {@code If}: only the nodes of one of its branches run. Both may read values of this
   * graph.
   *
   * @param condition names a BOOL scalar
   * @param types of what the branches make, in their order
   * @return the names of what the branch that runs makes
   */
  public final List<String> choose(
      String condition,
      List<TensorType> types,
      Function<GraphBuilder, List<String>> then,
      Function<GraphBuilder, List<String>> otherwise) {
    Graph first = branch(scope + "/then", types, then);
    Graph second = branch(scope + "/else", types, otherwise);
    return ops(
        "If",
        types.size(),
        n -> n.with("then_branch", "then", first).with("else_branch", "else", second),
        condition);
  }

  private static Graph branch(
      String scope, List<TensorType> types, Function<GraphBuilder, List<String>> nodes) {
    Graph body = new Graph();
    List<String> values = nodes.apply(new GraphBuilder(body, scope));
    for (int i = 0; i < values.size(); i++) {
      body.addOutput(ValueInfo.of(values.get(i), types.get(i)));
    }
    return body;
  }

  /** Optional inputs left out at the end are not written. */
  private static List<String> trimmed(List<String> inputs) {
    int end = inputs.size();
    while (end > 0 && inputs.get(end - 1).isEmpty()) {
      end--;
    }
    return inputs.subList(0, end);
  }

  /** A scalar. */
  public final String scalar(ElementType type, double value) {
    return once(
        List.of("scalar", type, value),
        () -> initializer(Tensor.scalar(graph.freshName(scope + "/constant"), type, value)));
  }

  /** A one-dimensional INT64 tensor. */
  public final String longs(long... values) {
    return once(
        List.of("longs", Arrays.stream(values).boxed().toList()),
        () ->
            initializer(
                Tensor.ofLongs(graph.freshName(scope + "/constant"), values, values.length)));
  }

  /** An initializer. */
  public final String initializer(Tensor tensor) {
    graph.putInitializer(tensor);
    return tensor.name();
  }

  /** Makes a value once for each key and returns it again afterwards. */
  protected final String once(List<Object> key, java.util.function.Supplier<String> maker) {
    String name = made.get(key);
    if (name == null) {
      name = maker.get();
      made.put(key, name);
    }
    return name;
  }

  public final String add(String a, String b) {
    return op("Add", a, b);
  }

  public final String sub(String a, String b) {
    return op("Sub", a, b);
  }

  public final String mul(String a, String b) {
    return op("Mul", a, b);
  }

  public final String div(String a, String b) {
    return op("Div", a, b);
  }

  public final String neg(String a) {
    return op("Neg", a);
  }

  public final String sqrt(String a) {
    return op("Sqrt", a);
  }

  public final String pow(String a, String exponent) {
    return op("Pow", a, exponent);
  }

  public final String exp(String a) {
    return op("Exp", a);
  }

  public final String matMul(String a, String b) {
    return op("MatMul", a, b);
  }

  /**
   * {@code alpha * op(a) * op(b) + c} with two-dimensional a and b.
   *
   * @param c broadcast to the result; empty for none
   */
  public final String gemm(
      String a, boolean transA, String b, boolean transB, String c, float alpha) {
    return op(
        "Gemm",
        node -> {
          Node n = transA ? node.with("transA", 1) : node;
          n = transB ? n.with("transB", 1) : n;
          return alpha == 1f ? n : n.with("alpha", alpha);
        },
        a,
        b,
        c);
  }

  /** Where {@code x} is itself a transpose, one transpose takes the place of both, or none. */
  public final String transpose(String x, long... permutation) {
    String source = x;
    long[] whole = permutation;
    Node producer = graph.producer(x);
    if (producer != null && producer.is("Transpose") && producer.hasAttribute("perm")) {
      long[] first = Objects.requireNonNull(producer.longs("perm"));
      whole = Arrays.stream(permutation).map(axis -> first[(int) axis]).toArray();
      source = producer.input(0);
    }
    boolean identity = true;
    for (int i = 0; i < whole.length; i++) {
      identity &= whole[i] == i;
    }
    if (identity) {
      return source;
    }
    long[] perm = whole;
    String from = source;
    return once(
        List.of("Transpose", from, Arrays.stream(perm).boxed().toList()),
        () -> op("Transpose", node -> node.with("perm", perm), from));
  }

  public final String reshape(String x, String shape) {
    return op("Reshape", x, shape);
  }

  public final String reshape(String x, long... shape) {
    return op("Reshape", x, longs(shape));
  }

  public final String shape(String x) {
    return once(List.of("Shape", x), () -> op("Shape", x));
  }

  public final String expand(String x, String shape) {
    return op("Expand", x, shape);
  }

  public final String cast(String x, ElementType to) {
    return op("Cast", node -> node.with("to", to.code()), x);
  }

  public final String concat(long axis, String... xs) {
    return op("Concat", node -> node.with("axis", axis), xs);
  }

  public final String gather(String x, String indices, long axis) {
    return op("Gather", node -> node.with("axis", axis), x, indices);
  }

  public final String unsqueeze(String x, long... axes) {
    return op("Unsqueeze", x, longs(axes));
  }

  public final String squeeze(String x, long... axes) {
    return op("Squeeze", x, longs(axes));
  }

  public final String where(String condition, String x, String y) {
    return op("Where", condition, x, y);
  }

  /**
   * @param axes names a value; empty reduces over all axes
   */
  public final String reduce(String opType, String x, String axes, boolean keepDims) {
    return op(opType, node -> keepDims ? node : node.with("keepdims", 0), x, axes);
  }

  public final String reduceSum(String x, boolean keepDims, long... axes) {
    return reduce("ReduceSum", x, longs(axes), keepDims);
  }

  public final String reduceMean(String x, boolean keepDims, long... axes) {
    return reduce("ReduceMean", x, longs(axes), keepDims);
  }
}
