package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.cli.Main;
import io.github.loragraph.file.ProcFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * A model of 774 million parameters (3.1 GB) through the whole program, each command in a heap of
 * 512 MB and with its weights in memory once. Takes 10 GB of the folder for temporary files.
 */
@EnabledIfSystemProperty(
    named = "large.models",
    matches = "true",
    disabledReason = "takes 10 GB of disk and 5 GB of memory")
@EnabledOnOs(OS.LINUX)
class LargeModelTest {
  private static final long MB = 1_000_000;

  /** All weights, as the reference writes them. */
  private static final long WEIGHTS = 3_097 * MB;

  /** The weights of the adapted layers, which merging makes anew. */
  private static final long MERGED = 36L * 1280 * 3840 * 4;

  @TempDir private Path folder;

  /** The program, which writes down what it took when it is over. */
  static final class WithPeak {
    private WithPeak() {}

    public static void main(String[] arguments) throws Exception {
      Path file = Path.of(arguments[0]);
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    try {
                      long bytes = ProcFile.bytes(ProcFile.SELF, "VmHWM").orElseThrow();
                      Files.writeString(file, Long.toString(bytes));
                    } catch (IOException e) {
                      throw new UncheckedIOException(e);
                    }
                  }));
      Main.main(Arrays.copyOfRange(arguments, 1, arguments.length));
    }
  }

  @Test
  void goesThroughTheProgramInASmallHeap() throws Exception {
    runs("-Xmx1g", WEIGHTS + 500 * MB, "reference", "gpt2-large", "-o", "model");
    StringBuilder rows = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      String ids = "%d, 7, 42, 199, 1000, 50000".formatted(i + 3);
      rows.append(
          "{\"input_ids\": [%s], \"attention_mask\": [1, 1, 1, 1, 1, 1], \"label\": %d}%n"
              .formatted(ids, i % 2));
    }
    Files.writeString(folder.resolve("rows.jsonl"), rows);
    inSmallHeap(400 * MB, "inspect", "model");
    inSmallHeap(
        WEIGHTS + 500 * MB, "inject", "model", "--match", "c_attn", "--rank", "4", "-o", "lora");
    inSmallHeap(
        WEIGHTS + 1000 * MB,
        "train",
        "lora",
        "--data",
        "rows.jsonl",
        "--eval-split",
        "0.25",
        "--batch-size",
        "2",
        "--max-steps",
        "2",
        "-o",
        "run");
    inSmallHeap(500 * MB, "adapter", "export", "run", "--format", "peft", "-o", "peft");
    inSmallHeap(WEIGHTS + 2 * MERGED + 500 * MB, "merge", "run", "-o", "merged");
  }

  private void inSmallHeap(long most, String... arguments) throws Exception {
    runs("-Xmx512m", most, arguments);
  }

  private void runs(String heap, long most, String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                heap,
                "-XX:+UseSerialGC",
                "-XX:MaxDirectMemorySize=1t",
                "-cp",
                System.getProperty("java.class.path"),
                WithPeak.class.getName(),
                "peak"));
    command.addAll(List.of(arguments));
    Path said = folder.resolve("said");
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(said.toFile())
            .start();
    try {
      assertEquals(0, process.waitFor(), () -> arguments[0] + ": " + read(said));
    } finally {
      process.destroyForcibly();
    }
    long peak = Long.parseLong(read(folder.resolve("peak")));
    assertTrue(peak <= most, "%s took %,d bytes".formatted(arguments[0], peak));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
