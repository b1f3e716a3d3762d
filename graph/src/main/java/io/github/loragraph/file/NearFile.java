package io.github.loragraph.file;

import io.github.loragraph.error.PlainText;
import io.github.loragraph.error.Spelling;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Finds the files that a name may have been meant for that is none. */
public final class NearFile {
  private NearFile() {}

  /** What goes after a message that names the file: near names of its folder, or nothing. */
  public static String question(Path missing) {
    Path name = missing.getFileName();
    if (name == null) {
      return "";
    }
    try (Stream<Path> beside = Files.list(AtomicFile.folderOf(missing))) {
      List<String> names =
          beside
              .filter(Files::isRegularFile)
              .map(file -> String.valueOf(file.getFileName()))
              .sorted()
              .toList();
      List<String> near = Spelling.nearest(name.toString(), names);
      return near.isEmpty() ? "" : PlainText.line(": " + String.join(" or ", near) + "?");
    } catch (IOException | UncheckedIOException e) {
      // The message says all that there is without.
      return "";
    }
  }
}
