package io.github.loragraph.onnx;

import io.github.loragraph.file.FileStamps;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The weights of a model that a runtime reads by itself, in the files where they lie: it maps each
 * one, and lets it go when it has packed it for its products, where nothing else reads it. What is
 * handed over in memory would stay there beside what was packed. Where in a file a weight begins
 * makes no difference: processors that ONNX Runtime is built for read numbers at any byte.
 */
public final class WeightsInFiles {
  /** Smaller ones are not worth a map of their own. */
  private static final int SMALLEST_BYTES = 1 << 16;

  private final @Nullable Path root;
  private final Map<Tensor, String> locations;
  private final Set<FileStamps> stamps;

  private WeightsInFiles(
      @Nullable Path root, Map<Tensor, String> locations, Set<FileStamps> stamps) {
    this.root = root;
    this.locations = locations;
    this.stamps = stamps;
  }

  /** None: all weights are handed over. */
  public static WeightsInFiles none() {
    return new WeightsInFiles(null, Map.of(), Set.of());
  }

  /**
   * Those of a model whose files are still what they were when they were read, all of them in one
   * file system's tree: locations are relative to a folder.
   *
   * @param wanted of the initializers
   */
  public static WeightsInFiles of(OnnxModel model, Predicate<Tensor> wanted) {
    Path root = null;
    Map<Tensor, String> locations = new HashMap<>();
    Map<FileStamps, @Nullable Path> files = new HashMap<>();
    for (Tensor tensor : model.graph().initializers().values()) {
      TensorPlace place = tensor.place();
      if (place == null || tensor.bytes().remaining() < SMALLEST_BYTES || !wanted.test(tensor)) {
        continue;
      }
      if (!files.containsKey(place.stamp())) {
        files.put(place.stamp(), real(place));
      }
      Path file = files.get(place.stamp());
      if (file == null || root != null && !root.equals(file.getRoot())) {
        continue;
      }
      root = file.getRoot();
      List<String> names = new ArrayList<>();
      file.forEach(name -> names.add(name.toString()));
      locations.put(tensor, String.join("/", names));
    }
    Set<FileStamps> stamps = new HashSet<>();
    locations.keySet().forEach(t -> stamps.add(Objects.requireNonNull(t.place()).stamp()));
    return new WeightsInFiles(root, locations, stamps);
  }

  private static @Nullable Path real(TensorPlace place) {
    try {
      return place.stamp().areUnchanged() ? place.file().toRealPath() : null;
    } catch (IOException e) {
      // What cannot be found again is handed over.
      return null;
    }
  }

  /** Whether there is none. */
  public boolean isEmpty() {
    return locations.isEmpty();
  }

  /** Whether a tensor is one of them. */
  public boolean has(Tensor tensor) {
    return locations.containsKey(tensor);
  }

  /**
   * The folder that all locations are relative to.
   *
   * @throws java.util.NoSuchElementException if there is no weight
   */
  public Path root() {
    return Optional.ofNullable(root).orElseThrow();
  }

  /** Whether their files are still what they were when the weights were read. */
  public boolean areUnchanged() {
    return stamps.stream().allMatch(FileStamps::areUnchanged);
  }

  /** Where a tensor lies, relative to the root; null where it is none of them. */
  @Nullable String locationOf(Tensor tensor) {
    return locations.get(tensor);
  }
}
