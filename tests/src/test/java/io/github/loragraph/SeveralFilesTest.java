package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.airlift.compress.zstd.ZstdOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Rows in several files, of several kinds and packed, by pattern or from standard input, are those
 * of one file, wherever data is read.
 */
class SeveralFilesTest {
  @TempDir Path folder;
  private Path model;
  private Path one;
  private Path parts;

  @BeforeEach
  void prepare() throws IOException {
    model = folder.resolve("model");
    DataCommandsTest.makeModel(model);
    parts = Files.createDirectory(folder.resolve("parts"));
    StringBuilder all = new StringBuilder("text\tlabel\n");
    for (int part = 0; part < 3; part++) {
      StringBuilder rows = new StringBuilder(part == 1 ? "" : "text\tlabel\n");
      for (int i = 0; i < 11; i++) {
        String text = (i % 2 == 0 ? "good film" : "bad") + " the".repeat((i + part) % 4);
        String label = i % 2 == 0 ? "pos" : "neg";
        all.append(text).append('\t').append(label).append('\n');
        rows.append(
            part == 1
                ? "{\"text\":\"%s\",\"label\":\"%s\"}\n".formatted(text, label)
                : text + "\t" + label + "\n");
      }
      pack(rows.toString(), List.of("a.tsv", "b.jsonl.gz", "c.tsv.zst").get(part));
    }
    one = Files.writeString(folder.resolve("one.tsv"), all);
  }

  private void pack(String text, String name) throws IOException {
    try (OutputStream file = Files.newOutputStream(parts.resolve(name));
        OutputStream out =
            name.endsWith(".gz")
                ? new GZIPOutputStream(file)
                : name.endsWith(".zst") ? new ZstdOutputStream(file) : file) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }

  private Path run(String name, Object... data) {
    Path run = folder.resolve(name);
    List<Object> arguments = new ArrayList<>(List.of("train", model, "-o", run));
    Collections.addAll(arguments, data);
    Collections.addAll(
        arguments,
        "--method",
        "full",
        "--steps",
        9,
        "--batch-size",
        4,
        "--lr",
        "1e-3",
        "--threads",
        1,
        "--log-every",
        1,
        "--engine",
        "graph");
    ok(arguments.toArray());
    return run;
  }

  private static Cli ok(Object... arguments) {
    Cli cli = Cli.run(arguments);
    assertEquals(0, cli.exitCode(), cli::err);
    return cli;
  }

  @Test
  void trainingIsThatOfOneFile() throws IOException {
    Path expected = run("one", "--data", one, "--eval", one);
    Path named =
        run(
            "named",
            "--data",
            parts.resolve("a.tsv"),
            "--data",
            parts.resolve("b.jsonl.gz"),
            "--data",
            parts.resolve("c.tsv.zst"),
            "--eval",
            parts + "/*");
    Path pattern = run("pattern", "--data", parts + "/[a-c].*", "--eval", one);
    Path streamed = run("streamed", "--data", parts + "/{a,b,c}.*", "--eval", one, "--streaming");
    for (Path run : List.of(named, pattern, streamed)) {
      assertArrayEquals(Runs.learned(expected), Runs.learned(run));
      assertEquals(Trainings.figures(expected), Trainings.figures(run));
    }
    assertEquals(
        3, new YAMLMapper().readTree(named.resolve("config.yaml").toFile()).get("data").size());
    Path again = folder.resolve("again");
    ok("train", "--config", named.resolve("config.yaml"), "-o", again);
    assertArrayEquals(Runs.learned(expected), Runs.learned(again));
  }

  @Test
  void aStoppedRunGoesOnWithAllOfThem() throws IOException {
    Path expected = run("one", "--data", one);
    Path stopped = run("stopped", "--data", parts + "/*", "--stop-after", 4);
    ok("train", "--resume", stopped);
    assertArrayEquals(Runs.learned(expected), Runs.learned(stopped));
    Path other = run("other", "--data", parts + "/*", "--stop-after", 4);
    Files.writeString(parts.resolve("a.tsv"), "text\tlabel\nbad\tneg\n");
    Cli changed = Cli.run("train", "--resume", other);
    assertEquals(1, changed.exitCode());
    assertTrue(changed.err().contains("a.tsv and 2 more has changed"), changed.err());
  }

