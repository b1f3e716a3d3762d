package io.github.loragraph.models;

import io.github.loragraph.cache.ToolCache;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Finds the model that an argument means: a path, or the name of a bundled model. */
public final class ModelReference {
  private ModelReference() {}

  /**
   * The model that an argument means, or another one of its folder.
   *
   * @param file a name in the folder or in its folder {@code onnx}; null for its usual model
   * @param cache where bundled models are unpacked
   * @throws LoraGraphException if there is no such model
   */
  public static ModelFolder resolve(String argument, @Nullable String file, ToolCache cache) {
    if (file == null) {
      return resolve(argument, cache);
    }
    try {
      Path path = Path.of(argument);
      if (Files.exists(path)) {
        return ModelFolder.of(path, file);
      }
    } catch (InvalidPathException e) {
      // It may still be a name.
    }
    ModelFolder found = resolve(argument, cache);
    throw new LoraGraphException(
        "%s is a bundled model of one file, %s"
            .formatted(argument, found.modelFile().getFileName()),
        Remedy.OMIT_FILE);
  }

  /**
   * A path that exists wins over a name.
   *
   * @param cache where bundled models are unpacked
   * @throws LoraGraphException if it is neither
   */
  public static ModelFolder resolve(String argument, ToolCache cache) {
    try {
      Path path = Path.of(argument);
      if (Files.exists(path)) {
        return ModelFolder.of(path);
      }
    } catch (InvalidPathException e) {
      // It may still be a name.
    }
    Optional<BundledModel> bundled = BundledModel.named(argument);
    if (bundled.isPresent()) {
      return bundled.get().unpack(cache);
    }
    throw new LoraGraphException(
        "no such model: %s (neither a file, nor a folder, nor a bundled model: %s)"
            .formatted(argument, BundledModel.names()));
  }
}
