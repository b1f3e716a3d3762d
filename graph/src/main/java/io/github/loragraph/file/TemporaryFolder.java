package io.github.loragraph.file;

import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A folder for files that are needed for a while. It is deleted when it is closed, or else when the
 * process ends; where the process is killed, the next folder of the same kind takes it away.
 */
public final class TemporaryFolder implements AutoCloseable {
  private static final String LOCK = ".lock";

  private final Path path;

  /**
   * A process may run where the numbers of this system's processes mean nothing: in a container.
   */
  private final @Nullable ProcessLock lock;

  private final Runnable cleanUp = this::leave;

  private TemporaryFolder(Path path, @Nullable ProcessLock lock) {
    this.path = path;
    this.lock = lock;
    ProcessEnd.add(cleanUp);
  }

  /**
   * Makes a folder where the system keeps temporary files.
   *
   * @param prefix tells this kind of folders from all others
   * @throws LoraGraphException if it cannot be made
   */
  public static TemporaryFolder create(String prefix) {
    try {
      Path folder = Files.createTempDirectory(prefix + ProcessHandle.current().pid() + "-");
      deleteOrphans(AtomicFile.folderOf(folder), prefix);
      return new TemporaryFolder(folder, ProcessLock.tryLock(folder.resolve(LOCK)).orElseThrow());
    } catch (IOException e) {
      throw new LoraGraphException(
          "cannot make a folder for temporary files: " + AtomicFile.reason(e), e);
    }
  }

  /**
   * Makes a folder in another, for what is to be moved to a place beside it.
   *
   * @throws LoraGraphException if it cannot be made
   */
  public static TemporaryFolder createIn(Path parent, String prefix) {
    try {
      return new TemporaryFolder(Files.createTempDirectory(parent, prefix), null);
    } catch (IOException e) {
      throw new LoraGraphException(
          "cannot make a folder in %s: %s".formatted(parent, AtomicFile.reason(e)), e);
    }
  }

  /** Those whose process was killed. Whatever goes wrong, the next one may do it. */
  private static void deleteOrphans(Path parent, String prefix) {
    Pattern name = Pattern.compile(Pattern.quote(prefix) + "(\\d{1,18})-\\d+");
    List<Path> folders;
    try (Stream<Path> files = Files.list(parent)) {
      folders = files.toList();
    } catch (IOException | UncheckedIOException e) {
      return;
    }
    for (Path folder : folders) {
      Matcher matcher = name.matcher(folder.getFileName().toString());
      if (matcher.matches()
          && !isAlive(Long.parseLong(matcher.group(1)))
          && !ProcessLock.isLocked(folder.resolve(LOCK))) {
        deleteQuietly(folder);
      }
    }
  }

  private static boolean isAlive(long process) {
    return ProcessHandle.of(process).map(ProcessHandle::isAlive).orElse(false);
  }

  public Path path() {
    return path;
  }

  /**
   * Deletes a folder and all in it.
   *
   * @throws IOException if something cannot be deleted
   */
  public static void delete(Path folder) throws IOException {
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(folder)) {
      paths = walk.sorted(Comparator.reverseOrder()).toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    for (Path file : paths) {
      Files.deleteIfExists(file);
    }
  }

  private void leave() {
    if (lock != null) {
      lock.close();
    }
    deleteQuietly(path);
  }

  private static void deleteQuietly(Path folder) {
    try {
      if (Files.exists(folder)) {
        delete(folder);
      }
    } catch (IOException | UncheckedIOException e) {
      // It lies where the system clears up.
    }
  }

  @Override
  public void close() {
    leave();
    ProcessEnd.remove(cleanUp);
  }
}
