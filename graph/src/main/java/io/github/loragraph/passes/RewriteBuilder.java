package io.github.loragraph.passes;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A graph that is put down anew, node after node: most nodes as they were, some in another form.
 * Since nodes only ever come at the end, the order is right by construction; since every value of
 * the old graph is made under its old name, nothing that reads one can lose it. What nothing reads
 * any more is taken out at the end.
 */
final class RewriteBuilder extends GraphBuilder {
  private final Map<String, String> forwarded = new HashMap<>();
  private String place = "";

  RewriteBuilder(Graph source) {
    super(source.withoutNodes(), "");
  }

  /** Names everything that is made from here on after a node's place. */
  void enter(Node node) {
    place = scope(node);
    setScope(place);
  }

  private static String scope(Node node) {
    int end = node.name().lastIndexOf('/');
    return end < 0 ? "" : node.name().substring(0, end);
  }

  /** Puts a node down as it is. */
  void keep(Node node) {
    graph().add(resolved(node));
  }

  /**
   * Puts a node down with other inputs and another output. It keeps its name, by which messages
   * call it; one that has none gets one.
   *
   * @param output the value to make, or null for a new one
   * @return the value that is made
   */
  String put(Node node, @Nullable String output, List<String> inputs) {
    String name =
        node.name().isEmpty() ? graph().freshName(place + "/" + node.opType()) : node.name();
    String made = output == null ? graph().freshName(name + "_output_0") : output;
    graph().add(resolved(node.withName(name).withInputs(inputs).withOutputs(List.of(made))));
    return made;
  }

  /** Makes a node's first output with another operator. */
  void replace(Node node, String opType, UnaryOperator<Node> attributes, String... inputs) {
    String name = graph().freshName(scope(node) + "/" + opType);
    Node replacement = Node.of(name, opType, Arrays.asList(inputs), List.of(node.output(0)));
    graph().add(resolved(attributes.apply(replacement)));
  }

  /** Says that a value is the same as another: whoever reads it reads the other from here on. */
  void forward(String value, String source) {
    String name = graph().freshName(place + "/Identity");
    graph().add(Node.of(name, "Identity", List.of(resolved(source)), List.of(value)));
    forwarded.put(value, resolved(source));
  }

  /** Makes a value a constant. */
  void constant(String value, Tensor tensor) {
    graph().putInitializer(tensor.withName(value));
  }

  /** A value that is made once for each key. */
  String shared(List<Object> key, Supplier<String> maker) {
    return once(key, maker);
  }

  private String resolved(String value) {
    return forwarded.getOrDefault(value, value);
  }

  private Node resolved(Node node) {
    if (node.inputs().stream().noneMatch(forwarded::containsKey)) {
      return node;
    }
    return node.withInputs(node.inputs().stream().map(this::resolved).toList());
  }

  /** The graph without what nothing reads any more. */
  Graph finish() {
    Graph graph = graph();
    for (Map.Entry<String, String> e : forwarded.entrySet()) {
      graph.redirectConsumers(e.getKey(), e.getValue());
    }
    sweep(graph);
    return graph;
  }

  static void sweep(Graph graph) {
    graph.removeDeadNodes();
    List<String> gone = new ArrayList<>();
    graph.valueInfo().stream()
        .map(v -> v.name())
        .filter(v -> graph.producer(v) == null)
        .filter(v -> graph.initializer(v) == null && !graph.isInput(v))
        .forEach(gone::add);
    gone.forEach(graph::removeValueInfo);
  }
}
