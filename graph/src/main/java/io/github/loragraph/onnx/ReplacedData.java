package io.github.loragraph.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.UnsafeByteOperations;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.Uninterrupted;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/** Finds external data that nobody needs once models have been replaced. */
final class ReplacedData {
  private ReplacedData() {}

  /**
   * The files that models which are about to be replaced have their weights in, where they lie
   * directly beside them and no other {@code .onnx} file of that folder or of the one above has
   * weights there. Where one of these cannot be read, nobody knows, and there are none.
   */
  static List<Path> of(Collection<Path> models) {
    try {
      Set<Path> data = new TreeSet<>();
      Set<Path> replaced = new TreeSet<>();
      for (Path model : models) {
        if (Files.isRegularFile(model, LinkOption.NOFOLLOW_LINKS)) {
          Path real = model.toRealPath();
          replaced.add(real);
          for (Path file : ownDataOf(real)) {
            if (AtomicFile.folderOf(file).equals(AtomicFile.folderOf(real))
                && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
              data.add(file);
            }
          }
        }
      }
      if (data.isEmpty()) {
        return List.of();
      }
      Path folder = AtomicFile.folderOf(data.iterator().next());
      keepNeeded(folder, replaced, data);
      Path above = folder.getParent();
      if (above != null) {
        keepNeeded(above, replaced, data);
      }
      data.removeAll(replaced);
      return List.copyOf(data);
    } catch (IOException | InvalidPathException | DirectoryIteratorException e) {
      return List.of();
    }
  }

  private static void keepNeeded(Path folder, Set<Path> replaced, Set<Path> data)
      throws IOException {
    try (DirectoryStream<Path> models = Files.newDirectoryStream(folder, "*.onnx")) {
      for (Path model : models) {
        if (Files.isRegularFile(model) && !replaced.contains(model)) {
          data.removeAll(dataOf(model));
        }
      }
    }
  }

  /** The models beside a file, or one folder up, that have weights in it. */
  static Set<Path> referringTo(Path file) {
    Set<Path> found = new TreeSet<>();
    Path folder = AtomicFile.folderOf(file.toAbsolutePath().normalize());
    Path above = folder.getParent();
    for (Path searched : above == null ? List.of(folder) : List.of(folder, above)) {
      try (DirectoryStream<Path> models = Files.newDirectoryStream(searched, "*.onnx")) {
        for (Path model : models) {
          if (Files.isRegularFile(model)
              && !Files.isSameFile(model, file)
              && dataOf(model).contains(folder.resolve(file.getFileName()))) {
            found.add(model);
          }
        }
      } catch (IOException | DirectoryIteratorException e) {
        // What cannot be read is no model that would be missed.
      }
    }
    return found;
  }

  /** Where a model has weights outside. */
  static Set<Path> dataOf(Path model) throws IOException {
    return Uninterrupted.run(() -> read(model, file -> false));
  }

  /** The same without the files whose content the model itself is held to. */
  static Set<Path> unstatedDataOf(Path model) throws IOException {
    return Uninterrupted.run(() -> read(model, file -> true));
  }

  /** The same without the files of others, which it only refers to: those are not its to delete. */
  private static Set<Path> ownDataOf(Path model) throws IOException {
    return Uninterrupted.run(() -> read(model, file -> !file.link()));
  }

  private static Set<Path> read(Path model, Predicate<ReferredFiles> left) throws IOException {
    Set<Path> files = new TreeSet<>();
    try (FileChannel channel = FileChannel.open(model, StandardOpenOption.READ)) {
      CodedInputStream in =
          UnsafeByteOperations.unsafeWrap(
                  channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()))
              .newCodedInput();
      in.enableAliasing(true);
      in.setSizeLimit(Integer.MAX_VALUE);
      ModelProto proto = ModelProto.parseFrom(in);
      add(proto.getGraph(), model, files);
      proto.getMetadataPropsList().stream()
          .filter(entry -> entry.getKey().equals(ReferredFiles.KEY))
          .flatMap(entry -> ReferredFiles.of(entry.getValue()).stream())
          .filter(left)
          .forEach(file -> files.remove(model.resolveSibling(file.location()).normalize()));
    } catch (IllegalArgumentException | LoraGraphException e) {
      throw new IOException(e);
    }
    return files;
  }

  private static void add(GraphProto graph, Path model, Set<Path> files) {
    graph.getInitializerList().forEach(tensor -> add(tensor, model, files));
    graph.getNodeList().forEach(node -> node.getAttributeList().forEach(a -> add(a, model, files)));
  }

  private static void add(AttributeProto attribute, Path model, Set<Path> files) {
    add(attribute.getT(), model, files);
    attribute.getTensorsList().forEach(tensor -> add(tensor, model, files));
    if (attribute.hasG()) {
      add(attribute.getG(), model, files);
    }
    attribute.getGraphsList().forEach(graph -> add(graph, model, files));
  }

  private static void add(TensorProto tensor, Path model, Set<Path> files) {
    if (OnnxFile.isExternal(tensor)) {
      for (StringStringEntryProto entry : tensor.getExternalDataList()) {
        if (entry.getKey().equals("location") && !entry.getValue().isEmpty()) {
          files.add(model.resolveSibling(entry.getValue()).normalize());
        }
      }
    }
  }
}
