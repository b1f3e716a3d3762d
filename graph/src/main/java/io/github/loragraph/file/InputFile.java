package io.github.loragraph.file;

import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Looks at what is to be read before it is opened: opening a pipe waits for its writer. */
public final class InputFile {
  private InputFile() {}

  /**
   * Refuses what is there but is no ordinary file; what is not there is for the reader to say.
   *
   * @throws LoraGraphException if it is a folder, a pipe, a socket or a device
   */
  public static void requireOrdinary(Path file) {
    if (Files.isDirectory(file)) {
      throw new LoraGraphException(file + " is a folder: name a file");
    }
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new LoraGraphException(
          file + " is a pipe or a device, not a file: save what comes out of it into a file first");
    }
  }
}
