package io.github.loragraph.file;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Makes changes of a folder, and tells of each before it is made, so that tests can end the
 * process, or let the change fail, at each of them.
 */
final class FolderChanges {
  private static volatile Observer observer = change -> {};

  private FolderChanges() {}

  /** One who is told. */
  @FunctionalInterface
  interface Observer {
    /**
     * @param change in words: {@code move .a.part a}
     * @throws IOException which the change then fails with
     */
    void before(String change) throws IOException;
  }

  static void observe(Observer other) {
    observer = other;
  }

  static void before(String change) throws IOException {
    observer.before(change);
  }

  /** Renames a file, over another where one is there. */
  static void move(Path from, Path to) throws IOException {
    before("move " + from.getFileName() + " " + to.getFileName());
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** Deletes a file that may be gone already. */
  static void delete(Path file) throws IOException {
    before("delete " + file.getFileName());
    Files.deleteIfExists(file);
  }

  /** Deletes what does no harm where it stays. */
  static void deleteQuietly(Path file) {
    try {
      delete(file);
    } catch (IOException e) {
      // What is left is of no use, and does no harm.
    }
  }

  /** Forces renames and deletions to the disk, where the system can do that for a folder. */
  static void sync(Path folder) {
    try {
      before("sync " + folder.getFileName());
      Uninterrupted.run(
          () -> {
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
              channel.force(true);
            }
            return folder;
          });
    } catch (IOException e) {
      // Windows opens no folders. The files themselves were forced.
    }
  }
}
