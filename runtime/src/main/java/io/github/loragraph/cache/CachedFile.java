package io.github.loragraph.cache;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A file of the cache. Its content is checked when it is first used; that it was is noted in a file
 * beside it, with what the system says of the file: size, times of its last changes, number. As
 * long as all of that is the same, so is the content, and a start reads no more than the note.
 *
 * @param path of the file
 */
public record CachedFile(Path path) {
  private static final String NOTE = ".checked";
  private static final int LONGEST_NOTE = 1000;

  /**
   * Takes the right to write to a folder of this user's from others, and forgets what was noted:
   * all is checked anew.
   */
  static void shutOut(Path folder) {
    try {
      if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS) || !Privacy.wasOpen(folder)) {
        return;
      }
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.filter(f -> f.toString().endsWith(NOTE)).toList()) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException | UncheckedIOException e) {
      // It is then another user's, and not used.
    }
  }

  private Path note() {
    return path.resolveSibling(path.getFileName() + NOTE);
  }

  /** Whether all files are in a folder, and whole. */
  static boolean areIntact(Path folder, Map<String, Resource> files) {
    return files.entrySet().stream()
        .allMatch(
            file ->
                new CachedFile(folder.resolve(file.getKey())).isIntact(file.getValue().checksum()));
  }

  /** Whether the file is there and has the content of a checksum. */
  private boolean isIntact(long checksum) {
    try {
      if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
        return false;
      }
      boolean open = Privacy.wasOpen(Objects.requireNonNull(path.getParent()));
      // Both are asked: each makes private what it finds open.
      open |= Privacy.wasOpen(path);
      String state = checksum + " " + state();
      if (!open && state.equals(noted())) {
        return true;
      }
      if (checksum() != checksum) {
        return false;
      }
      note(state);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private long checksum() throws IOException {
    try (InputStream in = Files.newInputStream(path)) {
      return Resource.checksum(in);
    }
  }

  /** What changes when the content does. */
  private String state() throws IOException {
    boolean unix = FileSystems.getDefault().supportedFileAttributeViews().contains("unix");
    BasicFileAttributes basic =
        Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    String state = basic.size() + " " + basic.lastModifiedTime().to(TimeUnit.NANOSECONDS);
    if (unix) {
      FileTime changed = (FileTime) Files.getAttribute(path, "unix:ctime");
      state += " " + changed.to(TimeUnit.NANOSECONDS) + " " + Files.getAttribute(path, "unix:ino");
    }
    return state;
  }

  private String noted() {
    try {
      return Files.isRegularFile(note(), LinkOption.NOFOLLOW_LINKS)
              && !Privacy.wasOpen(note())
              && Files.size(note()) < LONGEST_NOTE
          ? new String(Files.readAllBytes(note()), StandardCharsets.US_ASCII).strip()
          : "";
    } catch (IOException e) {
      return "";
    }
  }

  /** In a cache that cannot be written the content is checked each time. */
  private void note(String state) {
    try {
      AtomicFile.write(
          note(), true, out -> out.write((state + "\n").getBytes(StandardCharsets.US_ASCII)));
    } catch (LoraGraphException e) {
      // The file is whole; that it was found so is all that gets lost.
    }
  }

  /**
   * Makes the file where it is not there or not whole.
   *
   * @return whether there was one, and damaged
   * @throws LoraGraphException if it cannot be written
   */
  boolean make(Resource content) {
    if (isIntact(content.checksum())) {
      return false;
    }
    try {
      boolean damaged = Files.exists(path, LinkOption.NOFOLLOW_LINKS);
      // Writing would go through a link, and leave a file to its owner.
      if (damaged
          && (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) || Privacy.isForeign(path))) {
        Files.delete(path);
      }
      try {
        AtomicFile.write(
            path,
            true,
            out -> {
              try (InputStream in = content.open()) {
                in.transferTo(out);
              }
            });
      } catch (LoraGraphException e) {
        // Where files in use cannot be replaced, another process may have been faster.
        if (!isIntact(content.checksum())) {
          throw e;
        }
      }
      Privacy.wasOpen(path);
      if (!isIntact(content.checksum())) {
        throw new LoraGraphException(
            "%s is damaged as soon as it is written: set LORA_GRAPH_CACHE to a folder on another disk"
                .formatted(path));
      }
      return damaged;
    } catch (IOException e) {
      throw new LoraGraphException("cannot write " + path + ": " + AtomicFile.reason(e), e);
    }
  }

  /**
   * Notes what was just written, for {@link #isAsNoted}.
   *
   * @param checksum of its content
   */
  public void noteWritten(long checksum) throws IOException {
    note(checksum + " " + state());
  }

  /** Whether the file has the content that was noted; true where nothing was. */
  public boolean isAsNoted() {
    String noted = noted();
    int end = noted.indexOf(' ');
    return end < 0
        || !noted.substring(0, end).matches("\\d{1,10}")
        || isIntact(Long.parseLong(noted.substring(0, end)));
  }
}
