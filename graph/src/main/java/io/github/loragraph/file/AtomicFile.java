package io.github.loragraph.file;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/**
 * Writes a file so that its name never stands for half of it: the bytes go into a hidden file
 * beside the target, are forced to the disk, and the hidden file is renamed into place, as {@link
 * StagedFiles} does it for several. Whatever fails before the rename leaves the target as it was
 * and nothing beside it.
 */
public final class AtomicFile {
  private AtomicFile() {}

  /** The folder that a file lies in, absolute; a root, which lies in none, is its own. */
  public static Path folderOf(Path file) {
    Path path = file.toAbsolutePath();
    Path folder = path.getParent();
    return folder == null ? path : folder;
  }

  /**
   * Writes the content of one file. It is called again where an interrupt of the thread broke off
   * the write, so it begins anew each time.
   */
  @FunctionalInterface
  public interface Body {
    void writeTo(OutputStream out) throws IOException;

    /**
     * Is called when all was written, for what is known only then: a header that counts what comes
     * after it.
     *
     * @param file what was written, from its beginning; it stays open
     */
    default void finish(FileChannel file) throws IOException {}
  }

  /**
   * Refuses a target that exists, unless it may be replaced; to be called before long work.
   *
   * @throws LoraGraphException if {@code target} exists and {@code replace} is false, or is a
   *     folder, a pipe or a device
   */
  public static void checkTarget(Path target, boolean replace) {
    if (Files.isDirectory(target)) {
      throw new LoraGraphException(target + " is a folder: name a file to write to");
    }
    if (Files.exists(target) && !Files.isRegularFile(target)) {
      throw new LoraGraphException(target + " is a pipe or a device: name a file to write to");
    }
    if (!replace && Files.exists(target)) {
      throw new LoraGraphException(target + " exists already", Remedy.REPLACE_OUTPUT);
    }
  }

  /**
   * Writes {@code target} whole or not at all. Missing parent folders are made.
   *
   * @throws LoraGraphException if the target exists and may not be replaced, or cannot be written
   */
  public static void write(Path target, boolean replace, Body body) {
    checkTarget(target, replace);
    try (StagedFiles files = new StagedFiles(folderOf(target), replace)) {
      files.write(target, body);
      files.commit();
    }
  }

  /** A file system failure in words, without the path that the message names already. */
  public static String reason(IOException e) {
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof NoSuchFileException) {
      return "there is no such file or folder";
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
