package io.github.loragraph.sagemaker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointMirrorTest {
  private static final String CONFIGURATION = "0123456789abcdef0123";

  @TempDir Path folder;
  private Path checkpoints;
  private Path run;
  private final List<String> notes = new ArrayList<>();

  @BeforeEach
  void begin() throws IOException {
    checkpoints = Files.createDirectory(folder.resolve("checkpoints"));
    run = Files.createDirectory(folder.resolve("run"));
    Files.writeString(run.resolve("config.yaml"), "seed: 0\n");
    Files.createFile(run.resolve(".lock"));
    Files.createDirectory(run.resolve("checkpoints"));
  }

  private CheckpointMirror mirror() {
    return new CheckpointMirror(checkpoints, CONFIGURATION, run);
  }

  private void step(CheckpointMirror mirror, int step) throws IOException {
    Files.writeString(run.resolve("checkpoints/step-%08d".formatted(step)), "state " + step);
    Files.deleteIfExists(run.resolve("checkpoints/step-%08d".formatted(step - 2)));
    Files.writeString(run.resolve("metrics.jsonl"), "up to " + step);
    mirror.onSave(step);
  }

  private List<Path> kept() throws IOException {
    try (Stream<Path> files = Files.walk(checkpoints)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private boolean restored() throws IOException {
    run = folder.resolve("restored-" + System.nanoTime());
    return mirror().restore(notes::add);
  }

  @Test
  void theLastTwoAreKeptAndComeBack() throws IOException {
    CheckpointMirror mirror = mirror();
    for (int step = 1; step <= 5; step++) {
      step(mirror, step);
    }
    // Two indexes, three checkpoints, two states of the metrics, one configuration.
    assertEquals(8, kept().size(), kept().toString());
    assertTrue(restored());
    assertEquals("state 5", Files.readString(run.resolve("checkpoints/step-00000005")));
    assertEquals("state 4", Files.readString(run.resolve("checkpoints/step-00000004")));
    assertEquals("up to 5", Files.readString(run.resolve("metrics.jsonl")));
    assertFalse(Files.exists(run.resolve(".lock")));
  }

  @Test
  void whatIsDamagedIsPassedOverWithALine() throws IOException {
    CheckpointMirror mirror = mirror();
    for (int step = 1; step <= 3; step++) {
      step(mirror, step);
    }
    Path last =
        kept().stream().filter(f -> f.toString().endsWith("step-00000003")).findFirst().get();
    Files.writeString(last, "stat");
    assertTrue(restored());
    assertFalse(Files.exists(run.resolve("checkpoints/step-00000003")));
    assertEquals("up to 2", Files.readString(run.resolve("metrics.jsonl")));
    assertTrue(notes.get(0).contains("step-00000003.json is passed over"), notes.toString());

    // Gone on with from there, the damaged one is written again, and the training after it.
    CheckpointMirror again = mirror();
    step(again, 3);
    step(again, 4);
    assertTrue(restored());
    assertEquals("state 4", Files.readString(run.resolve("checkpoints/step-00000004")));
  }

  @Test
  void anIndexThatIsTornIsPassedOverAndDoesNotStopTheTraining() throws IOException {
    CheckpointMirror mirror = mirror();
    step(mirror, 1);
    step(mirror, 2);
    Path index =
        kept().stream().filter(f -> f.toString().endsWith("step-00000002.json")).findFirst().get();
    Files.writeString(index, "{\"step\": 2, \"fi");
    assertTrue(restored());
    assertEquals("up to 1", Files.readString(run.resolve("metrics.jsonl")));
    step(mirror(), 2);
    assertTrue(restored());
    assertEquals("up to 2", Files.readString(run.resolve("metrics.jsonl")));
  }

  @Test
  void anIndexThatNamesWhatLiesElsewhereIsPassedOver() throws IOException {
    CheckpointMirror mirror = mirror();
    step(mirror, 1);
    Path index = kept().stream().filter(f -> f.toString().endsWith(".json")).findFirst().get();
    Files.writeString(
        index, Files.readString(index).replace("metrics.jsonl\":", "../../metrics.jsonl\":"));
    assertFalse(restored());
    assertFalse(Files.exists(folder.resolve("metrics.jsonl")));
  }

  @Test
  void otherConfigurationsStayAndAreNamed() throws IOException {
    step(mirror(), 1);
    List<Path> before = kept();
    CheckpointMirror other = new CheckpointMirror(checkpoints, "f".repeat(20), run);
    assertFalse(other.restore(notes::add));
    assertTrue(notes.get(0).contains("run-0123456789abcdef"), notes.toString());
    step(other, 1);
    assertTrue(kept().containsAll(before));
  }
}
