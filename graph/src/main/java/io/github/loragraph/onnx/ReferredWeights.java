package io.github.loragraph.onnx;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.file.Uninterrupted;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Which weights of a model that is being written are referred to in files that are there. */
final class ReferredWeights {
  /** In the model's folder, or in one of it. */
  private static final int DEEPEST = 2;

  private final Path model;
  private final boolean mayLink;
  private final StagedFiles files;
  private final Map<Tensor, String> locations = new HashMap<>();

  /** What is at a location, links followed: the file that the weights were read from. */
  private final Map<Path, String> known = new HashMap<>();

  private final Set<String> links = new HashSet<>();

  /**
   * @param model the file that is written
   * @param mayLink whether files from elsewhere may get a name in the model's folder
   * @param files takes such names
   */
  ReferredWeights(Path model, boolean mayLink, StagedFiles files) {
    this.model = model;
    this.mayLink = mayLink;
    this.files = files;
  }

  /**
   * Adds a tensor.
   *
   * @return whether it is referred to; else it is to be written
   */
  boolean add(Tensor tensor) {
    TensorPlace place = tensor.place();
    if (place == null || tensor.bytes().remaining() < OnnxFile.SMALLEST_EXTERNAL) {
      return false;
    }
    try {
      Path folder = AtomicFile.folderOf(model);
      if (!Files.isDirectory(folder) || !Files.isRegularFile(place.file())) {
        return false;
      }
      Path real = place.file().toRealPath();
      String location = known.get(real);
      if (location == null) {
        location = location(real, folder.toRealPath());
      }
      if (location == null) {
        return false;
      }
      known.put(real, location);
      locations.put(tensor, location);
      return true;
    } catch (IOException e) {
      // What cannot be found again is written.
      return false;
    }
  }

  private @Nullable String location(Path real, Path folder) throws IOException {
    if (Files.exists(model) && real.equals(model.toRealPath())) {
      return null;
    }
    if (real.startsWith(folder)) {
      List<String> names = new ArrayList<>();
      folder.relativize(real).forEach(name -> names.add(name.toString()));
      String location = String.join("/", names);
      // Whoever replaces a model looks for others that need its data as far away as that.
      if (names.size() <= DEEPEST) {
        return location.contains("\\") ? null : location;
      }
    }
    if (!mayLink) {
      return null;
    }
    Path wanted = model.resolveSibling(model.getFileName() + OnnxFile.DATA_SUFFIX);
    Path free = OnnxFile.free(wanted, Set.of(model));
    if (!files.link(free, real)) {
      return null;
    }
    String location = free.getFileName().toString();
    links.add(location);
    return location;
  }

  boolean isEmpty() {
    return locations.isEmpty();
  }

  /** The files, relative to the model's folder, in the order of their names. */
  Set<String> locations() {
    return new TreeSet<>(locations.values());
  }

  /** Where a tensor is referred to; null where it is to be written. */
  @Nullable String locationOf(Tensor tensor) {
    return locations.get(tensor);
  }

  /**
   * What the model says of the files.
   *
   * @throws LoraGraphException if a file was replaced since the weights were read from it
   */
  String stated() {
    String stated = ReferredFiles.stated(locations(), links, AtomicFile.folderOf(model));
    // After their checksums: what is replaced from now on no longer has them.
    locations.keySet().forEach(ReferredWeights::requireInPlace);
    return stated;
  }

  private static void requireInPlace(Tensor tensor) {
    TensorPlace place = Objects.requireNonNull(tensor.place());
    ByteBuffer bytes = tensor.bytes();
    try {
      if (!place.stamp().areUnchanged() && !Uninterrupted.run(() -> isAt(place, bytes))) {
        throw new LoraGraphException(
            "%s has changed since it was read: begin again".formatted(place.file()));
      }
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + place.file() + ": " + AtomicFile.reason(e), e);
    }
  }

  private static boolean isAt(TensorPlace place, ByteBuffer bytes) throws IOException {
    try (FileChannel channel = FileChannel.open(place.file(), StandardOpenOption.READ)) {
      long end = place.offset() + bytes.remaining();
      return channel.size() >= end
          && channel
              .map(FileChannel.MapMode.READ_ONLY, place.offset(), bytes.remaining())
              .equals(bytes);
    }
  }
}
