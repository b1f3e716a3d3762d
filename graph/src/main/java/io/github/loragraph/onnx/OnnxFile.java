package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.StagedFiles;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes ONNX files (the protobuf format of the ONNX IR specification). A model is read
 * through a memory map: its weights stay in the file and are never copied to the heap. What is not
 * understood (unknown fields, training info, functions, sparse tensors) is carried through.
 *
 * <p>Long because the ways in which weights go into files, in one, beside it or in another's, are
 * read together.
 */
public final class OnnxFile {
  /** The largest protobuf message is 2 GiB; models that come near it get external data. */
  private static final long LARGEST_EMBEDDED = 2_000_000_000L;

  /** Smaller tensors stay in the model file when the others move out: shapes and axes, mostly. */
  static final int SMALLEST_EXTERNAL = 1024;

  /** Where external data starts in its file: a multiple of a page, so that it can be mapped. */
  private static final int ALIGNMENT = 4096;

  static final String DATA_SUFFIX = ".data";

  /** The location that stands in a model whose weights are handed over in memory. */
  private static final String IN_MEMORY = "in-memory";

  private OnnxFile() {}

  /**
   * Reads a model.
   *
   * @throws LoraGraphException if there is no such file or it is no whole, consistent ONNX model
   */
  public static OnnxModel read(Path file) {
    return OnnxReader.read(file);
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

  /**
   * The same without the files that it only refers to, whose content it knows itself.
   *
   * @throws LoraGraphException if the model cannot be read
   */
  public static List<Path> ownDataFiles(Path model) {
    try {
      return List.copyOf(ReplacedData.unstatedDataOf(model));
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + model + ": " + AtomicFile.reason(e), e);
    }
  }

  /**
   * The same of a model that was read from a file, which is not parsed again where it has all of
   * its initializers in itself.
   *
   * @throws LoraGraphException if the file cannot be read
   */
  public static List<Path> dataFiles(OnnxModel read, Path file) {
    boolean external =
        read.graph().initializers().values().stream()
            .anyMatch(tensor -> tensor.isExternal() || isElsewhere(tensor.place(), file));
    return external ? dataFiles(file) : List.of();
  }

  private static boolean isElsewhere(@Nullable TensorPlace place, Path file) {
    return place != null && !place.file().equals(file);
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
    try (StagedFiles files = new StagedFiles(AtomicFile.folderOf(file), replace)) {
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

  /**
   * The same, but small: weights that lie in a file, such as that of the model which this one was
   * made of, are referred to where they lie ({@code external_data} with their offset in that file)
   * and not written again. Every runtime reads that, but only inside of the model's folder: a file
   * from elsewhere gets a further name there (a hard link, {@code <file name>.data}), where that
   * may be and the file system has such. The files have to stay together, and {@link #read} refuses
   * the model where one has another content since. Where nothing can be referred to, it is what
   * {@link #stage} does.
   *
   * @param mayLink whether files from elsewhere may be linked
   * @param files of the model's folder
   * @return the files that the model has weights in; none where it has them itself
   * @throws LoraGraphException if the file exists and may not be replaced, or cannot be written
   */
  @SuppressWarnings("exports") // for lora-graph's own modules
  public static Set<Path> stageReferring(
      OnnxModel model, Path file, boolean mayLink, StagedFiles files) {
    AtomicFile.checkTarget(file, files.mayReplace());
    Path folder = AtomicFile.folderOf(file);
    ReferredWeights referred = new ReferredWeights(file, mayLink, files);
    long whole = 0;
    if (bytesInNoFile(model.graph()) > LARGEST_EMBEDDED) {
      stage(model, file, files);
      return Set.of();
    }
    for (Tensor tensor : model.graph().initializers().values()) {
      if (!referred.add(tensor)) {
        whole += tensor.bytes().remaining();
      }
    }
    if (referred.isEmpty() || whole > LARGEST_EMBEDDED) {
      stage(model, file, files);
      return Set.of();
    }
    OnnxModel small = model.withMetadata(ReferredFiles.KEY, referred.stated());
    ModelProto proto =
        proto(
            small,
            tensor -> {
              String location = referred.locationOf(tensor);
              return location == null
                  ? tensor.embeddedProto()
                  : external(tensor, location, Objects.requireNonNull(tensor.place()).offset());
            });
    List<Path> old = ReplacedData.of(List.of(file));
    files.write(file, proto::writeTo);
    Set<Path> paths = new TreeSet<>();
    referred.locations().forEach(location -> paths.add(folder.resolve(location)));
    old.stream().filter(path -> !paths.contains(path)).forEach(files::deleteAfterwards);
    return paths;
  }

  private static long bytesInNoFile(Graph graph) {
    return graph.initializers().values().stream()
        .filter(tensor -> tensor.place() == null)
        .mapToLong(tensor -> tensor.bytes().remaining())
        .sum();
  }

  /**
   * The models that have weights in a file which is about to be replaced, directly beside it or in
   * the folder above; where one cannot be read, it is not among them.
   */
  public static Set<Path> referringTo(Path file) {
    return ReplacedData.referringTo(file);
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
  static Path free(Path dataFile, Set<Path> models) {
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
    TensorProto.Builder proto = tensor.proto().toBuilder();
    proto
        .clearRawData()
        .clearFloatData()
        .clearInt32Data()
        .clearInt64Data()
        .clearDoubleData()
        .clearUint64Data()
        .clearExternalData()
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(entry("location", location))
        .addExternalData(entry("offset", Long.toString(offset)))
        .addExternalData(entry("length", Long.toString(tensor.bytes().remaining())));
    return proto.build();
  }

  static boolean isExternal(TensorProto tensor) {
    return tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
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
    return serialize(model, outside, WeightsInFiles.none());
  }

  /**
   * The same, with initializers as external data where they lie: whoever loads the bytes says which
   * folder their locations are relative to.
   *
   * @param outside asked of all others
   */
  public static byte[] serialize(
      OnnxModel model, Predicate<Tensor> outside, WeightsInFiles inFiles) {
    ModelProto proto =
        proto(
            model,
            tensor -> {
              String location = inFiles.locationOf(tensor);
              if (location != null) {
                return external(tensor, location, Objects.requireNonNull(tensor.place()).offset());
              }
              return outside.test(tensor) ? external(tensor, IN_MEMORY, 0) : tensor.embeddedProto();
            });
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
