package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.OnnxFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Text goes through whatever the locale, or is refused; in processes with an empty environment. */
@DisabledOnOs(OS.WINDOWS)
@Timeout(300)
class LocaleTest {
  private static final String TEXT = "caf\u00e9 \u00fcn\u00ef \ud83d\ude00";
  private static final String JAVA =
      Path.of(System.getProperty("java.home"), "bin", "java").toString();
  private static final String MAIN = "io.github.loragraph.cli.Main";

  @TempDir Path folder;

  private record Run(int exitCode, String out, String err) {}

  /** A folder with the launcher as it is built; its Java runs the classes of this test. */
  @BeforeEach
  void copyLauncher() throws IOException {
    DataCommandsTest.makeModel(folder.resolve("model"));
    Path launcher = folder.resolve("lora-graph");
    Files.copy(Path.of("..", "lora-graph"), launcher);
    Files.createDirectories(folder.resolve("cli/src/main"));
    Files.createDirectories(folder.resolve("jdk/bin"));
    Path app = Files.createDirectories(folder.resolve("cli/target/app"));
    for (String source : List.of("pom.xml", "cli/pom.xml")) {
      Files.writeString(folder.resolve(source), "");
    }
    Files.setLastModifiedTime(
        Files.writeString(app.resolve(".built"), ""),
        FileTime.from(Instant.now().plusSeconds(3600)));
    Path java = folder.resolve("jdk/bin/java");
    Files.writeString(
        java,
        """
        #!/bin/sh
        while [ "$1" != %s ]; do shift; done
        exec '%s' -cp '%s' "$@"
        """
            .formatted(MAIN, JAVA, System.getProperty("java.class.path")));
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** Runs lines of a shell: the test's own process may have a locale of which they are none. */
  private Run shell(Map<String, String> environment, String... lines) throws Exception {
    Path script = folder.resolve("script.sh");
    Files.writeString(script, String.join("\n", lines) + "\n");
    List<String> command = new ArrayList<>(List.of("sh", script.toString()));
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    Map<String, String> variables = builder.environment();
    String cache = variables.get("LORA_GRAPH_CACHE");
    variables.clear();
    variables.put("PATH", "/usr/local/bin:/usr/bin:/bin");
    variables.put("JAVA_HOME", folder.resolve("jdk").toString());
    if (cache != null) {
      variables.put("LORA_GRAPH_CACHE", cache);
    }
    variables.putAll(environment);
    int exit = builder.start().waitFor();
    return new Run(exit, read(out), read(err));
  }

  private static String read(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }

  @Test
  void theLauncherTakesArgumentsFoldersAndInputInUtf8() throws Exception {
    Cli expected = Cli.run("predict", folder.resolve("model"), TEXT);
    assertTrue(expected.out().endsWith("\t" + TEXT + "\n"), expected.err());
    for (Map<String, String> locale :
        List.of(
            Map.<String, String>of(),
            Map.of("LC_ALL", "POSIX"),
            Map.of("LANG", "xx_XX.UTF-8"),
            Map.of("LC_ALL", "C.UTF-8"))) {
      Run run =
          shell(
              locale,
              "mv model 'm\u00f6del' 2>/dev/null",
              "bash ./lora-graph predict 'm\u00f6del' '%s'".formatted(TEXT),
              "printf '%s\\n' | bash ./lora-graph predict 'm\u00f6del' --json".formatted(TEXT));
      assertEquals(0, run.exitCode(), run.err());
      assertEquals(expected.out(), run.out().lines().findFirst().orElse("") + "\n", run.err());
      assertTrue(run.out().contains("{\"text\":\"" + TEXT + "\""), run.out());
    }
  }

  /** In processes of others, whose locale the entry point does not set. */
  @Test
  void filesHaveTheDigitsOfTheirFormats() throws Exception {
    Path model = folder.resolve("model");
    Path texts = Files.writeString(folder.resolve("texts.tsv"), "id\ttext\n1\tgood\n2\tbad film\n");
    Path qrels =
        Files.writeString(folder.resolve("qrels.tsv"), "query-id\tcorpus-id\tscore\n1\t1\t1\n");
    Path data = Files.writeString(folder.resolve("d.tsv"), "text\tlabel\ngood\tpos\nbad\tneg\n");
    Path encoder = folder.resolve("encoder");
    DataCommandsTest.makeModel(encoder);
    Files.delete(encoder.resolve("model.onnx"));
    OnnxFile.write(
        Encoders.of(new ReferenceArchitecture(32, 2, 2, 64, 40, 40, 2).model(0), 32),
        encoder.resolve("model.onnx"),
        false);
    Locale before = Locale.getDefault(Locale.Category.FORMAT);
    Locale.setDefault(Locale.Category.FORMAT, Locale.forLanguageTag("ar-EG-u-nu-arab"));
    try {
      assertEquals("\u0663", "%d".formatted(3));
      Path vectors = folder.resolve("v.npy");
      run("embed", encoder, "--pooling", "mean", "--data", texts, "-o", vectors);
      assertTrue(
          new String(Files.readAllBytes(vectors), StandardCharsets.ISO_8859_1)
              .contains("'shape': (2, 32)"));
      Path found = folder.resolve("found.tsv");
      run(
          "eval",
          encoder,
          "--task",
          "embedding",
          "--pooling",
          "mean",
          "--corpus",
          texts,
          "--queries",
          texts,
          "--qrels",
          qrels,
          "--run",
          found);
      assertTrue(Files.readString(found).startsWith("1\tQ0\t1\t1\t"), Files.readString(found));
      run("inject", model, "--match", "query|value", "-o", folder.resolve("adapted"));
      run(
          "train",
          folder.resolve("adapted"),
          "--data",
          data,
          "--max-steps",
          "2",
          "--batch-size",
          "1",
          "--checkpoint-every",
          "1",
          "-o",
          folder.resolve("run"));
      try (Stream<Path> files = Files.walk(folder.resolve("run"))) {
        assertTrue(files.allMatch(file -> file.getFileName().toString().matches("\\p{ASCII}+")));
      }
      String metrics = Files.readString(folder.resolve("run/metrics.jsonl"));
      assertTrue(metrics.matches("(?s)\\p{ASCII}+"), metrics);
    } finally {
      Locale.setDefault(Locale.Category.FORMAT, before);
    }
  }

  private static void run(Object... arguments) {
    Cli run = Cli.run(arguments);
    assertEquals(0, run.exitCode(), run.err());
  }

  @Test
  void numbersArePrintedAsTheTextAroundThem() throws Exception {
    String java =
        "'%s' -Duser.language=ar -Duser.country=EG -cp '%s' %s"
            .formatted(JAVA, System.getProperty("java.class.path"), MAIN);
    Run run = shell(Map.of(), java + " inspect model");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().matches("(?s)\\p{ASCII}+"), run.out());
  }

  @Test
  void withoutTheLauncherArgumentsAreRefusedAndOutputIsUtf8() throws Exception {
    String java = "'%s' -cp '%s' %s".formatted(JAVA, System.getProperty("java.class.path"), MAIN);
    Run run = shell(Map.of("LC_ALL", "C"), java + " predict model '%s'".formatted(TEXT));
    assertEquals(2, run.exitCode(), run.out());
    assertTrue(
        run.err().startsWith("lora-graph: argument 3 is not in the locale's encoding"), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
    run = shell(Map.of("LC_ALL", "C"), "printf '%s\\n' | %s predict model".formatted(TEXT, java));
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().endsWith("\t" + TEXT + "\n"), run.out());
  }
}
