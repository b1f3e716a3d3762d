package io.github.loragraph.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class TemporaryFolderTest {
  private static final String PREFIX = "lora-graph-folder-test-";

  @Test
  void aFolderIsGoneWhenItIsClosed() throws IOException {
    Path path;
    try (TemporaryFolder folder = TemporaryFolder.create(PREFIX)) {
      path = folder.path();
      Files.writeString(Files.createDirectory(path.resolve("inner")).resolve("file"), "text");
    }
    assertFalse(Files.exists(path));
  }

  @Test
  void whatAKilledProcessLeftIsTakenAway() throws Exception {
    Process process = probe();
    Path left = path(process);
    try (TemporaryFolder other = TemporaryFolder.create(PREFIX)) {
      assertTrue(Files.exists(other.path()));
      assertTrue(Files.exists(left), "its process is alive");
    }
    process.destroyForcibly().waitFor();
    assertTrue(Files.exists(left), "it was killed");
    try (TemporaryFolder other = TemporaryFolder.create(PREFIX)) {
      assertTrue(Files.exists(other.path()));
      assertFalse(Files.exists(left));
    }
  }

  /** The number of a process says nothing where that of another system is meant; the lock does. */
  @Test
  void whatIsLockedStays() throws Exception {
    Process process = probe();
    Path live = path(process);
    long noProcess = Long.MAX_VALUE / 1000;
    Path renamed = live.resolveSibling(PREFIX + noProcess + "-1");
    Files.move(live, renamed);
    TemporaryFolder.create(PREFIX).close();
    assertTrue(Files.exists(renamed));
    process.destroyForcibly().waitFor();
    TemporaryFolder.create(PREFIX).close();
    assertFalse(Files.exists(renamed));
  }

  /** A process that makes a folder, prints its path, and waits. */
  static final class Probe {
    private Probe() {}

    public static void main(String[] args) throws Exception {
      try (TemporaryFolder folder = TemporaryFolder.create(PREFIX)) {
        System.out.println(folder.path());
        assertEquals(-1, System.in.read());
      }
    }
  }

  private static Process probe() throws IOException {
    return new ProcessBuilder(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Probe.class.getName()))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static Path path(Process process) throws IOException {
    return Path.of(process.inputReader().readLine());
  }
}
