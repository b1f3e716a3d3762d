package io.github.loragraph.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.file.ProcessLock;
import io.github.loragraph.file.TemporaryFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What {@code --force} replaced, where the process is killed before, between and after the renames.
 * The states are made by hand: no test can kill a process between two calls of the system.
 */
class ReplacedRunTest {
  @TempDir Path folder;

  /** A run whose configuration tells it apart. */
  private static void write(Path run, String name) throws IOException {
    Files.createDirectories(run);
    Files.writeString(run.resolve("config.yaml"), name);
    Files.writeString(run.resolve("metrics.jsonl"), "");
    Files.writeString(run.resolve("model.onnx"), name);
  }

  private Path run() {
    return folder.resolve("my run");
  }

  /** The folder that a killed process was about to rename, with its note. */
  private Path made(String... replaced) throws IOException {
    Path made = Files.createDirectories(folder.resolve(".my run-123"));
    write(made, "new");
    Files.delete(made.resolve("model.onnx"));
    Files.createFile(made.resolve(".lock"));
    if (replaced.length > 0) {
      Files.write(made.resolve(".replaced"), List.of(replaced));
    }
    return made;
  }

  private void check(String expected, boolean back) throws IOException {
    List<String> notes = new ArrayList<>();
    RunFolder.recover(run(), notes::add);
    assertEquals(back ? 1 : 0, notes.size());
    assertEquals(expected, Files.readString(run().resolve("config.yaml")));
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(run()), files.toList());
    }
    RunFolder.recover(run(), notes::add);
    assertEquals(back ? 1 : 0, notes.size());
  }

  @Test
  void killedBeforeTheFirstRename() throws IOException {
    write(run(), "old");
    made();
    check("old", false);
    made(".my run-replaced-7");
    Files.createDirectory(folder.resolve(".my run-replaced-7"));
    check("old", false);
  }

  @Test
  void killedBetweenTheRenames() throws IOException {
    write(folder.resolve(".my run-replaced-7"), "old");
    made(".my run-replaced-7");
    check("old", true);
  }

  /** The one in between had replaced another, and was worth nothing. */
  @Test
  void killedBetweenTheRenamesOfASecondReplacement() throws IOException {
    write(folder.resolve(".my run-replaced-7"), "oldest");
    write(folder.resolve(".my run-replaced-8"), "given up");
    Files.write(
        folder.resolve(".my run-replaced-8").resolve(".replaced"), List.of(".my run-replaced-7"));
    made(".my run-replaced-7", ".my run-replaced-8");
    check("oldest", true);
  }

  @Test
  void killedBeforeTheFirstRenameOfASecondReplacement() throws IOException {
    Path oldest = folder.resolve(".my run-replaced-7");
    write(oldest, "oldest");
    write(run(), "given up");
    Files.write(run().resolve(".replaced"), List.of(".my run-replaced-7"));
    made(".my run-replaced-7", ".my run-replaced-8");
    Files.createDirectory(folder.resolve(".my run-replaced-8"));
    RunFolder.recover(run(), line -> {});
    assertEquals("given up", Files.readString(run().resolve("config.yaml")));
    assertTrue(Files.exists(oldest), "it still waits for what becomes of the run");
    ReplacedRun.of(run()).putBack();
    check("oldest", false);
  }

  /** As when a failed run is taken away: its folder has the note. */
  @Test
  void killedWhileItWasPutBack() throws IOException {
    Path aside = folder.resolve(".my run-replaced-7");
    write(aside, "old");
    made(".my run-replaced-7");
    Files.move(aside, run());
    check("old", false);
  }

  @Test
  void withoutANote() throws IOException {
    write(folder.resolve(".my run-replaced-7"), "old");
    check("old", true);
  }

  @Test
  void whoIsAtWorkIsLeftAlone() throws IOException {
    write(folder.resolve(".my run-replaced-7"), "old");
    Path made = made(".my run-replaced-7");
    try (ProcessLock lock = ProcessLock.tryLock(made.resolve(".lock")).orElseThrow()) {
      RunFolder.recover(run(), line -> {});
      assertFalse(Files.exists(run()));
      assertTrue(Files.exists(made));
      lock.movedTo(made.resolve(".lock"));
    }
    check("old", true);
  }

  @Test
  void foldersOfOthersAreLeftAlone() throws IOException {
    Path other = folder.resolve(".my run-5");
    write(other, "somebody's");
    Path others = folder.resolve(".my run-2-replaced-5");
    write(others, "another run's");
    Path evil = folder.resolve("precious");
    write(evil, "precious");
    write(run(), "old");
    made("precious", "../precious", ".my run-replaced-1/../precious");
    RunFolder.recover(run(), line -> {});
    assertTrue(Files.exists(other) && Files.exists(others) && Files.exists(evil));
    TemporaryFolder.delete(other);
    TemporaryFolder.delete(others);
    TemporaryFolder.delete(evil);
    check("old", false);
  }

  @Test
  void aRunThatFailsGivesItsPlaceBack() throws IOException {
    write(run(), "old");
    RunFolder.begin(run(), true, Map.of("a", 1)).close();
    check("old", false);
    RunFolder first = RunFolder.begin(folder.resolve("new"), false, Map.of());
    first.close();
    check("old", false);
  }
}
