package io.github.loragraph.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LinearFinder;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.LoraMerger;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.Parameters;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever stands in a file, it is read or refused in one line that names the file. */
class HostileFileTest {
  @TempDir Path folder;
  private ModelProto model;

  /** An injected model of two Linears with an inner graph and a Constant. */
  @BeforeEach
  void makeModel() throws IOException {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("x", TensorType.of(ElementType.FLOAT, 2, 4)));
    graph.putInitializer(Tensor.ofFloats("encoder.query.weight", new float[16], 4, 4));
    graph.putInitializer(Tensor.ofFloats("classifier.weight", new float[8], 4, 2));
    graph.putInitializer(Tensor.ofFloats("classifier.bias", new float[2], 2));
    graph.add(
        Node.of(
            "/encoder/query/MatMul", "MatMul", List.of("x", "encoder.query.weight"), List.of("q")));
    graph.add(
        Node.of("one", "Constant", List.of(), List.of("c"))
            .with("value", Tensor.ofFloats("", new float[] {1}, 1)));
    Graph inner = new Graph();
    inner.putInitializer(Tensor.ofFloats("two", new float[] {2}, 1));
    inner.add(Node.of("twice", "Mul", List.of("q", "two"), List.of("d")));
    inner.addOutput(ValueInfo.of("d", TensorType.of(ElementType.FLOAT, 2, 4)));
    graph.putInitializer(Tensor.ofBooleans("yes", new boolean[] {true}));
    graph.add(
        Node.of("if", "If", List.of("yes"), List.of("e"))
            .with("then_branch", "then", inner)
            .with("else_branch", "else", inner));
    graph.add(Node.of("sum", "Add", List.of("e", "c"), List.of("f")));
    graph.add(
        Node.of(
            "/classifier/Gemm",
            "Gemm",
            List.of("f", "classifier.weight", "classifier.bias"),
            List.of("logits")));
    graph.addOutput(ValueInfo.of("logits", TensorType.of(ElementType.FLOAT, 2, 2)));
    OnnxModel made = OnnxModel.of("hostile", graph, 8, 17);
    Path file = folder.resolve("original.onnx");
    OnnxFile.write(
        LoraInjector.inject(
            made,
            new InjectionOptions(Pattern.compile("query"), 2, 2, InjectionOptions.DEFAULT_HEAD, 0)),
        file,
        false);
    model = ModelProto.parseFrom(Files.readAllBytes(file));
  }

  /** What {@code inspect} and {@code merge} do with a file before anything runs. */
  private static void look(Path file) {
    OnnxModel read = OnnxFile.read(file);
    LinearFinder.find(read.graph());
    LoraMetadata.adaptedPaths(read);
    Parameters.of(read);
    try {
      LoraMerger.merge(read);
    } catch (LoraGraphException e) {
      requireGood(e, file);
      if (!e.getMessage().contains("adapter") && !e.getMessage().contains("FLOAT")) {
        throw e;
      }
    }
  }

  private static void requireGood(LoraGraphException e, Path file) {
    String message = e.getMessage();
    assertTrue(message.contains(file.getFileName().toString()), message);
    assertTrue(message.length() <= LoraGraphException.LONGEST_MESSAGE, message);
    assertTrue(message.chars().noneMatch(Character::isISOControl), message);
  }

  private String refusal(byte[] content) throws IOException {
    Path file = Files.write(folder.resolve("hostile.onnx"), content);
    LoraGraphException e = assertThrows(LoraGraphException.class, () -> look(file));
    requireGood(e, file);
    return e.getMessage();
  }

  private void refused(String words, byte[] content) throws IOException {
    String message = refusal(content);
    assertTrue(message.contains(words), message);
  }

  private void refused(String words, Consumer<ModelProto.Builder> change) throws IOException {
    ModelProto.Builder builder = model.toBuilder();
    change.accept(builder);
    refused(words, builder.build().toByteArray());
  }

  @Test
  void otherFormatsAreCalledByTheirNames() throws IOException {
    ByteArrayOutputStream zipped = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(zipped)) {
      gzip.write(model.toByteArray());
    }
    refused("gunzip", zipped.toByteArray());
    refused(
        "PyTorch file",
        "PK\u0003\u0004........archive/data.pklFB".getBytes(StandardCharsets.UTF_8));
    refused("zip archive", "PK\u0003\u0004........file.txt".getBytes(StandardCharsets.UTF_8));
    refused(
        "safetensors", "\u0010\0\0\0\0\0\0\0{\"a\":{\"dtype\":".getBytes(StandardCharsets.UTF_8));
    refused("pickle", new byte[] {(byte) 0x80, 2, 'c', 't', 'o'});
    refused("GGUF", "GGUF\u0003\0\0\0".getBytes(StandardCharsets.UTF_8));
    refused("ONNX Runtime's own format", "\u0018\0\0\0ORTM\0\0".getBytes(StandardCharsets.UTF_8));
    refused("HTML", "\n <html>".getBytes(StandardCharsets.UTF_8));
    refused(
        "git lfs pull",
        "version https://git-lfs.github.com/spec/v1\n".getBytes(StandardCharsets.UTF_8));
    refused("is empty", new byte[0]);
    refused("not an ONNX model", new byte[5000]);
    for (int length = 1; length < model.getSerializedSize(); length += 97) {
      refusal(Arrays.copyOf(model.toByteArray(), length));
    }
  }

  @Test
  void pipesFoldersAndDevicesAreRefusedAtOnce() throws Exception {
    Path pipe = folder.resolve("pipe.onnx");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    Files.createDirectory(folder.resolve("folder.onnx"));
    for (Path file :
        List.of(
            pipe, folder.resolve("folder.onnx"), Path.of("/dev/zero"), folder.resolve("no.onnx"))) {
      Assertions.assertTimeoutPreemptively(
          Duration.ofSeconds(20),
          () ->
              requireGood(assertThrows(LoraGraphException.class, () -> OnnxFile.read(file)), file));
    }
  }

  @Test
  void numbersThatCannotBeAreRefused() throws IOException {
    long huge = 1L << 40;
    refused("no IR version", m -> m.setIrVersion(huge));
    refused(
        "no version of the operator set",
        m -> m.setOpsetImport(0, OperatorSetIdProto.newBuilder().setVersion(huge)));
    refused("not an ONNX model", m -> m.clearGraph());
    for (long size : new long[] {huge, Long.MAX_VALUE}) {
      refused(
          "'x' has an axis of size " + size,
          m ->
              m.getGraphBuilder()
                  .getInputBuilder(0)
                  .getTypeBuilder()
                  .getTensorTypeBuilder()
                  .getShapeBuilder()
                  .getDimBuilder(1)
                  .setDimValue(size));
      refused("has an axis of size " + size, m -> initializer(m).setDims(0, size));
    }
    refused("has an axis of size -4", m -> initializer(m).setDims(0, -4));
    refused(
        "needs 64 bytes but has 2",
        m -> initializer(m).setRawData(ByteString.copyFrom(new byte[2])));
    int most = Integer.MAX_VALUE;
    refused(
        "more elements than can be counted",
        m -> initializer(m).clearDims().addAllDims(List.of((long) most, (long) most, (long) most)));
    refused("no element type", m -> initializer(m).setDataType(0));
    refused(
        "needs",
        m ->
            m.getGraphBuilder().getNodeBuilderList().stream()
                .filter(n -> n.getOpType().equals("Constant"))
                .forEach(n -> n.getAttributeBuilder(0).getTBuilder().setDims(0, 7)));
  }

  private static TensorProto.Builder initializer(ModelProto.Builder model) {
    return model.getGraphBuilder().getInitializerBuilder(0);
  }

  @Test
  void namesThatNothingCouldBeKnownByAreRefused() throws IOException {
    refused("initializer has no name", m -> initializer(m).setName(""));
    refused("input has no name", m -> m.getGraphBuilder().getInputBuilder(0).setName(""));
    refused("output has no name", m -> m.getGraphBuilder().getOutputBuilder(0).setName(""));
    ByteString noUtf8 = ByteString.copyFrom(new byte[] {'a', (byte) 0xff});
    refused("is not UTF-8", m -> initializer(m).setNameBytes(noUtf8));
    refused(
        "is not UTF-8",
        m ->
            m.getGraphBuilder()
                .getNodeBuilder(0)
                .setInput(0, "?")
                .clearInput()
                .addInputBytes(noUtf8));
    GraphProto graph = model.getGraph();
    refused("twice", m -> m.getGraphBuilder().addInitializer(graph.getInitializer(0)));
    refused("twice", m -> m.getGraphBuilder().addInput(graph.getInput(0)));
    refused("twice", m -> m.getGraphBuilder().addOutput(graph.getOutput(0)));
    refused(
        "\\u001b[31m",
        m -> {
          initializer(m).setName("\u001b[31m" + "n".repeat(100_000)).setDims(0, 3);
        });
  }

  @Test
  void nodesThatCannotRunAreRefused() throws IOException {
    refused("is made twice", m -> m.getGraphBuilder().getNodeBuilder(0).addOutput("logits"));
    refused(
        "is made twice",
        m -> {
          NodeProto.Builder node = m.getGraphBuilder().getNodeBuilder(0);
          node.addOutput(node.getOutput(0));
        });
    for (String made : List.of("q", "f", "logits")) {
      // The way back from f to q leads through what an inner graph reads.
      refused("from its own output", m -> node(m, "/encoder/query/MatMul").setInput(0, made));
    }
    refused(
        "which nothing makes", m -> node(m, "/encoder/query/MatMul").setInput(0, "from nowhere"));
  }

  private static NodeProto.Builder node(ModelProto.Builder model, String name) {
    return model.getGraphBuilder().getNodeBuilderList().stream()
        .filter(n -> n.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** Nothing goes down a graph recursively, or through all of it for each node. */
  @Test
  @Timeout(300)
  void longChainsInAnyOrderAreRead() throws IOException {
    int length = 30_000;
    ModelProto.Builder builder = model.toBuilder();
    GraphProto.Builder graph = builder.getGraphBuilder();
    graph.addInitializer(Tensor.ofFloats("far.weight", new float[8], 2, 4).proto());
    for (int i = length; i > 0; i--) {
      chainNode(graph, "Relu", i == 1 ? "logits" : "relu" + (i - 1), "relu" + i);
      chainNode(graph, "Identity", i == 1 ? "far.weight" : "same" + (i - 1), "same" + i);
    }
    chainNode(graph, "MatMul", "relu" + length, "product").addInput("same" + length);
    graph.getOutputBuilder(0).setName("product");
    Path file = Files.write(folder.resolve("long.onnx"), builder.build().toByteArray());
    look(file);
    Graph read = OnnxFile.read(file).graph();
    assertEquals("far.weight", read.constant("same" + length).name());
    assertTrue(
        LinearFinder.find(read).stream().anyMatch(linear -> linear.weight().equals("far.weight")));
  }

  private static NodeProto.Builder chainNode(
      GraphProto.Builder graph, String operator, String input, String output) {
    return graph
        .addNodeBuilder()
        .setName("/chain/" + output)
        .setOpType(operator)
        .addInput(input)
        .addOutput(output);
  }

  @Test
  void deepNestingIsRefused() throws IOException {
    // Made from the inside: a writer that goes down recursively would not come back either.
    byte[] graph = GraphProto.newBuilder().setName("inner").build().toByteArray();
    for (int depth = 0; depth < 10_000 && graph.length < 1 << 20; depth++) {
      byte[] attribute = field(AttributeProto.G_FIELD_NUMBER, graph);
      byte[] node = field(NodeProto.ATTRIBUTE_FIELD_NUMBER, attribute);
      graph = field(GraphProto.NODE_FIELD_NUMBER, node);
    }
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.write(model.toBuilder().clearGraph().build().toByteArray());
    file.write(field(ModelProto.GRAPH_FIELD_NUMBER, graph));
    refused("too deeply", file.toByteArray());
  }

  private static byte[] field(int number, byte[] content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(content.length + 16);
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    out.writeByteArray(number, content);
    out.flush();
    return bytes.toByteArray();
  }

  private void refusedExternal(String words, Map<String, String> place) throws IOException {
    Files.write(folder.resolve("w.data"), new byte[64]);
    refused(words, m -> external(initializer(m), place));
  }

  private static void external(TensorProto.Builder tensor, Map<String, String> place) {
    tensor.clearRawData().setDataLocation(TensorProto.DataLocation.EXTERNAL).clearExternalData();
    place.forEach(
        (key, value) ->
            tensor.addExternalData(
                StringStringEntryProto.newBuilder().setKey(key).setValue(value)));
  }

  /** The data is looked for beside the link, as other programs do. */
  @Test
  void aLinkWithoutItsDataSaysSo() throws IOException {
    Path inner = Files.createDirectory(folder.resolve("inner"));
    Files.write(inner.resolve("w.data"), new byte[64]);
    ModelProto.Builder builder = model.toBuilder();
    external(initializer(builder), Map.of("location", "w.data"));
    Files.write(inner.resolve("linked.onnx"), builder.build().toByteArray());
    Path link = Files.createSymbolicLink(folder.resolve("link.onnx"), inner.resolve("linked.onnx"));
    String message = assertThrows(LoraGraphException.class, () -> OnnxFile.read(link)).getMessage();
    assertTrue(message.contains("the model is a link"), message);
  }

  @Test
  void externalDataThatCannotBeIsRefused() throws IOException {
    String most = Long.toString(Long.MAX_VALUE);
    refusedExternal("has only 64", Map.of("location", "w.data", "offset", most, "length", most));
    refusedExternal("has only 64", Map.of("location", "w.data", "offset", "64", "length", "1"));
    refusedExternal("has only 64", Map.of("location", "w.data", "offset", most));
    refusedExternal("no size", Map.of("location", "w.data", "length", "-1"));
    refusedExternal("no size", Map.of("location", "w.data", "length", "9".repeat(100_000)));
    refusedExternal("no file inside", Map.of("location", "../w.data"));
    refusedExternal("no file inside", Map.of("location", "a\u0000b"));
    refusedExternal("no file inside", Map.of("offset", "0"));
    refusedExternal("is missing", Map.of("location", "x".repeat(50)));
    Files.createDirectory(folder.resolve("d"));
    refusedExternal("no file inside", Map.of("location", "d"));
    refusedExternal("needs 64 bytes but has 8", Map.of("location", "w.data", "length", "8"));
  }

  /** A node cannot go to another folder and leave its tensors behind. */
  @Test
  void tensorsInsideNodesAreReadFromBesideTheModel() throws Exception {
    Files.write(
        folder.resolve("w.data"),
        Tensor.ofFloats("", new float[] {7}, 1).proto().getRawData().toByteArray());
    ModelProto.Builder builder = model.toBuilder();
    for (NodeProto.Builder node : builder.getGraphBuilder().getNodeBuilderList()) {
      if (node.getOpType().equals("Constant")) {
        external(node.getAttributeBuilder(0).getTBuilder(), Map.of("location", "w.data"));
      }
      if (node.getOpType().equals("If")) {
        external(
            node.getAttributeBuilder(0).getGBuilder().getInitializerBuilder(0),
            Map.of("location", "w.data"));
      }
    }
    Path file = Files.write(folder.resolve("beside.onnx"), builder.build().toByteArray());
    Path copy = folder.resolve("elsewhere/copy.onnx");
    OnnxFile.write(OnnxFile.read(file), copy, false);
    assertEquals(7, OnnxFile.read(copy).graph().constant("c").toFloats()[0]);
    assertFalse(
        new String(Files.readAllBytes(copy), StandardCharsets.ISO_8859_1).contains("w.data"));
  }

  @Test
  void metadataIsRefusedWithoutNamesOfClasses() throws IOException {
    String json = OnnxFile.read(folder.resolve("original.onnx")).metadata().get(LoraMetadata.KEY);
    Map<String, String> cases =
        Map.of(
            json.replace("\"rank\":2,\"alpha\":2.0}", "\"rank\":\"x\",\"alpha\":2.0}"),
            "targets[0].rank",
            json.replace("\"rank\":2,\"alpha\":2.0}", "\"rank\":null,\"alpha\":2.0}"),
            "targets[0].rank",
            json.replace("\"rank\":2,\"alpha\":2.0}", "\"rank\":0,\"alpha\":2.0}"),
            "malformed",
            json.replace("\"rank\":2,\"alpha\":2.0}", "\"rank\":2,\"alpha\":NaN}"),
            "no JSON",
            json.replace("\"seed\":0", "\"seed\":0,\"" + "s".repeat(40_000) + "\":1"),
            "malformed",
            json.replace("\"seed\":0", "\"sedd\":0"),
            "malformed",
            "[".repeat(100_000),
            "malformed",
            "{\"formatVersion\":3}",
            "is of format 3",
            "null",
            "no formatVersion");
    for (Map.Entry<String, String> entry : cases.entrySet()) {
      assertFalse(entry.getKey().equals(json), entry.getValue());
      ModelProto.Builder builder = model.toBuilder();
      builder.getMetadataPropsBuilder(0).setValue(entry.getKey());
      String message = refusal(builder.build().toByteArray());
      assertTrue(message.contains(entry.getValue()), message);
      assertFalse(message.contains("java") || message.contains("loragraph"), message);
    }
  }

  /** Bytes changed, put in, taken out, at random; and whole fields. */
  @Test
  void damagedFilesAreReadOrRefused() throws IOException {
    long seed = Long.getLong("test.seed", System.nanoTime());
    Random random = new Random(seed);
    byte[] original = model.toByteArray();
    Path file = folder.resolve("damaged.onnx");
    int read = 0;
    for (int i = 0; i < 4000; i++) {
      byte[] damaged = i % 4 == 0 ? changedFields(random) : changedBytes(original, random);
      Files.write(file, damaged);
      try {
        look(file);
        read++;
      } catch (LoraGraphException e) {
        requireGood(e, file);
      } catch (RuntimeException | StackOverflowError e) {
        throw new AssertionError("seed " + seed + ", file " + i, e);
      }
    }
    assertTrue(read > 100 && read < 3900, read + " were read");
  }

  private static byte[] changedBytes(byte[] original, Random random) {
    byte[] damaged = original.clone();
    for (int k = 0; k <= random.nextInt(4); k++) {
      int at = random.nextInt(damaged.length);
      int length = Math.min(random.nextInt(9), damaged.length - at);
      switch (random.nextInt(4)) {
        case 0 -> damaged[at] = (byte) random.nextInt(256);
        case 1 -> damaged[at] ^= (byte) (1 << random.nextInt(8));
        case 2 -> Arrays.fill(damaged, at, at + length, (byte) 0xff);
        default -> {
          byte[] cut = new byte[damaged.length - length];
          System.arraycopy(damaged, 0, cut, 0, at);
          System.arraycopy(damaged, at + length, cut, at, cut.length - at);
          damaged = cut.length == 0 ? original.clone() : cut;
        }
      }
    }
    return damaged;
  }

  private byte[] changedFields(Random random) {
    ModelProto.Builder builder = model.toBuilder();
    GraphProto.Builder g = builder.getGraphBuilder();
    long[] numbers = {0, -1, 1, 3, 1L << 31, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE};
    String[] names = {"", "x", "q", "logits", "encoder.query.weight", "\u001b[0m\n", "no"};
    for (int k = 0; k <= random.nextInt(2); k++) {
      long number = numbers[random.nextInt(numbers.length)];
      String name = names[random.nextInt(names.length)];
      NodeProto.Builder node = g.getNodeBuilder(random.nextInt(g.getNodeCount()));
      TensorProto.Builder tensor = g.getInitializerBuilder(random.nextInt(g.getInitializerCount()));
      switch (random.nextInt(11)) {
        case 0 -> tensor.setDataType((int) number);
        case 1 -> tensor.addDims(number);
        case 2 -> tensor.setName(name);
        case 3 -> tensor.clearDims();
        case 4 -> node.setName(name).setOpType(random.nextBoolean() ? "Identity" : "Transpose");
        case 5 -> node.addInput(name);
        case 6 -> node.addOutput(name);
        case 7 -> node.clearInput();
        case 8 -> node.clearAttribute().setOpType("Constant");
        case 9 ->
            node.addAttribute(
                AttributeProto.newBuilder().setName("perm").addInts(number).setI(number));
        default -> g.addInput(ValueInfoProto.newBuilder().setName(name));
      }
    }
    return builder.build().toByteArray();
  }
}
