package io.github.loragraph.sagemaker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.CheckpointFile;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.Checksum;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointMirrorTest {
  private static final String CONFIGURATION = "0123456789abcdef0123";

  @TempDir Path folder;
  private Path checkpoints;
  private Path run;
  private CheckpointMirror goesOn;
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
    return new CheckpointMirror(checkpoints, CONFIGURATION, run, notes::add);
  }

  private void step(CheckpointMirror mirror, int step) throws IOException {
    step(mirror, step, Map.of());
  }

  private void step(CheckpointMirror mirror, int step, Map<String, Object> properties)
      throws IOException {
    Checkpoint state =
        new Checkpoint(
            List.of(),
            List.of(),
            false,
            List.of(new Checkpoint.OptimizerGroup(Checkpoint.GROUP, step, 0, Map.of())),
            properties);
    CheckpointFile.write(state, checkpoint(step), true);
    Files.deleteIfExists(checkpoint(step - 2));
    Files.writeString(run.resolve("metrics.jsonl"), "{\"step\": %d}\n".formatted(step));
    mirror.onSave(step);
  }

  private Path checkpoint(int step) {
    return run.resolve("checkpoints/step-%08d".formatted(step));
  }

  private List<Path> kept() throws IOException {
    try (Stream<Path> files = Files.walk(checkpoints)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    }
  }

  /** The one file that is kept whose name has this in it. */
  private Path kept(String part) throws IOException {
    List<Path> found = kept().stream().filter(f -> f.toString().contains(part)).toList();
    assertEquals(1, found.size(), part + ": " + kept());
    return found.get(0);
  }

  private boolean restored() {
    run = folder.resolve("restored-" + System.nanoTime());
    goesOn = mirror();
    return goesOn.restore();
  }

  private void assertGoesOnAfter(int step) throws IOException {
    assertTrue(restored(), notes.toString());
    assertEquals(
        "{\"step\": %d}\n".formatted(step), Files.readString(run.resolve("metrics.jsonl")));
    assertEquals(
        step,
        CheckpointFile.readCopied(checkpoint(step)).group(Checkpoint.GROUP).orElseThrow().step());
  }

  private void assertBeginsAnew(String fault) throws IOException {
    notes.clear();
    assertFalse(restored());
    assertFalse(Files.exists(run));
    assertEquals(2, notes.size(), notes.toString());
    assertTrue(notes.get(0).contains("is passed over: " + fault), notes.toString());
    assertTrue(notes.get(1).contains("no whole checkpoint in"), notes.toString());
  }

  /** Writes an index anew, as whole as any. */
  private void rewrite(Path index, Consumer<ObjectNode> change) throws IOException {
    ObjectMapper json = new ObjectMapper();
    ObjectNode content = (ObjectNode) json.readTree(index.toFile());
    change.accept((ObjectNode) content.get("files"));
    Files.delete(index);
    Path made = Files.write(index.resolveSibling("made"), json.writeValueAsBytes(content));
    String name = index.getFileName().toString().replaceAll("-[0-9a-f]{16}", "-");
    Files.move(
        made,
        made.resolveSibling(name.replace(".json", Checksum.of(made).substring(0, 16) + ".json")));
  }

  @Test
  void theLastTwoAreKeptAndComeBack() throws IOException {
    CheckpointMirror mirror = mirror();
    assertFalse(mirror.keepsSome());
    for (int step = 1; step <= 5; step++) {
      step(mirror, step);
      assertTrue(mirror.keepsSome());
    }
    // Two indexes, three checkpoints, two states of the metrics, one configuration.
    assertEquals(8, kept().size(), kept().toString());
    assertGoesOnAfter(5);
    assertTrue(Files.exists(checkpoint(4)));
    assertFalse(Files.exists(checkpoint(3)));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatIsDamagedIsPassedOverWithALine(boolean shorter) throws IOException {
    CheckpointMirror mirror = mirror();
    for (int step = 1; step <= 3; step++) {
      step(mirror, step);
    }
    Path last = kept("checkpoints-step-00000003");
    byte[] damaged = Files.readAllBytes(last);
    damaged[damaged.length / 2] ^= 1;
    Files.write(last, shorter ? Arrays.copyOf(damaged, damaged.length / 2) : damaged);
    assertGoesOnAfter(2);
    assertFalse(Files.exists(checkpoint(3)));
    assertTrue(
        notes.get(0).matches(".*step-00000003-.*json is passed over.*not whole"), notes.get(0));

    // Gone on with from there, it is written again beside the damaged one, and all after it.
    step(goesOn, 3);
    assertFalse(Files.exists(last));
    assertGoesOnAfter(3);
    step(goesOn, 4);
    assertGoesOnAfter(4);
  }

  @Test
  void whatWasPassedOverIsNotKeptInThePlaceOfAWholeOne() throws IOException {
    CheckpointMirror mirror = mirror();
    for (int step = 1; step <= 3; step++) {
      step(mirror, step);
    }
    Files.delete(kept("checkpoints-step-00000003"));
    assertGoesOnAfter(2);
    step(goesOn, 4);
    Files.delete(kept("checkpoints-step-00000004"));
    assertGoesOnAfter(2);
  }

  @Test
  void whatAKilledProcessHasLeftTornIsNotTakenForKept() throws IOException {
    step(mirror(), 1);
    Path torn = kept("checkpoints-step-00000001");
    byte[] whole = Files.readAllBytes(torn);
    byte[] damaged = whole.clone();
    damaged[whole.length / 2] ^= 1;
    Files.write(torn, damaged);
    // Another process, without what this one knows of the file.
    mirror().onSave(1);
    assertGoesOnAfter(1);
    assertArrayEquals(whole, Files.readAllBytes(checkpoint(1)));
  }

  @Test
  void aCheckpointThatIsWrittenAnewAtItsStepIsKeptAnew() throws IOException {
    CheckpointMirror mirror = mirror();
    step(mirror, 1);
    step(mirror, 1, Map.of("evaluated", "yes"));
    assertGoesOnAfter(1);
    assertEquals("yes", CheckpointFile.readCopied(checkpoint(1)).properties().get("evaluated"));
  }

  @Test
  void anIndexThatIsTornIsPassedOverAndDoesNotStopTheTraining() throws IOException {
    CheckpointMirror mirror = mirror();
    step(mirror, 1);
    step(mirror, 2);
    Path index = kept("/step-00000002-");
    Files.writeString(index, "{\"step\": 2, \"fi");
    assertGoesOnAfter(1);
    step(mirror(), 2);
    assertGoesOnAfter(2);
  }

  @Test
  void noFileIsWrittenToAgain() throws IOException {
    CheckpointMirror mirror = mirror();
    Map<Path, String> before = new HashMap<>();
    for (int step : List.of(1, 2, 2, 3, 2, 3)) {
      step(mirror, step, Map.of("at", "%d of %d".formatted(step, before.size())));
      for (Path file : kept()) {
        String sum = Checksum.of(file);
        assertEquals(sum, before.getOrDefault(file, sum), file.toString());
        before.put(file, sum);
      }
    }
  }

  @ParameterizedTest(name = "{index}")
  @ValueSource(
      strings = {
        "",
        ".",
        "..",
        "../../x",
        "/x",
        "a/",
        "a//b",
        "a/../b",
        "a/./b",
        ".lock",
        "a\\b",
        "..\\b",
        "checkpoints",
        "config.yaml/x",
        "a\u0000b",
        "a\nb",
        "C:x"
      })
  void anIndexWithAnOddNameIsPassedOverForTheOneBeforeIt(String name) throws IOException {
    CheckpointMirror mirror = mirror();
    step(mirror, 1);
    step(mirror, 2);
    rewrite(
        kept("/step-00000002-"), files -> files.put(name, files.get("config.yaml").textValue()));
    assertGoesOnAfter(1);
    assertFalse(Files.exists(folder.resolve("x")));
    assertTrue(notes.get(0).contains("is passed over: "), notes.toString());
    assertEquals(2, notes.size(), notes.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"config.yaml", "metrics.jsonl", "checkpoints/step-00000002"})
  void anIndexThatNamesTooFewFilesIsPassedOver(String name) throws IOException {
    CheckpointMirror mirror = mirror();
    step(mirror, 1);
    step(mirror, 2);
    rewrite(kept("/step-00000002-"), files -> files.remove(name));
    assertGoesOnAfter(1);
    rewrite(kept("/step-00000001-"), ObjectNode::removeAll);
    Files.delete(kept("/step-00000002-"));
    assertBeginsAnew("it names no config.yaml");
  }

  @Test
  void aCheckpointThatLacksWhatItRefersToIsPassedOver() throws IOException {
    CheckpointMirror mirror = mirror();
    step(mirror, 1);
    Files.delete(checkpoint(1));
    step(mirror, 2, Map.of("best.step", 2L, "best.kept", 1L));
    assertGoesOnAfter(1);
    assertTrue(notes.get(0).contains("passed over"), notes.toString());
  }

  @Test
  void whereNoneIsWholeThatIsSaid() throws IOException {
    step(mirror(), 1);
    Files.delete(kept("config.yaml"));
    assertBeginsAnew("");
    for (Path file : kept()) {
      Files.delete(file);
    }
    Files.writeString(checkpoints.resolve("run-0123456789abcdef/x"), "rubbish");
    notes.clear();
    assertFalse(restored());
    assertEquals(1, notes.size(), notes.toString());
    assertTrue(notes.get(0).contains("the training begins anew"), notes.toString());
  }

  @Test
  void otherConfigurationsStayAndAreNamed() throws IOException {
    step(mirror(), 1);
    List<Path> before = kept();
    CheckpointMirror other = new CheckpointMirror(checkpoints, "f".repeat(20), run, notes::add);
    assertFalse(other.restore());
    assertTrue(notes.get(0).contains("run-0123456789abcdef"), notes.toString());
    step(other, 1);
    assertTrue(kept().containsAll(before));
  }

  @Test
  void whatStandsInTheWayOfANameIsLeftThere() throws IOException {
    step(mirror(), 1);
    for (Path file : kept()) {
      Files.delete(file);
      Files.writeString(Files.createDirectory(file).resolve("x"), "of somebody");
    }
    List<Path> before = kept();
    CheckpointMirror mirror = mirror();
    mirror.onSave(1);
    step(mirror, 2);
    assertTrue(kept().containsAll(before), kept().toString());
    assertEquals(before.size(), notes.size(), notes.toString());
    notes.clear();
    assertGoesOnAfter(2);
  }

  @Test
  void aFileWhereAFolderBelongsIsRefusedBeforeTheTraining() throws IOException {
    Path file = Files.writeString(checkpoints.resolve("run-0123456789abcdef"), "x");
    String refusal = assertThrows(LoraGraphException.class, this::restored).getMessage();
    assertTrue(refusal.startsWith(file + " is no folder"), refusal);
    refusal =
        assertThrows(LoraGraphException.class, () -> CheckpointMirror.requireWritable(file))
            .getMessage();
    assertTrue(refusal.startsWith(file + " is no folder"), refusal);
    CheckpointMirror.requireWritable(folder.resolve("nothing"));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aFolderThatTakesNothingIsRefusedBeforeTheTraining() throws IOException {
    // Nobody may write there, whoever runs the tests.
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("/proc"));
    String refusal =
        assertThrows(LoraGraphException.class, () -> CheckpointMirror.requireWritable(link))
            .getMessage();
    assertTrue(refusal.startsWith("cannot write " + link), refusal);
  }
}
