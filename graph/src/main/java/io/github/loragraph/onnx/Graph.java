package io.github.loragraph.onnx;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A graph in memory, the one mutable thing of this project: nodes in topological order,
 * initializers, declared inputs, outputs and inner values, and the indexes from a value to its
 * producer and consumers, which always agree with the nodes. Values are known by their names.
 * Nodes, tensors and declarations themselves never change, so a {@link #copy} shares them and
 * copies no weight.
 *
 * <p>Long because all that changes nodes keeps the indexes true.
 */
public final class Graph {
  private final List<Node> nodes = new ArrayList<>();
  private final Map<String, Tensor> initializers = new LinkedHashMap<>();
  private final Map<String, ValueInfo> inputs = new LinkedHashMap<>();
  private final Map<String, ValueInfo> outputs = new LinkedHashMap<>();
  private final Map<String, ValueInfo> valueInfo = new LinkedHashMap<>();

  private final Map<String, Node> producers = new HashMap<>();
  private final Map<String, List<Node>> consumers = new HashMap<>();
  private final Set<String> takenNames = new HashSet<>();
  private final Map<String, Integer> lastSuffix = new HashMap<>();

  public Graph() {}

  /** A second graph with the same content; changes of one do not show in the other. */
  public Graph copy() {
    Graph copy = new Graph();
    inputs.values().forEach(copy::addInput);
    initializers.values().forEach(copy::putInitializer);
    nodes.forEach(copy::add);
    outputs.values().forEach(copy::addOutput);
    valueInfo.values().forEach(copy::putValueInfo);
    return copy;
  }

  /**
   * A second graph with the same declarations and initializers but no nodes, for nodes that are put
   * down anew in another order or form. All names of this graph are taken in it.
   */
  public Graph withoutNodes() {
    Graph bare = new Graph();
    inputs.values().forEach(bare::addInput);
    initializers.values().forEach(bare::putInitializer);
    outputs.values().forEach(bare::addOutput);
    valueInfo.values().forEach(bare::putValueInfo);
    bare.takenNames.addAll(takenNames);
    return bare;
  }

  /** The nodes in topological order; a view. */
  public List<Node> nodes() {
    return Collections.unmodifiableList(nodes);
  }

  /** The initializers by name; a view. */
  public Map<String, Tensor> initializers() {
    return Collections.unmodifiableMap(initializers);
  }

  /** The declared inputs, initializers among them where an exporter declared them; a view. */
  public Collection<ValueInfo> inputs() {
    return Collections.unmodifiableCollection(inputs.values());
  }

  /** The inputs that a caller has to give: those without an initializer. */
  public List<ValueInfo> requiredInputs() {
    return inputs.values().stream().filter(v -> !initializers.containsKey(v.name())).toList();
  }

  public Collection<ValueInfo> outputs() {
    return Collections.unmodifiableCollection(outputs.values());
  }

  /** The declared types of inner values; a view. */
  public Collection<ValueInfo> valueInfo() {
    return Collections.unmodifiableCollection(valueInfo.values());
  }

  public boolean isInput(String value) {
    return inputs.containsKey(value);
  }

  public boolean isOutput(String value) {
    return outputs.containsKey(value);
  }

  /** The node that makes a value, or null for an input, an initializer or an unknown name. */
  public @Nullable Node producer(String value) {
    return producers.get(value);
  }

  /**
   * The node that makes a value.
   *
   * @throws IllegalStateException if none does
   */
  public Node requireProducer(String value) {
    Node producer = producers.get(value);
    if (producer == null) {
      throw new IllegalStateException("no node makes '%s'".formatted(value));
    }
    return producer;
  }

  /** The nodes that read a value, each once, those that read it in a subgraph included. */
  public List<Node> consumers(String value) {
    return Collections.unmodifiableList(consumers.getOrDefault(value, List.of()));
  }

  /** The initializer of the name; null where there is none. */
  public @Nullable Tensor initializer(String name) {
    return initializers.get(name);
  }

  /**
   * The tensor that a value always is: an initializer, the output of a {@code Constant} node, or
   * either behind {@code Identity} nodes; null where there is none. The tensor keeps the name under
   * which it is stored, which is not {@code value} behind an Identity.
   */
  public @Nullable Tensor constant(String value) {
    String name = value;
    while (true) {
      Tensor initializer = initializers.get(name);
      if (initializer != null) {
        return initializer;
      }
      Node producer = producers.get(name);
      if (producer == null || !producer.is("Identity")) {
        return producer != null && producer.is("Constant") ? ConstantNode.value(producer) : null;
      }
      name = producer.input(0);
    }
  }

  /** Adds a node at the end. */
  public void add(Node node) {
    insert(nodes.size(), node);
  }

  public void insertBefore(Node anchor, Node node) {
    insert(indexOf(anchor), node);
  }

  public void insertAfter(Node anchor, Node node) {
    insert(indexOf(anchor) + 1, node);
  }

  private void insert(int index, Node node) {
    for (String output : node.outputs()) {
      if (!output.isEmpty() && producers.containsKey(output)) {
        throw new IllegalArgumentException(
            "value '%s' has two producers: %s and %s"
                .formatted(output, producers.get(output), node));
      }
    }
    nodes.add(index, node);
    link(node);
  }

  /** Moves the nodes from an index to the end, in their order, to before another node. */
  public void moveTail(int from, Node anchor) {
    List<Node> tail = nodes.subList(from, nodes.size());
    List<Node> moved = List.copyOf(tail);
    tail.clear();
    nodes.addAll(indexOf(anchor), moved);
  }

  /** Gives a value of a node another name, also to all that read it; graph outputs keep theirs. */
  public void rename(String value, String name) {
    Node producer = requireProducer(value);
    replace(producer, producer.withOutput(producer.outputs().indexOf(value), name));
    redirectConsumers(value, name);
  }

  public void remove(Node node) {
    nodes.remove(indexOf(node));
    unlink(node);
  }

  /** Removes many nodes in one pass. */
  public void removeAll(Collection<Node> gone) {
    Set<Node> set = new HashSet<>(gone);
    nodes.removeIf(set::contains);
    set.forEach(this::unlink);
  }

  /** Puts a node in the place of another. */
  public void replace(Node old, Node replacement) {
    int index = indexOf(old);
    unlink(old);
    nodes.set(index, replacement);
    link(replacement);
  }

  /**
   * Puts nodes in the place of others that make the same values, and all into order.
   *
   * @throws IllegalArgumentException as {@link #sort} does
   */
  public void replaceAll(Collection<Node> old, List<Node> replacements) {
    removeAll(old);
    nodes.addAll(replacements);
    replacements.forEach(this::link);
    sort();
  }

  /**
   * Puts the nodes into an order again in which each reads what stands before it; those that stand
   * so already stay.
   *
   * @throws IllegalArgumentException if there is none
   */
  public void sort() {
    Set<String> given = new HashSet<>(inputs.keySet());
    given.addAll(initializers.keySet());
    List<Node> sorted = NodeOrder.sorted(nodes, given);
    nodes.clear();
    nodes.addAll(sorted);
  }

  /** Makes every reader of a value read another; graph outputs keep their names. */
  public void redirectConsumers(String value, String replacement) {
    for (Node consumer : List.copyOf(consumers(value))) {
      if (consumer.inputs().contains(value)) {
        replace(
            consumer,
            consumer.withInputs(
                consumer.inputs().stream()
                    .map(input -> input.equals(value) ? replacement : input)
                    .toList()));
      }
    }
  }

  private int indexOf(Node node) {
    for (int i = 0; i < nodes.size(); i++) {
      if (nodes.get(i) == node) {
        return i;
      }
    }
    throw new IllegalArgumentException("not a node of this graph: " + node);
  }

  private void link(Node node) {
    for (String output : node.outputs()) {
      if (!output.isEmpty()) {
        producers.put(output, node);
        takenNames.add(output);
      }
    }
    for (String input : node.reads()) {
      consumers.computeIfAbsent(input, k -> new ArrayList<>()).add(node);
      takenNames.add(input);
    }
    takenNames.add(node.name());
  }

  private void unlink(Node node) {
    for (String output : node.outputs()) {
      producers.remove(output, node);
    }
    for (String input : node.reads()) {
      List<Node> readers = consumers.getOrDefault(input, new ArrayList<>());
      readers.remove(node);
      if (readers.isEmpty()) {
        consumers.remove(input);
      }
    }
  }

  /** Adds an initializer, or replaces the one of the same name. */
  public void putInitializer(Tensor tensor) {
    initializers.put(tensor.name(), tensor);
    takenNames.add(tensor.name());
  }

  /**
   * Removes an initializer, and the input of its name: a caller could not leave it out any more.
   */
  public void removeInitializer(String name) {
    if (initializers.remove(name) != null) {
      inputs.remove(name);
    }
  }

  /**
   * Takes out the declarations of inputs that have initializers, as exporters write them below
   * version 4 of the file format: what is an initializer is nothing else, then, and constant.
   */
  public void removeInputsWithInitializers() {
    inputs.keySet().removeIf(initializers::containsKey);
  }

  public void addInput(ValueInfo input) {
    inputs.put(input.name(), input);
    takenNames.add(input.name());
  }

  public void removeInput(String name) {
    inputs.remove(name);
  }

  public void addOutput(ValueInfo output) {
    outputs.put(output.name(), output);
    takenNames.add(output.name());
  }

  public void clearOutputs() {
    outputs.clear();
  }

  public void putValueInfo(ValueInfo value) {
    valueInfo.put(value.name(), value);
  }

  public void removeValueInfo(String name) {
    valueInfo.remove(name);
  }

  /** A name that no node and no value of this graph has had: the stem, or the stem and a number. */
  public String freshName(String stem) {
    if (takenNames.add(stem)) {
      return stem;
    }
    int suffix = lastSuffix.getOrDefault(stem, 0);
    String name;
    do {
      suffix++;
      name = stem + "_" + suffix;
    } while (!takenNames.add(name));
    lastSuffix.put(stem, suffix);
    return name;
  }

  /**
   * Takes out all nodes that no graph output depends on, and all initializers that nothing reads,
   * with the inputs of their names.
   */
  public void removeDeadNodes() {
    Set<Node> live = new HashSet<>();
    List<String> wanted = new ArrayList<>(outputs.keySet());
    while (!wanted.isEmpty()) {
      Node producer = producers.get(wanted.remove(wanted.size() - 1));
      if (producer != null && live.add(producer)) {
        wanted.addAll(producer.reads());
      }
    }
    removeAll(nodes.stream().filter(node -> !live.contains(node)).toList());
    List<String> unread = initializers.keySet().stream().filter(name -> !isRead(name)).toList();
    unread.forEach(this::removeInitializer);
  }

  /** Whether a node reads a value, or it is an output of the graph. */
  public boolean isRead(String value) {
    return consumers.containsKey(value) || outputs.containsKey(value);
  }

  @Override
  public String toString() {
    return "graph of %d nodes, %d initializers".formatted(nodes.size(), initializers.size());
  }
}
