package io.github.loragraph.file;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps other processes from doing what one process does. The system takes the lock back when the
 * process ends, however it ends; the file stays. Where the file system has no locks, or the file
 * cannot be made, everyone gets one. Who gets it closes it.
 */
public final class ProcessLock implements AutoCloseable {
  /** What this process has locked: on some systems, opening and closing a file unlocks it. */
  private static final Set<Path> HELD = new HashSet<>();

  private final @Nullable FileChannel channel;
  private Path file;
  private boolean closed;

  /**
   * @param channel null where there are no locks
   */
  private ProcessLock(Path file, @Nullable FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Takes the lock.
   *
   * @param file made where it is not there; nobody may read or write it
   * @return empty where someone else has it, in this process or another
   */
  public static Optional<ProcessLock> tryLock(Path file) {
    Path path = canonical(file);
    synchronized (HELD) {
      if (HELD.contains(path)) {
        return Optional.empty();
      }
      @Nullable FileChannel channel = null;
      try {
        channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (channel.tryLock() == null) {
          channel.close();
          return Optional.empty();
        }
      } catch (OverlappingFileLockException e) {
        closeQuietly(channel);
        return Optional.empty();
      } catch (IOException e) {
        closeQuietly(channel);
        channel = null;
      }
      HELD.add(path);
      return Optional.of(new ProcessLock(path, channel));
    }
  }

  private static Path canonical(Path file) {
    Path path = file.toAbsolutePath().normalize();
    try {
      return AtomicFile.folderOf(path).toRealPath().resolve(path.getFileName());
    } catch (IOException e) {
      return path;
    }
  }

  /** Whether someone has the lock. */
  public static boolean isLocked(Path file) {
    if (!Files.exists(file)) {
      return false;
    }
    Optional<ProcessLock> lock = tryLock(file);
    lock.ifPresent(ProcessLock::close);
    return lock.isEmpty();
  }

  private static void closeQuietly(@Nullable FileChannel channel) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      // Nothing was written to it.
    }
  }

  /**
   * Says that the locked file has been renamed, with a folder above it for example.
   *
   * @param renamed where it is now
   */
  public void movedTo(Path renamed) {
    synchronized (HELD) {
      HELD.remove(file);
      file = canonical(renamed);
      HELD.add(file);
    }
  }

  @Override
  public void close() {
    synchronized (HELD) {
      if (!closed) {
        closed = true;
        closeQuietly(channel);
        HELD.remove(file);
      }
    }
  }
}
