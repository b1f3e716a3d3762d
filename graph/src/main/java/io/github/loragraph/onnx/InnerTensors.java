package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;

/**
 * Tensors that stand inside a node: in an attribute, or in a graph of its own. They are checked
 * when the file is read; what stands in a file beside the model is put inside (mapped, not copied),
 * as such a node has to go with the model wherever that is written.
 */
final class InnerTensors {
  private InnerTensors() {}

  /** The node with all its tensors inside; the same where they are already. */
  static NodeProto read(NodeProto node, ExternalData externalData) {
    NodeProto.Builder changed = null;
    for (int i = 0; i < node.getAttributeCount(); i++) {
      AttributeProto old = node.getAttribute(i);
      AttributeProto read = read(old, externalData);
      if (read != old) {
        changed = changed == null ? node.toBuilder() : changed;
        changed.setAttribute(i, read);
      }
    }
    return changed == null ? node : changed.build();
  }

  private static AttributeProto read(AttributeProto attribute, ExternalData externalData) {
    AttributeProto result = attribute;
    if (attribute.hasT()) {
      TensorProto tensor = read(attribute.getT(), externalData);
      if (tensor != attribute.getT()) {
        result = result.toBuilder().setT(tensor).build();
      }
    }
    for (int i = 0; i < attribute.getTensorsCount(); i++) {
      TensorProto tensor = read(attribute.getTensors(i), externalData);
      if (tensor != attribute.getTensors(i)) {
        result = result.toBuilder().setTensors(i, tensor).build();
      }
    }
    if (attribute.hasG()) {
      GraphProto graph = read(attribute.getG(), externalData);
      if (graph != attribute.getG()) {
        result = result.toBuilder().setG(graph).build();
      }
    }
    for (int i = 0; i < attribute.getGraphsCount(); i++) {
      GraphProto graph = read(attribute.getGraphs(i), externalData);
      if (graph != attribute.getGraphs(i)) {
        result = result.toBuilder().setGraphs(i, graph).build();
      }
    }
    return result;
  }

  private static GraphProto read(GraphProto graph, ExternalData externalData) {
    GraphProto.Builder changed = null;
    for (int i = 0; i < graph.getInitializerCount(); i++) {
      TensorProto tensor = read(graph.getInitializer(i), externalData);
      if (tensor != graph.getInitializer(i)) {
        changed = changed == null ? graph.toBuilder() : changed;
        changed.setInitializer(i, tensor);
      }
    }
    for (int i = 0; i < graph.getNodeCount(); i++) {
      NodeProto node = read(graph.getNode(i), externalData);
      if (node != graph.getNode(i)) {
        changed = changed == null ? graph.toBuilder() : changed;
        changed.setNode(i, node);
      }
    }
    return changed == null ? graph : changed.build();
  }

  private static TensorProto read(TensorProto tensor, ExternalData externalData) {
    if (OnnxFile.isExternal(tensor)) {
      return externalData.tensor(tensor).embeddedProto();
    }
    Tensor.embedded(tensor);
    return tensor;
  }
}
