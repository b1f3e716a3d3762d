package io.github.loragraph.file;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/**
 * A file that is being written beside its place, under a hidden name of its own: {@code
 * .NAME.lora-0123456789ab.part}. Its writer holds a lock on it, which the system takes back when
 * the process ends, however it ends: who finds such a file without a lock may take it away.
 */
final class PartFile {
  static final String SUFFIX = ".part";

  private static final Pattern NAME = Pattern.compile("\\..+\\.lora-[0-9a-f]{12}\\.[a-z]+");

  /** Where the file system has no locks, what is older than this belongs to nobody. */
  private static final Duration OLD = Duration.ofDays(1);

  /**
   * Those of this process, without their endings: closing a second channel to one would give up its
   * lock.
   */
  private static final Set<Path> LIVE = new HashSet<>();

  private final Path path;
  private final FileChannel channel;

  private PartFile(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  /**
   * Makes an empty one. Its rights are those that the system gives to any new file (the umask's).
   *
   * @param folder must exist
   * @param name of the file that it is to become
   * @param rights less than those, as attributes of a new file; none for the usual ones
   */
  static PartFile create(Path folder, String name, FileAttribute<?>... rights) throws IOException {
    Path real = folder.toRealPath();
    while (true) {
      Path path = real.resolve("." + name + ".lora-" + id(12) + SUFFIX);
      synchronized (LIVE) {
        FolderChanges.before("create " + path.getFileName());
        FileChannel channel;
        try {
          channel =
              FileChannel.open(
                  path, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), rights);
        } catch (FileAlreadyExistsException e) {
          continue;
        }
        // Between the two someone may have found it without a lock and have taken it away.
        if (lock(channel) && Files.exists(path)) {
          LIVE.add(key(path));
          return new PartFile(path, channel);
        }
        channel.close();
        Files.deleteIfExists(path);
      }
    }
  }

  /** Whether a file is one that was to become another. */
  static boolean isPartOf(Path file, String name) {
    String own = file.getFileName().toString();
    return own.startsWith("." + name + ".lora-")
        && own.endsWith(SUFFIX)
        && NAME.matcher(own).matches();
  }

  /** Random hexadecimal digits. */
  static String id(int digits) {
    return HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong()).substring(0, digits);
  }

  /** Whether nobody else has the lock; where there are no locks, nobody has. */
  private static boolean lock(FileChannel channel) {
    try {
      return channel.tryLock() != null;
    } catch (IOException e) {
      return true;
    }
  }

  private static Path key(Path path) {
    String name = path.getFileName().toString();
    return path.resolveSibling(name.substring(0, name.lastIndexOf('.')));
  }

  Path path() {
    return path;
  }

  FileChannel channel() {
    return channel;
  }

  /** Ends the writing: takes the file away where it still has its hidden name. */
  void discard() {
    synchronized (LIVE) {
      try {
        Files.deleteIfExists(path);
        channel.close();
      } catch (IOException e) {
        // The next writer in the folder takes it away.
      }
      LIVE.remove(key(path));
    }
  }

  /** Whether a file's name is one that this class gives. */
  static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  /**
   * Takes away what killed processes have left in a folder. Whatever goes wrong, the next one may
   * do it.
   */
  static void deleteAbandoned(Path folder) {
    try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, ".*.lora-*" + SUFFIX)) {
      for (Path file : found) {
        if (isName(file.getFileName().toString())) {
          ifAbandoned(
              file,
              () -> {
                FolderChanges.before("delete " + file.getFileName());
                Files.deleteIfExists(file);
              });
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      // It is tidying up.
    }
  }

  /** Something to do with files. */
  interface Work {
    void run() throws IOException;
  }

  /** Does something about a file whose writer is gone, while holding its lock. */
  static void ifAbandoned(Path file, Work work) throws IOException {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Path path = file.toRealPath();
    synchronized (LIVE) {
      if (LIVE.contains(key(path))) {
        return;
      }
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
        if (isFree(channel, path)) {
          work.run();
        }
      } catch (NoSuchFileException e) {
        // Someone else was faster.
      }
    }
  }

  private static boolean isFree(FileChannel channel, Path path) throws IOException {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false;
    } catch (IOException e) {
      Instant written = Files.getLastModifiedTime(path).toInstant();
      return written.isBefore(Instant.now().minus(OLD));
    }
  }
}
