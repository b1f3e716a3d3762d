package io.github.loragraph.adapter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.fixtures.Fixtures;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that no one should have made are refused in one line that names them. */
class HostileAdapterTest {
  private static final int MUTATIONS = 4000;

  @TempDir Path folder;
  private Path tensors;
  private Path config;

  @BeforeEach
  void copyAdapter() throws IOException {
    tensors = folder.resolve(PeftAdapter.TENSORS_FILE);
    config = folder.resolve(PeftConfig.FILE);
    for (Path file : new Path[] {tensors, config}) {
      Files.copy(Fixtures.file("peft/roberta-dora/peft-final/" + file.getFileName()), file);
    }
  }

  @Test
  void safetensorsThatBreakARule() throws IOException {
    for (Map.Entry<String, byte[]> bad : HostileFiles.SAFETENSORS.entrySet()) {
      Files.write(tensors, bad.getValue());
      assertRefused(bad.getKey(), tensors);
    }
    assertTrue(HostileFiles.SAFETENSORS.size() >= 30);
  }

  @Test
  void configurationsThatSayWhatPeftCannot() throws IOException {
    for (String[] bad : HostileFiles.CONFIGS) {
      Files.writeString(config, bad[0]);
      assertRefused(bad[1], config);
    }
    Files.write(config, new byte[] {'"', (byte) 0xc3, '"'});
    assertRefused("not in UTF-8", config);
    assertTrue(HostileFiles.CONFIGS.size() >= 30);
  }

  private void assertRefused(String words, Path file) {
    String message =
        assertThrows(LoraGraphException.class, () -> PeftAdapter.read(folder), words).getMessage();
    assertTrue(message.contains(words), () -> "'%s' not in: %s".formatted(words, message));
    assertTrue(message.contains(file.toString()), message);
    assertTrue(message.length() <= LoraGraphException.LONGEST_MESSAGE, message);
    assertEquals(1, message.lines().count(), message);
  }

  @Test
  void whatIsChangedAtRandomIsReadOrRefused() throws IOException {
    Random random = new Random(12);
    byte[] goodTensors = Files.readAllBytes(tensors);
    byte[] goodConfig = Files.readAllBytes(config);
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      boolean ofTensors = i % 2 == 0;
      byte[] good = ofTensors ? goodTensors : goodConfig;
      byte[] bad = mutated(good, ofTensors ? 2200 : good.length, random);
      Files.write(ofTensors ? tensors : config, bad);
      try {
        PeftAdapter read = PeftAdapter.read(folder);
        read.config().requireSupported();
        read.layers();
        read.config().targets("roberta.encoder.layer.0.attention.self.query");
      } catch (LoraGraphException e) {
        refused++;
        assertEquals(1, e.getMessage().lines().count());
      } catch (RuntimeException | StackOverflowError e) {
        throw new AssertionError(
            "mutation %d: %s".formatted(i, new String(bad, StandardCharsets.ISO_8859_1)), e);
      }
      Files.write(ofTensors ? tensors : config, good);
    }
    assertTrue(refused > MUTATIONS / 4, () -> "refused " + MUTATIONS);
  }

  /** Bytes changed, taken out, put in or moved, near the beginning above all. */
  private static byte[] mutated(byte[] good, int within, Random random) {
    byte[] bad = good.clone();
    for (int n = random.nextInt(4); n >= 0; n--) {
      int at = random.nextInt(Math.min(within, bad.length));
      switch (random.nextInt(5)) {
        case 0 -> bad[at] = (byte) random.nextInt(256);
        case 1 -> bad[at] = (byte) "0123456789[]{}\",:-.en\\".charAt(random.nextInt(22));
        case 2 -> bad = Arrays.copyOf(bad, Math.max(1, bad.length - random.nextInt(64)));
        case 3 -> {
          byte[] less = new byte[bad.length - 1];
          System.arraycopy(bad, 0, less, 0, at);
          System.arraycopy(bad, at + 1, less, at, bad.length - at - 1);
          bad = less.length == 0 ? bad : less;
        }
        default -> bad[at] ^= (byte) (1 << random.nextInt(8));
      }
    }
    return bad;
  }
}
