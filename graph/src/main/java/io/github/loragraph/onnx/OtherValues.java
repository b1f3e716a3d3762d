package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.HashSet;
import java.util.Set;
import java.util.function.UnaryOperator;

/** Writes a node about other values, its subgraphs included. */
final class OtherValues {
  private final UnaryOperator<String> names;

  private OtherValues(UnaryOperator<String> names) {
    this.names = names;
  }

  /**
   * @param names the new name of a value around the node
   */
  static NodeProto in(NodeProto node, UnaryOperator<String> names) {
    return new OtherValues(names).renamed(node, Set.of());
  }

  /**
   * @param inner the names that are of the subgraphs around, and stay
   */
  private NodeProto renamed(NodeProto node, Set<String> inner) {
    NodeProto.Builder copy = node.toBuilder().clearInput().clearOutput().clearAttribute();
    node.getInputList().forEach(input -> copy.addInput(renamed(input, inner)));
    node.getOutputList().forEach(output -> copy.addOutput(renamed(output, inner)));
    for (AttributeProto a : node.getAttributeList()) {
      AttributeProto.Builder attribute = a.toBuilder();
      if (a.hasG()) {
        attribute.setG(renamed(a.getG(), inner));
      }
      for (int i = 0; i < a.getGraphsCount(); i++) {
        attribute.setGraphs(i, renamed(a.getGraphs(i), inner));
      }
      copy.addAttribute(attribute);
    }
    return copy.build();
  }

  private String renamed(String value, Set<String> inner) {
    return value.isEmpty() || inner.contains(value) ? value : names.apply(value);
  }

  /** What is declared of values is left out: sizes of one name need not be equal any more. */
  private GraphProto renamed(GraphProto graph, Set<String> around) {
    Set<String> inner = new HashSet<>(around);
    graph.getInputList().forEach(v -> inner.add(v.getName()));
    graph.getInitializerList().forEach(t -> inner.add(t.getName()));
    graph.getSparseInitializerList().forEach(t -> inner.add(t.getValues().getName()));
    graph.getNodeList().forEach(n -> inner.addAll(n.getOutputList()));
    GraphProto.Builder copy = graph.toBuilder().clearValueInfo().clearNode();
    graph.getNodeList().forEach(n -> copy.addNode(renamed(n, inner)));
    for (int i = 0; i < graph.getOutputCount(); i++) {
      ValueInfoProto.Builder output = graph.getOutput(i).toBuilder();
      output.setName(renamed(output.getName(), inner));
      if (output.getType().hasTensorType()) {
        output.getTypeBuilder().getTensorTypeBuilder().clearShape();
      }
      copy.setOutput(i, output);
    }
    return copy.build();
  }
}