  /** A run keeps how its data is held, and the command line says otherwise. */
  @Test
  void streamingIsPartOfTheConfiguration() throws IOException {
    Path streamed = run("streamed", "--data", one, "--streaming", "--stop-after", 4);
    Path config = streamed.resolve("config.yaml");
    assertTrue(new YAMLMapper().readTree(config.toFile()).get("streaming").asBoolean());
    Path other = folder.resolve("other");
    ok("train", "--config", config, "--no-streaming", "-o", other);
    JsonNode noted = new YAMLMapper().readTree(other.resolve("config.yaml").toFile());
    assertTrue(noted.get("noStreaming").asBoolean());
    assertTrue(noted.path("streaming").isMissingNode());
    ok("train", "--resume", streamed);
    assertArrayEquals(Runs.learned(other), Runs.learned(streamed));
  }

  @Test
  void answersAndFiguresAreThoseOfOneFile() throws IOException {
    for (String command : List.of("eval", "predict")) {
      assertEquals(
          ok(command, model, "--data", one, "--threads", 1).out().replace(one.toString(), ""),
          ok(command, model, "--data", parts + "/*", "--threads", 1)
              .out()
              .replace(parts.resolve("a.tsv") + " and 2 more", ""));
    }
    InputStream before = System.in;
    try {
      ByteArrayOutputStream packed = new ByteArrayOutputStream();
      try (OutputStream out = new GZIPOutputStream(packed)) {
        Files.copy(one, out);
      }
      System.setIn(new ByteArrayInputStream(packed.toByteArray()));
      assertEquals(
          ok("predict", model, "--data", one, "--threads", 1).out(),
          ok("predict", model, "--data", "-", "--data-format", "tsv", "--threads", 1).out());
      System.setIn(
          new ByteArrayInputStream(
              "text\tlabel\ngood\tpos\nbad\n".getBytes(StandardCharsets.UTF_8)));
      Cli bad = Cli.run("eval", model, "--data", "-", "--data-format", "tsv");
      assertTrue(bad.err().contains("standard input.tsv:3 has 1 column"), bad.err());
      System.setIn(new ByteArrayInputStream(packed.toByteArray()));
      Cli check = Cli.run("data", "check", "-", "--data-format", "tsv", "--eval", one);
      assertTrue(check.out().contains("held-out data, too: line"), check.out() + check.err());
    } finally {
      System.setIn(before);
    }
  }

  @Test
  void whatIsNotThereIsSaid() throws IOException {
    refused(1, "no file matches " + parts + "/*.csv", "--data", parts + "/*.csv");
    refused(2, "'-', standard input, needs --data-format", "--data", "-");
    refused(2, "--data-format is for standard input", "--data", one, "--data-format", "tsv");
    refused(
        2,
        "standard input or files, not both",
        "--data",
        "-",
        "--data",
        one,
        "--data-format",
        "tsv");
    pack("{\"text\":\"good\",\"label\":\"neither\"}\n", "b.jsonl.gz");
    refused(1, "b.jsonl.gz:1 has the label 'neither'", "--data", parts + "/*");
    Files.copy(one, parts.resolve("._a.tsv"));
    refused(1, "b.jsonl.gz:1 has the label 'neither'", "--data", parts + "/*");
    // A copy in a hidden folder is not found either, unless the pattern names it.
    Path checkpoints = Files.createDirectories(parts.resolve(".checkpoints"));
    Files.copy(one, checkpoints.resolve("only.tsv"));
    refused(1, "no file matches " + parts + "/**only.tsv", "--data", parts + "/**only.tsv");
    refused(1, "no file matches " + parts + "/*/only.tsv", "--data", parts + "/*/only.tsv");
    Cli named = Cli.run("data", "check", parts + "/.checkpoints/*.tsv");
    assertTrue(named.out().contains(" rows, 2 labels"), named.out() + named.err());
    Files.delete(checkpoints.resolve("only.tsv"));
    Cli twice = Cli.run("data", "check", parts.resolve("a.tsv"), parts + "/a.*");
    assertTrue(twice.err().contains("a.tsv is named more than once"), twice.err());
    Cli trained =
        Cli.run(
            "train",
            model,
            "--method",
            "head",
            "--steps",
            1,
            "--data",
            one,
            "--data",
            one,
            "-o",
            folder.resolve("twice"));
    assertTrue(trained.err().contains("one.tsv is named more than once"), trained.err());
    // A file of that name is itself.
    Path odd = Files.copy(one, parts.resolve("x[1].tsv"));
    ok("eval", model, "--data", odd, "--threads", 1);
  }

  private void refused(int code, String words, Object... data) {
    List<Object> arguments = new ArrayList<>(List.of("eval", model));
    Collections.addAll(arguments, data);
    Cli cli = Cli.run(arguments.toArray());
    assertEquals(code, cli.exitCode(), cli::err);
    assertTrue(cli.err().contains(words), cli.err());
  }
}
