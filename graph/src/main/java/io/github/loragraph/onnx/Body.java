package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.SparseTensorProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Nodes that stand inside of a node or beside the graph, to be read and not to be changed: a
 * subgraph of {@code If}, {@code Loop} or {@code Scan}, or a function that the model defines.
 *
 * @param domain the operator set of a function, empty for a subgraph
 * @param name of the attribute that holds a subgraph, or of a function
 * @param nodes in topological order
 * @param initializers their types by name; a function has none
 * @param sparse the dense shapes of sparse initializers by name
 */
public record Body(
    String domain,
    String name,
    List<Node> nodes,
    Map<String, TensorType> initializers,
    Map<String, long[]> sparse) {

  static Body of(String attribute, GraphProto graph) {
    Map<String, TensorType> initializers = new LinkedHashMap<>();
    graph.getInitializerList().forEach(t -> initializers.put(t.getName(), type(t)));
    return new Body(
        "",
        attribute,
        graph.getNodeList().stream().map(Node::new).toList(),
        initializers,
        sparse(graph));
  }

  private static TensorType type(TensorProto tensor) {
    return TensorType.of(
        ElementType.of(tensor.getDataType()),
        tensor.getDimsList().stream().mapToLong(Long::longValue).toArray());
  }

  static Body of(FunctionProto function) {
    return new Body(
        function.getDomain(),
        function.getName(),
        function.getNodeList().stream().map(Node::new).toList(),
        Map.of(),
        Map.of());
  }

  static Map<String, long[]> sparse(GraphProto graph) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    for (SparseTensorProto tensor : graph.getSparseInitializerList()) {
      shapes.put(
          tensor.getValues().getName(),
          tensor.getDimsList().stream().mapToLong(Long::longValue).toArray());
    }
    return shapes;
  }
}
