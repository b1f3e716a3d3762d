package io.github.loragraph.file;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;

/** Makes folders that are filled under a hidden name before they are moved to their place. */
public final class NewFolder {
  private static final String SUFFIX = ".new";

  /** A folder is moved to its place at once, so an older one belongs to nobody any more. */
  private static final Duration OLD = Duration.ofMinutes(10);

  private NewFolder() {}

  /**
   * Makes an empty folder beside the place that it is to be moved to, which stays as it is. Its
   * rights are those that the system gives to any new folder (the umask's). What killed processes
   * have left of this kind is taken away.
   *
   * @throws IOException if it cannot be made
   */
  public static Path beside(Path target) throws IOException {
    Path parent = target.toAbsolutePath().normalize().getParent();
    Files.createDirectories(parent);
    deleteAbandoned(parent);
    while (true) {
      try {
        return Files.createDirectory(
            parent.resolve("." + target.getFileName() + ".lora-" + PartFile.id(12) + SUFFIX));
      } catch (FileAlreadyExistsException e) {
        // Another name will do.
      }
    }
  }

  private static void deleteAbandoned(Path parent) {
    try (DirectoryStream<Path> found = Files.newDirectoryStream(parent, ".*.lora-*" + SUFFIX)) {
      for (Path folder : found) {
        Instant changed = Files.getLastModifiedTime(folder).toInstant();
        if (PartFile.isName(folder.getFileName().toString())
            && Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
            && changed.isBefore(Instant.now().minus(OLD))) {
          TemporaryFolder.delete(folder);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      // It is tidying up: the next one may do it.
    }
  }
}
