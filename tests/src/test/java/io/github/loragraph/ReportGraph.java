package io.github.loragraph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A small graph of a kind that once failed, as some exporter writes it; the README beside the files
 * says what is special about each. The files hold no larger weights: these are drawn here, the same
 * each time, for each tensor from its name.
 */
final class ReportGraph {
  /** Tensors of more numbers than this are drawn, not stored. */
  private static final int LARGEST_STORED = 64;

  private ReportGraph() {}

  /** The names of all graphs. */
  static List<String> cases() {
    try (Stream<Path> files = Files.list(folder())) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".onnx"))
          .map(name -> name.substring(0, name.length() - ".onnx".length()))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The model with its weights. */
  static OnnxModel model(String name) {
    try {
      Path file = Files.createTempFile("graph", ".onnx");
      try {
        Files.write(file, proto(name).toByteArray());
        return OnnxFile.read(file);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Writes {@code model.onnx} and eight rows for it, {@code train.jsonl}, into a folder.
   *
   * @return the model's file
   */
  static Path write(String name, Path folder) {
    try {
      ModelProto model = proto(name);
      Files.createDirectories(folder);
      String rows = name.equals("46-regression-1d") ? "numbers" : "classes";
      String text = Files.readString(folder().resolve(rows + ".jsonl"));
      if (model.getGraph().getInputList().stream()
          .noneMatch(input -> input.getName().equals("attention_mask"))) {
        text = text.replaceAll("\"attention_mask\": \\[[^]]*], ", "");
      }
      Files.writeString(folder.resolve("train.jsonl"), text);
      return Files.write(folder.resolve("model.onnx"), model.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path folder() {
    try {
      return Path.of(ReportGraph.class.getResource("/reports").toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The file's content with its weights. */
  static ModelProto proto(String name) throws IOException {
    try (InputStream in = Files.newInputStream(folder().resolve(name + ".onnx"))) {
      return mapped(ModelProto.parseFrom(in), ReportGraph::filled);
    }
  }

  private static TensorProto filled(TensorProto tensor) {
    long count = tensor.getDimsList().stream().reduce(1L, (a, b) -> a * b);
    TensorProto.DataType type = TensorProto.DataType.forNumber(tensor.getDataType());
    if (count <= LARGEST_STORED || !isDrawn(type)) {
      return tensor;
    }
    Random random = new Random(tensor.getName().hashCode());
    double mean = tensor.getDimsCount() == 1 && tensor.getName().endsWith("orm.weight") ? 1 : 0;
    double deviation = tensor.getName().contains("embeddings") ? 0.4 : 0.15;
    ByteBuffer bytes = ByteBuffer.allocate((int) count * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (long i = 0; i < count; i++) {
      double drawn = random.nextGaussian();
      float value = (float) (mean + deviation * drawn);
      switch (type) {
        case FLOAT -> bytes.putFloat(value);
        case FLOAT16 -> bytes.put(Tensor.scalar("", ElementType.FLOAT16, value).bytes());
        default -> bytes.put((byte) Math.max(-127, Math.min(127, Math.round(36 * drawn))));
      }
    }
    return tensor.toBuilder().setRawData(ByteString.copyFrom(bytes.flip())).build();
  }

  private static boolean isDrawn(TensorProto.DataType type) {
    return type == TensorProto.DataType.FLOAT
        || type == TensorProto.DataType.FLOAT16
        || type == TensorProto.DataType.INT8;
  }

  private static TensorProto stripped(TensorProto tensor) {
    long count = tensor.getDimsList().stream().reduce(1L, (a, b) -> a * b);
    boolean drawn = isDrawn(TensorProto.DataType.forNumber(tensor.getDataType()));
    return count <= LARGEST_STORED || !drawn
        ? tensor
        : tensor.toBuilder().clearRawData().clearFloatData().clearInt32Data().build();
  }

  /** The model with other tensors, wherever they stand: in graphs, subgraphs, nodes, functions. */
  private static ModelProto mapped(ModelProto model, Function<TensorProto, TensorProto> tensors) {
    ModelProto.Builder result = model.toBuilder().setGraph(mapped(model.getGraph(), tensors));
    for (int i = 0; i < result.getFunctionsCount(); i++) {
      FunctionProto.Builder function = result.getFunctions(i).toBuilder();
      function.getNodeBuilderList().forEach(node -> map(node, tensors));
      result.setFunctions(i, function);
    }
    return result.build();
  }

  private static GraphProto mapped(GraphProto graph, Function<TensorProto, TensorProto> tensors) {
    GraphProto.Builder result = graph.toBuilder();
    for (int i = 0; i < result.getInitializerCount(); i++) {
      result.setInitializer(i, tensors.apply(result.getInitializer(i)));
    }
    result.getNodeBuilderList().forEach(node -> map(node, tensors));
    return result.build();
  }

  private static void map(NodeProto.Builder node, Function<TensorProto, TensorProto> tensors) {
    for (AttributeProto.Builder attribute : node.getAttributeBuilderList()) {
      if (attribute.hasT()) {
        attribute.setT(tensors.apply(attribute.getT()));
      }
      if (attribute.hasG()) {
        attribute.setG(mapped(attribute.getG(), tensors));
      }
    }
  }

  /**
   * Takes a graph in, without its larger weights: {@code SOURCE.onnx TARGET.onnx}.
   *
   * @throws IOException if a file cannot be read or written
   */
  public static void main(String[] files) throws IOException {
    ModelProto model = ModelProto.parseFrom(Files.readAllBytes(Path.of(files[0])));
    Files.write(Path.of(files[1]), mapped(model, ReportGraph::stripped).toByteArray());
  }
}
