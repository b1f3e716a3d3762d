package io.github.loragraph.artifacts;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.github.loragraph.artifacts.Checkpoint.OptimizerGroup;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointFileTest {
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());
  private static final int DAMAGED = 300;

  @TempDir Path folder;

  private static Checkpoint checkpoint() {
    Tensor a = Tensor.ofFloats("b.lora_A", new float[] {1, 2, 3, 4, 5, 6}, 3, 2);
    Tensor b = Tensor.ofFloats("a.lora_B", new float[] {-1, 0.5f}, 2, 1);
    Map<String, Map<String, Tensor>> states =
        Map.of(
            "b.lora_A",
            Map.of(
                "momentum0", Tensor.ofFloats("momentum0", new float[6], 3, 2),
                "momentum1", Tensor.filled("momentum1", ElementType.FLOAT, 0.25, 3, 2)));
    return new Checkpoint(
        List.of(a, b),
        List.of(Tensor.ofLongs("ids", new long[] {7, 8}, 2)),
        false,
        List.of(new OptimizerGroup("group0", 42, 1e-3f, states)),
        Map.of("epoch", 3L, "best", 0.5f, "note", "na\u00efve"));
  }

  private Path written() {
    Path file = folder.resolve("checkpoint");
    CheckpointFile.write(checkpoint(), file, true);
    return file;
  }

  @Test
  void whatIsWrittenIsRead() {
    Checkpoint read = CheckpointFile.read(written());
    assertEquals(
        List.of("a.lora_B", "b.lora_A"), read.trainable().stream().map(Tensor::name).toList());
    assertArrayEquals(new long[] {3, 2}, read.trainable().get(1).dims());
    assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, read.trainable().get(1).toFloats());
    assertEquals("ids", read.frozen().get(0).name());
    assertFalse(read.nominal());
    OptimizerGroup group = read.group("group0").orElseThrow();
    assertEquals(42, group.step());
    assertEquals(1e-3f, group.initialLearningRate());
    Tensor moment = group.states().get("b.lora_A").get("momentum1");
    assertArrayEquals(new float[] {.25f, .25f, .25f, .25f, .25f, .25f}, moment.toFloats());
    assertEquals(Map.of("epoch", 3L, "best", 0.5f, "note", "na\u00efve"), read.properties());
  }

  @Test
  void nominalCheckpointsHaveNamesOnly() {
    Path file = folder.resolve("nominal");
    CheckpointFile.write(checkpoint().toNominal(), file, false);
    Checkpoint read = CheckpointFile.read(file);
    assertTrue(read.nominal());
    assertEquals(0, read.trainable().get(0).elementCount());
    assertEquals(List.of(), read.groups());
  }

  @Test
  void anExistingFileStays() {
    Path file = written();
    assertThrows(LoraGraphException.class, () -> CheckpointFile.write(checkpoint(), file, false));
  }

  @Test
  void whatIsNoCheckpointIsRefused() throws IOException {
    refused("no such checkpoint", folder.resolve("missing"));
    refused("no such checkpoint", folder);
    refused("it has 0 bytes", bytes("empty", new byte[0]));
    refused("it has 7 bytes", bytes("short", new byte[7]));
    refused("identifier ODTC", bytes("zeros", new byte[64]));
    byte[] good = content();
    for (int version : new int[] {1, 3}) {
      byte[] other = good.clone();
      ByteBuffer b = ByteBuffer.wrap(other).order(ByteOrder.LITTLE_ENDIAN);
      int root = b.getInt(0);
      int table = root - b.getInt(root);
      b.putInt(root + b.getShort(table + 4), version);
      refused("is of version " + version, bytes("version", other));
    }
  }

  @Test
  void everyTruncationIsRefused() throws IOException {
    byte[] good = content();
    for (int length = 8; length < good.length - 8; length += 3) {
      byte[] cut = Arrays.copyOf(good, length);
      Path file = bytes("cut", cut);
      assertThrows(LoraGraphException.class, () -> CheckpointFile.read(file));
    }
  }

  @Test
  void whatWasReadIntoMemoryDoesNotNeedTheFile() throws IOException {
    Path file = written();
    Checkpoint read = CheckpointFile.readCopied(file);
    Files.write(file, new byte[(int) Files.size(file)]);
    Files.delete(file);
    assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, read.trainable().get(1).toFloats());
  }

  @Test
  void whatToDoWithADamagedFileIsSaid() throws IOException {
    byte[] good = Files.readAllBytes(written());
    Path cut = bytes("cut", Arrays.copyOf(good, good.length / 2));
    refused("save or copy it again", cut);
    LoraGraphException e =
        assertThrows(LoraGraphException.class, () -> CheckpointFile.read(cut, "delete it"));
    assertTrue(e.getMessage().endsWith("(delete it)"), e.getMessage());
  }

  /** What was written, but for the checksum: as ONNX Runtime saves a checkpoint. */
  private byte[] content() throws IOException {
    byte[] file = Files.readAllBytes(written());
    return Arrays.copyOf(file, file.length - CheckpointTrailer.SIZE);
  }

  @Test
  void whateverBitIsFlippedIsNoticed() throws IOException {
    byte[] good = Files.readAllBytes(written());
    for (int bit = 0; bit < 8 * good.length; bit++) {
      byte[] bad = good.clone();
      bad[bit / 8] ^= (byte) (1 << bit % 8);
      Path file = bytes("flipped", bad);
      refused("flipped is damaged: ", file);
      LoraGraphException e =
          assertThrows(LoraGraphException.class, () -> CheckpointFile.readChecked(file));
      assertTrue(e.getMessage().contains("flipped is damaged: "), e.getMessage());
    }
    assertEquals(42, CheckpointFile.readChecked(written()).group("group0").orElseThrow().step());
  }

  @Test
  void whereAChecksumMustBeItsAbsenceIsNoticed() throws IOException {
    Path plain = bytes("plain", content());
    assertEquals(42, CheckpointFile.read(plain).group("group0").orElseThrow().step());
    LoraGraphException e =
        assertThrows(LoraGraphException.class, () -> CheckpointFile.readChecked(plain));
    assertTrue(e.getMessage().contains("the checksum at its end is missing"), e.getMessage());
  }

  @Test
  void whatIsNoNumberIsFound() {
    assertEquals(Optional.empty(), checkpoint().notANumber());
    Tensor moment = Tensor.ofFloats("momentum1", new float[] {0, Float.NaN}, 2);
    Map<String, Map<String, Tensor>> states = Map.of("a", Map.of("momentum1", moment));
    OptimizerGroup group = new OptimizerGroup("group0", 1, 0, states);
    assertEquals(
        Optional.of("momentum1 of 'a'"),
        new Checkpoint(List.of(), List.of(), false, List.of(group), Map.of()).notANumber());
    Tensor parameter = Tensor.ofFloats("b", new float[] {Float.POSITIVE_INFINITY}, 1);
    assertEquals(Optional.of("'b'"), Checkpoint.ofParameters(List.of(parameter)).notANumber());
  }

  /** Wherever a byte is changed: what comes out is a checkpoint or one clear refusal. */
  @Test
  void damageIsRefusedOrHarmless() throws IOException {
    byte[] good = content();
    Random random = new Random(SEED);
    for (int i = 0; i < DAMAGED; i++) {
      byte[] bad = good.clone();
      for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt();
      }
      Path file = bytes("damaged", bad);
      try {
        CheckpointFile.read(file);
      } catch (LoraGraphException e) {
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
      } catch (RuntimeException e) {
        fail("seed " + SEED + ", file " + i, e);
      }
    }
  }

  private Path bytes(String name, byte[] content) throws IOException {
    return Files.write(folder.resolve(name), content);
  }

  private static void refused(String words, Path file) {
    LoraGraphException e = assertThrows(LoraGraphException.class, () -> CheckpointFile.read(file));
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }
}
