package io.github.loragraph.models;

import io.github.loragraph.adapter.PeftAdapter;
import io.github.loragraph.adapter.PeftConfig;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.trainer.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The folder of an adapter, in PEFT's layout: by itself, that of a run, or one of those that lie
 * beside a model, {@code adapters/NAME}.
 *
 * @param folder has the adapter's two files
 * @param run the run folder that it belongs to, which says how its data was read; null where it
 *     belongs to none
 */
public record AdapterFolder(Path folder, @Nullable Path run) {
  /** The folder beside a model that has its adapters by their names. */
  public static final String BESIDE = "adapters";

  /** How texts are read, in an adapter's folder: the entries of a run's configuration. */
  public static final String READING = "reading.yaml";

  /**
   * The adapter at a path.
   *
   * @param path a folder with an adapter, or a run folder
   * @throws LoraGraphException if it is neither
   */
  public static AdapterFolder at(Path path) {
    RunFolder.finishWriting(path);
    if (RunFolder.hasAdapter(path)) {
      return new AdapterFolder(path.resolve(RunFolder.ADAPTER), path);
    }
    if (Files.isDirectory(path) && RunFolder.isFinished(path)) {
      throw new LoraGraphException(
          "%s is a run without an adapter: its model is %s"
              .formatted(path, path.resolve(RunFolder.MODEL)));
    }
    @Nullable Path above = path.toAbsolutePath().normalize().getParent();
    boolean ofRun =
        above != null
            && path.endsWith(RunFolder.ADAPTER)
            && Files.isRegularFile(above.resolve(RunFolder.CONFIG));
    return new AdapterFolder(path, ofRun ? path.resolveSibling("").normalize() : null);
  }

  /**
   * The adapter that an argument means: a folder that is there, or the name of one beside a model.
   *
   * @param home the model's folder
   * @throws LoraGraphException if it is neither; it names those that are there
   */
  public static AdapterFolder of(String argument, Path home) {
    Path named;
    try {
      Path path = Path.of(argument);
      if (Files.exists(path)) {
        return at(path);
      }
      named = home.resolve(BESIDE).resolve(argument);
    } catch (InvalidPathException e) {
      throw new LoraGraphException("no such adapter: " + argument, e);
    }
    if (Files.isDirectory(named)) {
      return at(named);
    }
    List<String> found = names(home);
    throw new LoraGraphException(
        found.isEmpty()
            ? "no such adapter: %s (no folder, and there is no %s)"
                .formatted(argument, home.resolve(BESIDE))
            : "no such adapter: %s (no folder, and %s has %s)"
                .formatted(argument, home.resolve(BESIDE), String.join(", ", found)));
  }

  /** The names of the adapters beside a model. */
  public static List<String> names(Path home) {
    Path folder = home.resolve(BESIDE);
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> children = Files.list(folder)) {
      return children
          .filter(child -> Files.isRegularFile(child.resolve(PeftConfig.FILE)))
          .map(child -> child.getFileName().toString())
          .sorted()
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  /** The file that says how data is read; empty where there is none. */
  public @Nullable Path reading() {
    if (run != null) {
      return run.resolve(RunFolder.CONFIG);
    }
    Path own = folder.resolve(READING);
    return Files.isRegularFile(own) ? own : null;
  }

  /** The files that decide what the adapter is. */
  public List<Path> files() {
    List<Path> files = new ArrayList<>();
    files.add(folder.resolve(PeftConfig.FILE));
    files.add(folder.resolve(PeftAdapter.TENSORS_FILE));
    return files;
  }
}
