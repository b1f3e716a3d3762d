package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.InputFile;
import io.github.loragraph.file.StagedFiles;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;

/**
 * Reads and writes ONNX files (the protobuf format of the ONNX IR specification). A model is read
 * through a memory map: its weights stay in the file and are never copied to the heap. What is not
 * understood (unknown fields, training info, functions, sparse tensors) is carried through.
 */
public final class OnnxFile {
  /** The largest protobuf message is 2 GiB; models that come near it get external data. */
  private static final long LARGEST_EMBEDDED = 2_000_000_000L;

  /** Smaller tensors stay in the model file when the others move out: shapes and axes, mostly. */
  private static final int SMALLEST_EXTERNAL = 1024;

  /** Where external data starts in its file: a multiple of a page, so that it can be mapped. */
  private static final int ALIGNMENT = 4096;

  private static final String DATA_SUFFIX = ".data";

  /** The location that stands in a model whose weights are handed over in memory. */
  private static final String IN_MEMORY = "in-memory";

  /** Where the JSON of a safetensors file begins, after its length. */
  private static final int SAFETENSORS_HEADER = 8;

  /** Where the identifier of a file of FlatBuffers stands. */
  private static final int FLATBUFFERS_IDENTIFIER = 4;

  /** No axis and no version number of a model that could be run is larger. */
  private static final long LARGEST = Integer.MAX_VALUE;

  private OnnxFile() {}

  /**
   * Reads a model.
   *
   * @throws LoraGraphException if there is no such file or it is no whole, consistent ONNX model
   */
  public static OnnxModel read(Path file) {
    StagedFiles.finishInterrupted(file.toAbsolutePath().getParent());
    ByteBuffer content = map(file);
    refuseOtherFormats(file, content);
    ModelProto proto = parse(file, content);
    if (!proto.hasGraph() || proto.getOpsetImportCount() == 0 || proto.getIrVersion() <= 0) {
      throw notOnnx(file);
    }
    try {
      return model(proto, file);
    } catch (LoraGraphException e) {
      throw e.in(file);
    } catch (IllegalArgumentException e) {
      throw new LoraGraphException(file + " is not a valid ONNX model: " + e.getMessage(), e);
    }
  }

