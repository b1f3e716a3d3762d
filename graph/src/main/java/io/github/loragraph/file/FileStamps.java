package io.github.loragraph.file;

import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Tells whether files are still those that they were, without reading them: by their sizes, their
 * times and what the file system knows them by.
 */
public final class FileStamps {
  private final Map<Path, Stamp> stamps;

  /**
   * @param key null where the file system has none
   */
  private record Stamp(long size, FileTime time, @Nullable Object key) {
    static @Nullable Stamp of(Path file) {
      try {
        BasicFileAttributes is = Files.readAttributes(file, BasicFileAttributes.class);
        return new Stamp(is.size(), is.lastModifiedTime(), is.fileKey());
      } catch (IOException e) {
        return null;
      }
    }
  }

  private FileStamps(Map<Path, Stamp> stamps) {
    this.stamps = stamps;
  }

  /** Of files as they are now; what is not there is for their reader to say. */
  public static FileStamps of(Collection<Path> files) {
    Map<Path, Stamp> stamps = new LinkedHashMap<>();
    for (Path file : files) {
      Stamp stamp = Stamp.of(file);
      if (stamp != null) {
        stamps.put(file, stamp);
      }
    }
    return new FileStamps(stamps);
  }

  /** With those of further files, as they are now. */
  public FileStamps and(Collection<Path> more) {
    Map<Path, Stamp> all = new LinkedHashMap<>(stamps);
    of(more).stamps.forEach(all::putIfAbsent);
    return new FileStamps(all);
  }

  /** Whether files are still what they were. */
  public boolean areUnchanged() {
    return stamps.entrySet().stream()
        .allMatch(entry -> entry.getValue().equals(Stamp.of(entry.getKey())));
  }

  /**
   * Refuses files that are no longer what they were.
   *
   * @param advice what to do about it
   * @throws LoraGraphException if one is another, has changed or is gone; it names it
   */
  public void requireUnchanged(String advice) {
    stamps.forEach(
        (file, stamp) -> {
          if (!Objects.equals(stamp, Stamp.of(file))) {
            throw new LoraGraphException(
                "%s has changed since it was read: %s".formatted(file, advice));
          }
        });
  }
}
