package io.github.loragraph.file;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Within a process; across processes it is tested where a run folder and temporary files are. */
class ProcessLockTest {
  @TempDir Path folder;

  @Test
  void oneAtATime() throws IOException {
    Path file = folder.resolve("lock");
    assertFalse(ProcessLock.isLocked(file));
    ProcessLock first = ProcessLock.tryLock(file).orElseThrow();
    assertTrue(ProcessLock.tryLock(file).isEmpty());
    assertTrue(ProcessLock.isLocked(file));
    Path link = Files.createSymbolicLink(folder.resolve("link"), folder);
    assertTrue(ProcessLock.isLocked(link.resolve("lock")));
    first.close();
    assertFalse(ProcessLock.isLocked(file));
    ProcessLock second = ProcessLock.tryLock(file).orElseThrow();
    first.close();
    assertTrue(ProcessLock.isLocked(file));
    second.close();
    assertTrue(Files.exists(file));
  }

  /** As where the file system has no locks: nobody is kept from working. */
  @Test
  void whatCannotBeLockedIsFree() {
    Path file = folder.resolve("missing").resolve("lock");
    Optional<ProcessLock> lock = ProcessLock.tryLock(file);
    assertTrue(lock.isPresent());
    lock.get().close();
  }
}
