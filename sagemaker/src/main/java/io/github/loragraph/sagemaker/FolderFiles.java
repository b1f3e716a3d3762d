package io.github.loragraph.sagemaker;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What lies in folders, in the order of the paths. */
final class FolderFiles {
  private FolderFiles() {}

  /**
   * All that lies directly in a folder; empty where there is no such folder.
   *
   * @throws LoraGraphException if it cannot be listed
   */
  static List<Path> in(Path folder) {
    return Files.isDirectory(folder) ? listed(folder, 1, file -> !file.equals(folder)) : List.of();
  }

  /**
   * All that is no folder in a folder and in those below it, also where a link leads to them. A
   * link that leads nowhere is among them.
   *
   * @throws LoraGraphException if it cannot be listed, or a link leads back to where it lies
   */
  static List<Path> below(Path folder) {
    return listed(folder, Integer.MAX_VALUE, file -> !Files.isDirectory(file));
  }

  private static List<Path> listed(Path folder, int depth, Predicate<Path> wanted) {
    try (Stream<Path> files = Files.walk(folder, depth, FileVisitOption.FOLLOW_LINKS)) {
      return files.filter(wanted).sorted().toList();
    } catch (UncheckedIOException e) {
      throw cannotList(folder, Objects.requireNonNull(e.getCause()));
    } catch (IOException e) {
      throw cannotList(folder, e);
    }
  }

  private static LoraGraphException cannotList(Path folder, IOException e) {
    return e instanceof FileSystemLoopException loop
        ? new LoraGraphException(
            "cannot list %s: the link %s leads back to a folder that it lies in: take it away"
                .formatted(folder, loop.getFile()),
            e)
        : new LoraGraphException("cannot list " + folder + ": " + AtomicFile.reason(e), e);
  }
}
