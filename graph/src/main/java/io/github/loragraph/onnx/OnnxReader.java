package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.FileStamps;
import io.github.loragraph.file.InputFile;
import io.github.loragraph.file.StagedFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads ONNX files: what is no whole, consistent model is refused, with what it is instead where
 * that can be told.
 */
final class OnnxReader {
  /** Where the JSON of a safetensors file begins, after its length. */
  private static final int SAFETENSORS_HEADER = 8;

  /** Where the identifier of a file of FlatBuffers stands. */
  private static final int FLATBUFFERS_IDENTIFIER = 4;

  /** No axis and no version number of a model that could be run is larger. */
  private static final long LARGEST = Integer.MAX_VALUE;

  private OnnxReader() {}

  /** See {@link OnnxFile#read}. */
  static OnnxModel read(Path file) {
    StagedFiles.finishInterrupted(AtomicFile.folderOf(file));
    FileStamps stamp = FileStamps.of(List.of(file));
    ByteBuffer content = map(file);
    refuseOtherFormats(file, content);
    ModelProto proto = parse(file, content);
    if (!proto.hasGraph() || proto.getOpsetImportCount() == 0 || proto.getIrVersion() <= 0) {
      throw notOnnx(file);
    }
    try {
      return model(proto, file, stamp, content);
    } catch (LoraGraphException e) {
      throw e.in(file);
    } catch (IllegalArgumentException e) {
      throw new LoraGraphException(file + " is not a valid ONNX model: " + e.getMessage(), e);
    }
  }

