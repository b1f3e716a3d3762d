package io.github.loragraph.file;

import io.github.loragraph.LoraGraphException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder for files that are needed for a while. It is deleted when it is closed, or else when the
 * process ends.
 */
public final class TemporaryFolder implements AutoCloseable {
  private final Path path;
  private final Thread cleanUp = new Thread(this::deleteQuietly, "delete temporary folder");

  private TemporaryFolder(Path path) {
    this.path = path;
    Runtime.getRuntime().addShutdownHook(cleanUp);
  }

  /**
   * Makes a folder where the system keeps temporary files.
   *
   * @throws LoraGraphException if it cannot be made
   */
  public static TemporaryFolder create(String prefix) {
    try {
      return new TemporaryFolder(Files.createTempDirectory(prefix));
    } catch (IOException e) {
      throw new LoraGraphException(
          "cannot make a folder for temporary files: " + AtomicFile.reason(e), e);
    }
  }

  /**
   * Makes a folder in another, for what is to be moved to a place beside it.
   *
   * @throws LoraGraphException if it cannot be made
   */
  public static TemporaryFolder createIn(Path parent, String prefix) {
    try {
      return new TemporaryFolder(Files.createTempDirectory(parent, prefix));
    } catch (IOException e) {
      throw new LoraGraphException(
          "cannot make a folder in %s: %s".formatted(parent, AtomicFile.reason(e)), e);
    }
  }

  public Path path() {
    return path;
  }

  /**
   * Deletes a folder and all in it.
   *
   * @throws IOException if something cannot be deleted
   */
  public static void delete(Path folder) throws IOException {
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(folder)) {
      paths = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : paths) {
      Files.deleteIfExists(file);
    }
  }

  private void deleteQuietly() {
    try {
      if (Files.exists(path)) {
        delete(path);
      }
    } catch (IOException e) {
      // It lies where the system clears up.
    }
  }

  @Override
  public void close() {
    deleteQuietly();
    try {
      Runtime.getRuntime().removeShutdownHook(cleanUp);
    } catch (IllegalStateException e) {
      // The process is ending, and the hook is at work.
    }
  }
}
