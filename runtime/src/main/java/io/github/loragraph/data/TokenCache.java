package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.ProcessLock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A folder with a folder for each data file that was made into tokens, under a key of all that
 * decides them. One is whole when it has its description, which is written last and at once; others
 * belong to the process that holds their lock, or to nobody and are deleted. When all have more
 * than {@value #MOST_BYTES} bytes, those go that were not used for longest. The folder may be
 * deleted at any time at which nothing is trained.
 *
 * <p>The lock file of a key stays: were it deleted, one process might hold the file that is gone,
 * and another the new one of its name.
 */
final class TokenCache {
  static final String DESCRIPTION = "data.json";

  /** 10 GB. */
  static final long MOST_BYTES = 10_000_000_000L;

  private static final String LOCK = ".lock";

  /** In the names of folders that one process alone uses. */
  private static final String OWN = "-";

  private final Path folder;
  private final long most;

  TokenCache(Path folder) {
    this(folder, MOST_BYTES);
  }

  TokenCache(Path folder, long most) {
    this.folder = folder;
    this.most = most;
  }

  /** The folder of a key, if it is whole as far as its description says. */
  Optional<Path> find(String key) {
    Path entry = folder.resolve(key);
    if (!Files.isRegularFile(entry.resolve(DESCRIPTION))) {
      return Optional.empty();
    }
    try {
      Files.setLastModifiedTime(entry, FileTime.from(Instant.now()));
    } catch (IOException e) {
      // It is then forgotten earlier than it should.
    }
    return Optional.of(entry);
  }

  /** A folder that is being filled. */
  final class Place implements AutoCloseable {
    private final Path path;
    private final ProcessLock lock;
    private final boolean kept;
    private boolean whole;

    private Place(Path path, ProcessLock lock, boolean kept) {
      this.path = path;
      this.lock = lock;
      this.kept = kept;
    }

    Path path() {
      return path;
    }

    /**
     * Deletes what is there, of a killed process or damaged, and makes the folder.
     *
     * @throws LoraGraphException if it cannot be made
     */
    void clear() {
      try {
        delete(path);
        Files.createDirectories(path);
      } catch (IOException e) {
        throw new LoraGraphException("cannot write to " + path + ": " + AtomicFile.reason(e), e);
      }
    }

    /** Gives it back as it is: another process has made it meanwhile. */
    void leave() {
      whole = true;
      close();
    }

    /** Whether the next run is to find it; else another process is making the same. */
    boolean isKept() {
      return kept;
    }

    /**
     * Makes it one that is found.
     *
     * @param description of what is in it
     * @throws LoraGraphException if that cannot be written
     */
    void complete(byte[] description) {
      if (kept) {
        AtomicFile.write(path.resolve(DESCRIPTION), true, out -> out.write(description));
        whole = true;
        forgetOld(path);
      }
    }

    /** Deletes it, unless it is complete. */
    @Override
    public void close() {
      if (!whole) {
        delete(path);
      }
      if (!kept) {
        deleteQuietly(lockOf(path));
      }
      lock.close();
    }
  }

  /**
   * The folder of a key, which nobody else writes to until it is closed; where another process has
   * it, one whose name nothing else ever has. What is in it is to be looked at, and cleared.
   *
   * @throws LoraGraphException if the cache cannot be made
   */
  Place begin(String key) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new LoraGraphException("cannot write to " + folder + ": " + AtomicFile.reason(e), e);
    }
    forgetBroken();
    Path path = folder.resolve(key);
    Optional<ProcessLock> lock = ProcessLock.tryLock(lockOf(path));
    boolean kept = lock.isPresent();
    while (lock.isEmpty()) {
      path = folder.resolve(key + OWN + UUID.randomUUID());
      lock = ProcessLock.tryLock(lockOf(path));
    }
    return new Place(path, lock.get(), kept);
  }

  private static Path lockOf(Path path) {
    return path.resolveSibling(path.getFileName() + LOCK);
  }

  /** Deletes what killed processes have left. */
  private void forgetBroken() {
    for (Path entry : entries()) {
      if (!Files.exists(entry.resolve(DESCRIPTION))) {
        ProcessLock.tryLock(lockOf(entry))
            .ifPresent(
                lock -> {
                  // Its maker may have completed it meanwhile.
                  if (!Files.exists(entry.resolve(DESCRIPTION))) {
                    delete(entry);
                  }
                  if (entry.getFileName().toString().contains(OWN)) {
                    deleteQuietly(lockOf(entry));
                  }
                  lock.close();
                });
      }
    }
  }

  private void forgetOld(Path newest) {
    List<Path> whole = new ArrayList<>(entries());
    whole.removeIf(entry -> !Files.exists(entry.resolve(DESCRIPTION)));
    whole.sort(Comparator.comparing(TokenCache::used));
    long bytes = whole.stream().mapToLong(TokenCache::bytes).sum();
    for (Path entry : whole) {
      Optional<ProcessLock> lock =
          bytes > most && !entry.equals(newest)
              ? ProcessLock.tryLock(lockOf(entry))
              : Optional.empty();
      if (lock.isPresent()) {
        bytes -= bytes(entry);
        deleteQuietly(entry.resolve(DESCRIPTION));
        delete(entry);
        lock.get().close();
      }
    }
  }

  private List<Path> entries() {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(Files::isDirectory).toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of();
    }
  }

  private static FileTime used(Path entry) {
    try {
      return Files.getLastModifiedTime(entry);
    } catch (IOException e) {
      return FileTime.fromMillis(0);
    }
  }

  private static long bytes(Path entry) {
    try (Stream<Path> files = Files.list(entry)) {
      return files.mapToLong(file -> file.toFile().length()).sum();
    } catch (IOException | UncheckedIOException e) {
      return 0;
    }
  }

  /** What cannot be deleted now, since it is mapped, goes another time. */
  private static void delete(Path entry) {
    if (!Files.exists(entry)) {
      return;
    }
    try {
      Files.walkFileTree(
          entry,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              deleteQuietly(file);
              return FileVisitResult.CONTINUE;
            }
          });
      deleteQuietly(entry);
    } catch (IOException e) {
      // The same.
    }
  }

  static void deleteQuietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // It is in the way of nothing.
    }
  }
}