  /**
   * The files in which a model has weights outside of its own.
   *
   * @throws LoraGraphException if the model cannot be read
   */
  public static List<Path> dataFiles(Path model) {
    try {
      return List.copyOf(ReplacedData.dataOf(model));
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + model + ": " + AtomicFile.reason(e), e);
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
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (channel.size() == 0) {
        throw new LoraGraphException(file + " is empty: copy or export it again");
      }
      if (channel.size() > Integer.MAX_VALUE) {
        throw new LoraGraphException(
            file
                + " is larger than 2 GiB, which no ONNX file can be: export it with external data");
      }
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
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

  private static OnnxModel model(ModelProto proto, Path file) {
    ExternalData externalData = new ExternalData(file);
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
    for (TensorProto t : g.getInitializerList()) {
      if (graph.initializer(t.getName()) != null) {
        throw new IllegalArgumentException("initializer '" + t.getName() + "' stands there twice");
      }
      graph.putInitializer(
          isExternal(t) ? Tensor.external(t, externalData.map(t)) : Tensor.embedded(t));
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
        proto.toBuilder().clearGraph().build(),
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

  static boolean isExternal(TensorProto tensor) {
    return tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
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

  /**
   * Writes a model whole or not at all. Weights that were read from external data, or that would
   * make the file larger than protobuf allows, go into a file beside it, {@code <file name>.data},
   * or a name of that kind that nothing else has: what is replaced stays whole until the new model
   * stands in its place. Then its data goes, too, where nothing else is known to need it.
   *
   * @throws LoraGraphException if the file exists and may not be replaced, or cannot be written
   */
  public static void write(OnnxModel model, Path file, boolean replace) {
    AtomicFile.checkTarget(file, replace);
    try (StagedFiles files = new StagedFiles(file.toAbsolutePath().getParent(), replace)) {
      stage(model, file, files);
      files.commit();
    }
  }

  /**
   * Puts a model among files that appear together.
   *
   * @param files of the model's folder
   * @throws LoraGraphException if the file exists and may not be replaced, or cannot be written
   */
  @SuppressWarnings("exports") // for lora-graph's own modules
  public static void stage(OnnxModel model, Path file, StagedFiles files) {
    boolean external =
        model.graph().initializers().values().stream().anyMatch(Tensor::isExternal)
            || isTooLargeForOneFile(model);
    if (external) {
      stageSharingData(
          Map.of(file, model), file.resolveSibling(file.getFileName() + DATA_SUFFIX), files);
    } else {
      AtomicFile.checkTarget(file, files.mayReplace());
      ModelProto proto = proto(model, Tensor::embeddedProto);
      List<Path> old = ReplacedData.of(List.of(file));
      files.write(file, proto::writeTo);
      old.forEach(files::deleteAfterwards);
    }
  }

  /** Whether the weights of a model have to stand in a file of their own. */
  public static boolean isTooLargeForOneFile(OnnxModel model) {
    return embeddedBytes(model.graph()) > LARGEST_EMBEDDED;
  }

  /**
   * Puts models that have weights in common among files that appear together; the weights of all go
   * into one file in the same folder, equal ones once.
   *
   * @param dataFile the name for the weights, if it is free; else it gets another of that kind
   * @return the file of the weights
   * @throws LoraGraphException if a file exists and may not be replaced, or cannot be written
   */
  @SuppressWarnings("exports") // for lora-graph's own modules
  public static Path stageSharingData(
      Map<Path, OnnxModel> models, Path dataFile, StagedFiles files) {
    for (Path file : models.keySet()) {
      AtomicFile.checkTarget(file, files.mayReplace());
      if (Files.isSymbolicLink(file)) {
        throw new LoraGraphException(
            file + " is a link, and the weights are to lie beside the model: name the file itself");
      }
    }
    Map<Tensor, Long> offsets = new LinkedHashMap<>();
    List<Tensor> tensors =
        models.values().stream()
            .flatMap(model -> model.graph().initializers().values().stream())
            .distinct()
            .toList();
    List<Path> old = ReplacedData.of(models.keySet());
    Path free = free(dataFile, models.keySet());
    files.write(free, out -> writeData(tensors, offsets, out));
    String location = free.getFileName().toString();
    models.forEach(
        (file, model) -> {
          ModelProto proto =
              proto(
                  model,
                  tensor ->
                      offsets.containsKey(tensor)
                          ? external(tensor, location, offsets.get(tensor))
                          : tensor.embeddedProto());
          files.write(file, proto::writeTo);
        });
    old.forEach(files::deleteAfterwards);
    return free;
  }

  /** A name that no model that is there can mean: the given one, or one with a random number. */
  private static Path free(Path dataFile, Set<Path> models) {
    Path free = dataFile;
    while (Files.exists(free, LinkOption.NOFOLLOW_LINKS)
        || free.equals(dataFile) && models.stream().anyMatch(Files::exists)) {
      String name = dataFile.getFileName().toString();
      String stem = name.substring(0, name.length() - DATA_SUFFIX.length());
      free =
          dataFile.resolveSibling(
              "%s.%08x%s".formatted(stem, ThreadLocalRandom.current().nextInt(), DATA_SUFFIX));
    }
    return free;
  }

  private static long embeddedBytes(Graph graph) {
    return graph.initializers().values().stream().mapToLong(t -> t.bytes().remaining()).sum();
  }

  private static void writeData(
      Collection<Tensor> tensors, Map<Tensor, Long> offsets, OutputStream out) throws IOException {
    WritableByteChannel channel = Channels.newChannel(out);
    long position = 0;
    for (Tensor tensor : tensors) {
      ByteBuffer bytes = tensor.bytes();
      if (bytes.remaining() < SMALLEST_EXTERNAL) {
        continue;
      }
      int padding = (int) (-position & (ALIGNMENT - 1));
      out.write(new byte[padding]);
      position += padding;
      offsets.put(tensor, position);
      position += bytes.remaining();
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    }
  }

  private static TensorProto external(Tensor tensor, String location, long offset) {
    TensorProto.Builder proto = TensorProto.newBuilder();
    proto
        .setName(tensor.name())
        .setDataType(tensor.proto().getDataType())
        .addAllDims(tensor.proto().getDimsList())
        .setDocString(tensor.proto().getDocString())
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(entry("location", location))
        .addExternalData(entry("offset", Long.toString(offset)))
        .addExternalData(entry("length", Long.toString(tensor.bytes().remaining())));
    return proto.build();
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  /**
   * The bytes of a model file without the content of the chosen initializers, which stand in it as
   * external data of no file: whoever loads the bytes has to hand those tensors over in memory.
   *
   * @throws LoraGraphException if what stays inside is larger than protobuf allows
   */
  public static byte[] serialize(OnnxModel model, Predicate<Tensor> outside) {
    ModelProto proto =
        proto(
            model,
            tensor ->
                outside.test(tensor) ? external(tensor, IN_MEMORY, 0) : tensor.embeddedProto());
    return proto.toByteArray();
  }

  /** What stands in a file for a tensor. */
  interface Content {
    TensorProto of(Tensor tensor);
  }

  private static ModelProto proto(OnnxModel model, Content content) {
    Graph graph = model.graph();
    GraphProto.Builder proto = proto(model.graphHeader(), graph, content).toBuilder();
    if (model.irVersion() < OnnxModel.INITIALIZERS_APART_SINCE) {
      graph.initializers().values().stream()
          .filter(tensor -> !graph.isInput(tensor.name()))
          .forEach(t -> proto.addInput(ValueInfo.of(t.name(), t.type()).proto()));
    }
    return model.header().toBuilder().setGraph(proto).build();
  }

  static GraphProto proto(GraphProto header, Graph graph, Content content) {
    GraphProto.Builder g = header.toBuilder();
    graph.nodes().forEach(n -> g.addNode(n.proto()));
    graph.inputs().forEach(v -> g.addInput(v.proto()));
    graph.outputs().forEach(v -> g.addOutput(v.proto()));
    graph.valueInfo().forEach(v -> g.addValueInfo(v.proto()));
    graph.initializers().values().forEach(t -> g.addInitializer(content.of(t)));
    return g.build();
  }
}