  private static ByteBuffer map(Path file) {
    if (!Files.exists(file)) {
      throw new LoraGraphException(
          "no such file: " + file + " (give the path of an .onnx file or of its folder)");
    }
    if (Files.isDirectory(file)) {
      throw new LoraGraphException(file + " is a folder, not an ONNX file");
    }
    InputFile.requireOrdinary(file);
    try {
      return FileMaps.of(file, size -> whole(file, size));
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  private static long[] whole(Path file, long size) {
    if (size == 0) {
      throw new LoraGraphException(file + " is empty: copy or export it again");
    }
    if (size > Integer.MAX_VALUE) {
      throw new LoraGraphException(
          file + " is larger than 2 GiB, which no ONNX file can be: export it with external data");
    }
    return new long[] {0, size};
  }

  private static void refuseOtherFormats(Path file, ByteBuffer content) {
    byte[] start = new byte[Math.min(content.remaining(), 64)];
    content.get(0, start);
    String text = new String(start, StandardCharsets.ISO_8859_1);
    if (text.startsWith("version https://git-lfs")) {
      throw new LoraGraphException(
          file + " is a Git LFS pointer, not the model itself: fetch it with 'git lfs pull'");
    }
    if (text.stripLeading().startsWith("<")) {
      throw new LoraGraphException(
          file + " is an HTML or XML page, not an ONNX file: download the model itself");
    }
    if (text.startsWith("PK\u0003\u0004")) {
      throw new LoraGraphException(
          isTorch(content)
              ? file + " is a PyTorch file, not an ONNX file: export the model to ONNX"
              : file + " is a zip archive, not an ONNX file: unpack it first");
    }
    if (text.startsWith("\u001f\u008b")) {
      throw new LoraGraphException(file + " is compressed by gzip: unpack it with 'gunzip' first");
    }
    if (text.startsWith("\u0080\u0002")) {
      throw new LoraGraphException(
          file + " is a Python pickle, not an ONNX file: export the model to ONNX");
    }
    if (text.startsWith("{\"", SAFETENSORS_HEADER)) {
      throw new LoraGraphException(
          file + " holds safetensors, not an ONNX model: export the model to ONNX");
    }
    if (text.startsWith("GGUF")) {
      throw new LoraGraphException(
          file + " is a GGUF file, not an ONNX file: export the model to ONNX");
    }
    if (text.startsWith("ORTM", FLATBUFFERS_IDENTIFIER)) {
      throw new LoraGraphException(
          file + " is of ONNX Runtime's own format: give the ONNX file that it was made from");
    }
  }

  /** PyTorch's archives begin with {@code NAME/data.pkl}. */
  private static boolean isTorch(ByteBuffer content) {
    byte[] start = new byte[Math.min(content.remaining(), 256)];
    content.get(0, start);
    return new String(start, StandardCharsets.ISO_8859_1).contains("/data.pkl");
  }

  private static ModelProto parse(Path file, ByteBuffer content) {
    try {
      CodedInputStream in = UnsafeByteOperations.unsafeWrap(content).newCodedInput();
      in.enableAliasing(true);
      in.setSizeLimit(Integer.MAX_VALUE);
      return ModelProto.parseFrom(in);
    } catch (InvalidProtocolBufferException e) {
      if (String.valueOf(e.getMessage()).contains("levels of nesting")) {
        throw new LoraGraphException(
            file + " nests graphs within graphs too deeply to be read: it is no model in use", e);
      }
      if (looksLikeOnnx(content)) {
        throw new LoraGraphException(
            file + " is a damaged or truncated ONNX file: copy or export it again", e);
      }
      throw notOnnx(file);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  /** ONNX files begin with field 1, the IR version, a small number. */
  private static boolean looksLikeOnnx(ByteBuffer content) {
    return content.remaining() > 2 && content.get(0) == 8 && content.get(1) > 0;
  }

  private static LoraGraphException notOnnx(Path file) {
    return new LoraGraphException(
        file + " is not an ONNX model: give a file that an ONNX exporter has written");
  }

  private static OnnxModel model(
      ModelProto proto, Path file, FileStamps stamp, ByteBuffer content) {
    ExternalData externalData = new ExternalData(file);
    ModelProto.Builder header = proto.toBuilder().clearGraph();
    externalData.requireUnchanged(ReferredFiles.of(taken(header, ReferredFiles.KEY)));
    GraphProto g = proto.getGraph();
    if (proto.getIrVersion() > LARGEST) {
      throw new IllegalArgumentException("%d is no IR version".formatted(proto.getIrVersion()));
    }
    checkOperatorSets(proto);
    checkNames(g);
    Graph graph = new Graph();
    for (ValueInfoProto v : g.getInputList()) {
      if (graph.isInput(v.getName())) {
        throw new IllegalArgumentException("input '" + v.getName() + "' stands there twice");
      }
      graph.addInput(declared(v));
    }
    long[] offsets = RawDataOffsets.of(content);
    boolean known = offsets.length == g.getInitializerCount();
    for (int i = 0; i < g.getInitializerCount(); i++) {
      TensorProto t = g.getInitializer(i);
      if (graph.initializer(t.getName()) != null) {
        throw new IllegalArgumentException("initializer '" + t.getName() + "' stands there twice");
      }
      boolean placed = known && t.hasRawData() && offsets[i] >= 0;
      graph.putInitializer(
          OnnxFile.isExternal(t)
              ? externalData.tensor(t)
              : Tensor.embedded(t, placed ? new TensorPlace(file, offsets[i], stamp) : null));
    }
    List<Node> nodes = new ArrayList<>(g.getNodeCount());
    g.getNodeList().forEach(n -> nodes.add(new Node(InnerTensors.read(n, externalData))));
    checkOutputs(nodes);
    NodeOrder.sorted(nodes, given(graph, g)).forEach(graph::add);
    for (ValueInfoProto v : g.getOutputList()) {
      if (graph.isOutput(v.getName())) {
        throw new IllegalArgumentException("output '" + v.getName() + "' stands there twice");
      }
      graph.addOutput(declared(v));
    }
    g.getValueInfoList().forEach(v -> graph.putValueInfo(declared(v)));
    checkMade(graph, g);
    return new OnnxModel(
        header.build(),
        g.toBuilder()
            .clearInput()
            .clearInitializer()
            .clearNode()
            .clearOutput()
            .clearValueInfo()
            .build(),
        graph,
        file);
  }

  /** An entry of the metadata, which the model does not keep; null where there is none. */
  private static @Nullable String taken(ModelProto.Builder header, String key) {
    for (int i = 0; i < header.getMetadataPropsCount(); i++) {
      if (header.getMetadataProps(i).getKey().equals(key)) {
        String value = header.getMetadataProps(i).getValue();
        header.removeMetadataProps(i);
        return value;
      }
    }
    return null;
  }

  private static ValueInfo declared(ValueInfoProto proto) {
    for (TensorShapeProto.Dimension d : proto.getType().getTensorType().getShape().getDimList()) {
      if (d.getDimValue() > LARGEST) {
        throw new IllegalArgumentException(
            "'%s' has an axis of size %d, which is larger than any can be"
                .formatted(proto.getName(), d.getDimValue()));
      }
    }
    return new ValueInfo(proto);
  }

  /** Values are known by their names, so that two must not look the same. */
  private static void checkNames(GraphProto g) {
    g.getInputList().forEach(v -> checkName("an input", v.getName(), v.getNameBytes()));
    g.getOutputList().forEach(v -> checkName("an output", v.getName(), v.getNameBytes()));
    g.getInitializerList().forEach(t -> checkName("an initializer", t.getName(), t.getNameBytes()));
    for (NodeProto n : g.getNodeList()) {
      for (int i = 0; i < n.getInputCount(); i++) {
        checkText("a node's input", n.getInput(i), n.getInputBytes(i));
      }
      for (int i = 0; i < n.getOutputCount(); i++) {
        checkText("a node's output", n.getOutput(i), n.getOutputBytes(i));
      }
    }
  }

  private static void checkName(String what, String name, ByteString bytes) {
    if (name.isEmpty()) {
      throw new IllegalArgumentException(what + " has no name");
    }
    checkText(what, name, bytes);
  }

  private static void checkText(String what, String name, ByteString bytes) {
    if (name.indexOf('\ufffd') >= 0 && !bytes.isValidUtf8()) {
      throw new IllegalArgumentException("the name of %s is not UTF-8: '%s'".formatted(what, name));
    }
  }

  /** A value is made once. */
  private static void checkOutputs(List<Node> nodes) {
    Set<String> made = new HashSet<>();
    for (Node node : nodes) {
      for (String output : node.outputs()) {
        if (!output.isEmpty() && !made.add(output)) {
          throw new IllegalArgumentException(
              "value '%s' is made twice, the second time by %s".formatted(output, node));
        }
      }
    }
  }

  private static void checkOperatorSets(ModelProto proto) {
    for (OperatorSetIdProto set : proto.getOpsetImportList()) {
      if (set.getVersion() < 0 || set.getVersion() > LARGEST) {
        throw new IllegalArgumentException(
            "%d is no version of the operator set '%s'"
                .formatted(set.getVersion(), set.getDomain()));
      }
    }
  }

  /** The values that no node makes. */
  private static Set<String> given(Graph graph, GraphProto g) {
    Set<String> given = new HashSet<>(graph.initializers().keySet());
    graph.inputs().forEach(v -> given.add(v.name()));
    g.getSparseInitializerList().forEach(t -> given.add(t.getValues().getName()));
    return given;
  }

  private static void checkMade(Graph graph, GraphProto g) {
    Set<String> known = given(graph, g);
    graph.nodes().forEach(node -> known.addAll(node.outputs()));
    for (ValueInfo output : graph.outputs()) {
      if (!known.contains(output.name())) {
        throw new IllegalArgumentException(
            "graph output '" + output.name() + "' is made by no node");
      }
    }
  }
}
