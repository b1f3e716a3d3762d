package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One operator of a graph. A node never changes; {@link Graph#replace} puts another in its place.
 * Two nodes are equal only if they are the same object. What this class does not read of a {@code
 * NodeProto} (metadata, unknown fields) is kept.
 */
public final class Node {
  private final NodeProto proto;

  Node(NodeProto proto) {
    this.proto = proto;
  }

  /**
   * A node of the standard operator set without attributes.
   *
   * @param inputs names of values; an empty name is an optional input left out
   */
  public static Node of(String name, String opType, List<String> inputs, List<String> outputs) {
    return new Node(
        NodeProto.newBuilder()
            .setName(name)
            .setOpType(opType)
            .addAllInput(inputs)
            .addAllOutput(outputs)
            .build());
  }

  public String name() {
    return proto.getName();
  }

  public String opType() {
    return proto.getOpType();
  }

  /** The operator set: empty for the standard one ({@code ai.onnx} is written so too). */
  public String domain() {
    return proto.getDomain().equals("ai.onnx") ? "" : proto.getDomain();
  }

  /** Whether this is the given operator of the standard operator set. */
  public boolean is(String standardOpType) {
    return proto.getOpType().equals(standardOpType) && domain().isEmpty();
  }

  /** Names of the inputs; an empty name is an optional input left out. */
  public List<String> inputs() {
    return proto.getInputList();
  }

  /** Names of the outputs; an empty name is an optional output left out. */
  public List<String> outputs() {
    return proto.getOutputList();
  }

  public boolean hasInput(int index) {
    return index < proto.getInputCount() && !proto.getInput(index).isEmpty();
  }

  public boolean hasOutput(int index) {
    return index < proto.getOutputCount() && !proto.getOutput(index).isEmpty();
  }

  /** The name of an input, empty where it is left out. */
  public String input(int index) {
    return index < proto.getInputCount() ? proto.getInput(index) : "";
  }

  /** The name of an output, empty where it is left out. */
  public String output(int index) {
    return index < proto.getOutputCount() ? proto.getOutput(index) : "";
  }

  public boolean hasAttribute(String name) {
    return attribute(name) != null;
  }

  public long attribute(String name, long otherwise) {
    AttributeProto a = attribute(name);
    return a == null ? otherwise : a.getI();
  }

  public float attribute(String name, float otherwise) {
    AttributeProto a = attribute(name);
    return a == null ? otherwise : a.getF();
  }

  public String attribute(String name, String otherwise) {
    AttributeProto a = attribute(name);
    return a == null ? otherwise : a.getS().toStringUtf8();
  }

  /** A list of integers, or null where the attribute is absent. */
  public long @Nullable [] longs(String name) {
    AttributeProto a = attribute(name);
    return a == null ? null : a.getIntsList().stream().mapToLong(Long::longValue).toArray();
  }

  /** A list of numbers, or null where the attribute is absent. */
  public float @Nullable [] floats(String name) {
    AttributeProto a = attribute(name);
    if (a == null) {
      return null;
    }
    float[] values = new float[a.getFloatsCount()];
    for (int i = 0; i < values.length; i++) {
      values[i] = a.getFloats(i);
    }
    return values;
  }

  /** A tensor, or null where the attribute is absent. */
  public @Nullable Tensor tensor(String name) {
    AttributeProto a = attribute(name);
    return a == null || !a.hasT() ? null : Tensor.embedded(a.getT());
  }

  private @Nullable AttributeProto attribute(String name) {
    for (AttributeProto a : proto.getAttributeList()) {
      if (a.getName().equals(name)) {
        return a;
      }
    }
    return null;
  }

  public Node withName(String name) {
    return new Node(proto.toBuilder().setName(name).build());
  }

  public Node withDomain(String domain) {
    return new Node(proto.toBuilder().setDomain(domain).build());
  }

  public Node withInput(int index, String name) {
    return new Node(proto.toBuilder().setInput(index, name).build());
  }

  public Node withInputs(List<String> names) {
    return new Node(proto.toBuilder().clearInput().addAllInput(names).build());
  }

  public Node withOutput(int index, String name) {
    return new Node(proto.toBuilder().setOutput(index, name).build());
  }

  public Node withOutputs(List<String> names) {
    return new Node(proto.toBuilder().clearOutput().addAllOutput(names).build());
  }

  public Node with(String attribute, long value) {
    return with(named(attribute, AttributeProto.AttributeType.INT).setI(value));
  }

  public Node with(String attribute, float value) {
    return with(named(attribute, AttributeProto.AttributeType.FLOAT).setF(value));
  }

  public Node with(String attribute, String value) {
    return with(
        named(attribute, AttributeProto.AttributeType.STRING).setS(ByteString.copyFromUtf8(value)));
  }

  public Node with(String attribute, long[] values) {
    AttributeProto.Builder a = named(attribute, AttributeProto.AttributeType.INTS);
    for (long value : values) {
      a.addInts(value);
    }
    return with(a);
  }

  public Node with(String attribute, Tensor value) {
    return with(named(attribute, AttributeProto.AttributeType.TENSOR).setT(value.embeddedProto()));
  }

  /**
   * With a graph of its own, as {@code Loop} has one; its initializers stand inside.
   *
   * @param graphName the name that the format wants the graph to have
   */
  public Node with(String attribute, String graphName, Graph graph) {
    GraphProto header = GraphProto.newBuilder().setName(graphName).build();
    return with(
        named(attribute, AttributeProto.AttributeType.GRAPH)
            .setG(OnnxFile.proto(header, graph, Tensor::embeddedProto)));
  }

  public Node without(String attribute) {
    NodeProto.Builder copy = proto.toBuilder().clearAttribute();
    for (AttributeProto a : proto.getAttributeList()) {
      if (!a.getName().equals(attribute)) {
        copy.addAttribute(a);
      }
    }
    return new Node(copy.build());
  }

  private static AttributeProto.Builder named(String name, AttributeProto.AttributeType type) {
    return AttributeProto.newBuilder().setName(name).setType(type);
  }

  private Node with(AttributeProto.Builder attribute) {
    NodeProto.Builder copy = without(attribute.getName()).proto.toBuilder();
    return new Node(copy.addAttribute(attribute).build());
  }

  /** Whether the node holds graphs of its own ({@code If}, {@code Loop}, {@code Scan}). */
  public boolean hasSubgraph() {
    for (AttributeProto a : proto.getAttributeList()) {
      if (a.hasG() || a.getGraphsCount() > 0) {
        return true;
      }
    }
    return false;
  }

  /** The graphs that stand in the node itself, those of {@code If}, {@code Loop}, {@code Scan}. */
  public List<Body> subgraphs() {
    List<Body> bodies = new ArrayList<>();
    for (AttributeProto a : proto.getAttributeList()) {
      if (a.hasG()) {
        bodies.add(Body.of(a.getName(), a.getG()));
      }
      a.getGraphsList().forEach(g -> bodies.add(Body.of(a.getName(), g)));
    }
    return bodies;
  }

  /** The standard operators that stand in the node's subgraphs, at any depth. */
  public Set<String> innerOperators() {
    Set<String> operators = new LinkedHashSet<>();
    for (AttributeProto a : proto.getAttributeList()) {
      if (a.hasG()) {
        addOperators(a.getG(), operators);
      }
      a.getGraphsList().forEach(g -> addOperators(g, operators));
    }
    return operators;
  }

  private static void addOperators(GraphProto graph, Set<String> operators) {
    for (NodeProto n : graph.getNodeList()) {
      Node inner = new Node(n);
      if (inner.domain().isEmpty()) {
        operators.add(inner.opType());
      }
      operators.addAll(inner.innerOperators());
    }
  }

  /** Values that the node reads: its inputs, and what its subgraphs take from around it. */
  public Set<String> reads() {
    Set<String> names = new LinkedHashSet<>(proto.getInputList());
    names.remove("");
    for (AttributeProto a : proto.getAttributeList()) {
      if (a.hasG()) {
        addCaptured(a.getG(), names);
      }
      a.getGraphsList().forEach(g -> addCaptured(g, names));
    }
    return names;
  }

  private static void addCaptured(GraphProto graph, Set<String> captured) {
    Set<String> own = new HashSet<>();
    graph.getInputList().forEach(v -> own.add(v.getName()));
    graph.getInitializerList().forEach(t -> own.add(t.getName()));
    List<String> read = new ArrayList<>();
    for (NodeProto n : graph.getNodeList()) {
      read.addAll(new Node(n).reads());
      own.addAll(n.getOutputList());
    }
    graph.getOutputList().forEach(v -> read.add(v.getName()));
    read.removeIf(own::contains);
    captured.addAll(read);
  }

  /**
   * The same node about other values: inputs and outputs go by other names, and so does what its
   * subgraphs take from around them. What the subgraphs declare of the values in them is left out,
   * since sizes that had one name need not be equal any more.
   *
   * @param names the new name of a value, or the old one where it keeps it
   */
  public Node withValuesNamed(UnaryOperator<String> names) {
    return new Node(OtherValues.in(proto, names));
  }

  NodeProto proto() {
    return proto;
  }

  @Override
  public String toString() {
    return opType() + " " + (name().isEmpty() ? outputs() : name());
  }
}
