package io.github.loragraph.cache;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * The folder for what the tool unpacks once and uses again: native libraries and bundled models. It
 * may be deleted at any time.
 */
public final class ToolCache {
  private static final String NAME = "lora-graph";

  private ToolCache() {}

  /**
   * {@code $LORA_GRAPH_CACHE}, else the platform's usual place: {@code $XDG_CACHE_HOME/lora-graph}
   * or {@code ~/.cache/lora-graph}, {@code ~/Library/Caches/lora-graph}, {@code
   * %LOCALAPPDATA%\lora-graph}.
   */
  public static Path folder() {
    String own = System.getenv("LORA_GRAPH_CACHE");
    if (isSet(own)) {
      return Path.of(own).toAbsolutePath();
    }
    String home = System.getProperty("user.home");
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    if (system.contains("mac")) {
      return Path.of(home, "Library", "Caches", NAME);
    }
    if (system.contains("windows")) {
      String local = System.getenv("LOCALAPPDATA");
      return isSet(local) ? Path.of(local, NAME) : Path.of(home, "AppData", "Local", NAME);
    }
    String caches = System.getenv("XDG_CACHE_HOME");
    return isSet(caches) ? Path.of(caches, NAME) : Path.of(home, ".cache", NAME);
  }

  /**
   * A folder of the cache, made if it is not there.
   *
   * @throws LoraGraphException if it cannot be written to
   */
  public static Path folder(String name) {
    Path folder = folder().resolve(name);
    String reason = null;
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      reason = AtomicFile.reason(e);
    }
    if (reason == null && !Files.isWritable(folder)) {
      reason = "permission denied";
    }
    if (reason != null) {
      throw new LoraGraphException(
          "cannot write to %s: %s (set LORA_GRAPH_CACHE to a folder that can be written: it is the tool's cache)"
              .formatted(folder, reason));
    }
    return folder;
  }

  private static boolean isSet(String variable) {
    return variable != null && !variable.isBlank();
  }
}
