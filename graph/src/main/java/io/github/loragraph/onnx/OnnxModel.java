package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An ONNX model: a graph, the operator sets that its nodes are of, metadata, and everything else of
 * its file that this project does not read, kept as it was.
 */
public final class OnnxModel {
  /** The version of the file format since which an initializer need not be an input. */
  static final int INITIALIZERS_APART_SINCE = 4;

  private final ModelProto header;
  private final GraphProto graphHeader;
  private final Graph graph;

  /** What messages call the model; null where it was made, not read. */
  private final @Nullable Path file;

  /**
   * @param header the model without its graph
   * @param graphHeader the graph without nodes, initializers and values
   */
  OnnxModel(ModelProto header, GraphProto graphHeader, Graph graph) {
    this(header, graphHeader, graph, null);
  }

  /**
   * @param file that the model was read from
   */
  OnnxModel(ModelProto header, GraphProto graphHeader, Graph graph, @Nullable Path file) {
    this.header = header;
    this.graphHeader = graphHeader;
    this.graph = graph;
    this.file = file;
  }

  /** A new model over a graph, with one operator set: the standard one. */
  public static OnnxModel of(String name, Graph graph, int irVersion, int opset) {
    ModelProto header =
        ModelProto.newBuilder()
            .setIrVersion(irVersion)
            .setProducerName("lora-graph")
            .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(opset))
            .build();
    return new OnnxModel(header, GraphProto.newBuilder().setName(name).build(), graph);
  }

  public Graph graph() {
    return graph;
  }

  /** The same, which messages call otherwise than by the file that it was read from. */
  public OnnxModel shownAs(Path other) {
    return new OnnxModel(header, graphHeader, graph, other);
  }

  /**
   * Does work on the model, or one that it became: a failure names the file that it was read from.
   *
   * @throws LoraGraphException if the work does
   */
  public <T> T namingFile(Supplier<T> work) {
    return file == null ? work.get() : LoraGraphException.in(file, work);
  }

  /** The same model around another graph. */
  public OnnxModel withGraph(Graph other) {
    return new OnnxModel(header, graphHeader, other, file);
  }

  public int irVersion() {
    return Math.toIntExact(header.getIrVersion());
  }

  public OnnxModel withIrVersion(int version) {
    return new OnnxModel(
        header.toBuilder().setIrVersion(version).build(), graphHeader, graph, file);
  }

  /**
   * The same model whose initializers are nothing but constants, although a file may declare them
   * as inputs, too, which a caller could give other values; below version 4 of the file format it
   * has to. The graph is a copy.
   */
  public OnnxModel withConstantInitializers() {
    Graph copy = graph.copy();
    copy.removeInputsWithInitializers();
    return withGraph(copy).withIrVersion(Math.max(irVersion(), INITIALIZERS_APART_SINCE));
  }

  /** The version of the standard operator set. */
  public int opset() {
    return opset("");
  }

  /** The version of an operator set, 0 where the model does not import it. */
  public int opset(String domain) {
    for (OperatorSetIdProto set : header.getOpsetImportList()) {
      if (normalised(set.getDomain()).equals(domain)) {
        return Math.toIntExact(set.getVersion());
      }
    }
    return 0;
  }

  /** The same model with another version of an operator set, added where it was not imported. */
  public OnnxModel withOpset(String domain, int version) {
    ModelProto.Builder copy = header.toBuilder().clearOpsetImport();
    boolean found = false;
    for (OperatorSetIdProto set : header.getOpsetImportList()) {
      boolean same = normalised(set.getDomain()).equals(domain);
      found |= same;
      copy.addOpsetImport(same ? set.toBuilder().setVersion(version).build() : set);
    }
    if (!found) {
      copy.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(version));
    }
    return new OnnxModel(copy.build(), graphHeader, graph, file);
  }

  private static String normalised(String domain) {
    return domain.equals("ai.onnx") ? "" : domain;
  }

  /** The metadata, in the order of the file. */
  public Map<String, String> metadata() {
    Map<String, String> metadata = new LinkedHashMap<>();
    header.getMetadataPropsList().forEach(e -> metadata.put(e.getKey(), e.getValue()));
    return metadata;
  }

  /** The same model with one entry of its metadata set, or taken out where the value is null. */
  public OnnxModel withMetadata(String key, @Nullable String value) {
    ModelProto.Builder copy = header.toBuilder().clearMetadataProps();
    for (StringStringEntryProto e : header.getMetadataPropsList()) {
      if (!e.getKey().equals(key)) {
        copy.addMetadataProps(e);
      }
    }
    if (value != null) {
      copy.addMetadataProps(StringStringEntryProto.newBuilder().setKey(key).setValue(value));
    }
    return new OnnxModel(copy.build(), graphHeader, graph, file);
  }

  /** The functions that the model defines itself, for operators of its own. */
  public List<Body> functions() {
    return header.getFunctionsList().stream().map(Body::of).toList();
  }

  /** The shapes of the graph's sparse initializers, as dense tensors, by their names. */
  public Map<String, long[]> sparseInitializers() {
    return Body.sparse(graphHeader);
  }

  ModelProto header() {
    return header;
  }

  GraphProto graphHeader() {
    return graphHeader;
  }
}
