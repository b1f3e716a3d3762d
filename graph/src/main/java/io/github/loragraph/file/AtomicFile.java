package io.github.loragraph.file;

import io.github.loragraph.LoraGraphException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Writes a file so that its name never stands for half of it: the bytes go into a temporary file
 * beside the target, are forced to the disk, and the temporary file is renamed into place. Whatever
 * fails before the rename leaves the target as it was and nothing beside it.
 */
public final class AtomicFile {
  private static final int BUFFER_BYTES = 1 << 20;

  private AtomicFile() {}

  /** Writes the content of one file. */
  @FunctionalInterface
  public interface Body {
    void writeTo(OutputStream out) throws IOException;
  }

  /**
   * Refuses a target that exists, unless it may be replaced; to be called before long work.
   *
   * @throws LoraGraphException if {@code target} exists and {@code replace} is false, or is a
   *     folder
   */
  public static void checkTarget(Path target, boolean replace) {
    if (Files.isDirectory(target)) {
      throw new LoraGraphException(target + " is a folder: name a file to write to");
    }
    if (!replace && Files.exists(target)) {
      throw new LoraGraphException(
          target + " exists already: choose another output, or replace it with --force");
    }
  }

  /**
   * Writes {@code target} whole or not at all. Missing parent folders are made.
   *
   * @throws LoraGraphException if the target exists and may not be replaced, or cannot be written
   */
  public static void write(Path target, boolean replace, Body body) {
    checkTarget(target, replace);
    Path folder = target.toAbsolutePath().getParent();
    Path temporary = null;
    try {
      Files.createDirectories(folder);
      temporary = Files.createTempFile(folder, "." + target.getFileName(), ".part");
      try (FileChannel channel =
              FileChannel.open(
                  temporary, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
          OutputStream out =
              new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER_BYTES)) {
        body.writeTo(out);
        out.flush();
        channel.force(true);
      }
      makeReadableAsUsual(temporary);
      moveIntoPlace(temporary, target);
      temporary = null;
    } catch (IOException e) {
      throw new LoraGraphException("cannot write " + target + ": " + reason(e), e);
    } finally {
      deleteQuietly(temporary);
    }
  }

  private static void moveIntoPlace(Path temporary, Path target) throws IOException {
    try {
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** Temporary files are made for their owner alone; an output has the rights of any new file. */
  private static void makeReadableAsUsual(Path file) {
    file.toFile().setReadable(true, false);
  }

  private static void deleteQuietly(Path file) {
    if (file != null) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        // The first failure is the one to report.
      }
    }
  }

  /** A file system failure in words, without the path that the message names already. */
  public static String reason(IOException e) {
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof NoSuchFileException) {
      return "no such folder, or none that files can be made in";
    }
    if (e instanceof FileAlreadyExistsException || e instanceof NotDirectoryException) {
      return "a part of the path is a file";
    }
    if (e instanceof FileSystemException f && f.getReason() != null) {
      return f.getReason();
    }
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }
}
