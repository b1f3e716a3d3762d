package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.artifacts.TrainingArtifacts;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ops.Kernels;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Training artifacts in the last release of ONNX Runtime Web with the training API, compiled to
 * WebAssembly, in Node.js: profile {@code web}. The learning rate there is 1e-3, the oracle's.
 */
@Tag("web")
class WebTest {
  private static final String PACKAGE = "onnxruntime-web@1.19.2";
  private static final Path MODULES = Path.of("target", "web").toAbsolutePath();
  private static final double CURVE = 1e-4;

  /** The learning rate that the training API begins with. */
  private static final double RATE = 1e-3;

  @BeforeAll
  static void installPackage() throws Exception {
    Files.createDirectories(MODULES);
    run(MODULES, List.of("npm", "install", "--prefix", ".", "--no-audit", "--no-fund", PACKAGE));
  }

  static List<String> fixtures() {
    return Oracle.FIXTURES;
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void twentySteps(String fixture, @TempDir Path folder) throws Exception {
    Oracle oracle = Oracle.of(fixture);
    TrainingArtifacts artifacts = TrainingApiTest.artifacts(oracle, Kernels.STANDARD);
    double[] expected = oracle.numbers("/adamw/losses");
    assertArrayEquals(expected, train(artifacts, oracle, expected.length, folder), CURVE);
  }

  @Test
  void gradientDescent(@TempDir Path folder) throws Exception {
    Oracle oracle = Oracle.of("tiny-roberta");
    OnnxModel model = TrainingApiTest.injected(oracle);
    TrainingArtifacts artifacts = TrainingApiTest.artifactsForDescent(model);
    double[] expected =
        Gradients.descent(
            model, artifacts.checkpoint().trainable(), TrainingApiTest.batch(oracle), RATE, 20);
    assertArrayEquals(expected, train(artifacts, oracle, expected.length, folder), CURVE);
  }

  private static double[] train(TrainingArtifacts artifacts, Oracle oracle, int steps, Path folder)
      throws Exception {
    artifacts.write(folder, false, false, false);
    Map<String, Object> batch = new LinkedHashMap<>();
    oracle
        .get("/inputs")
        .properties()
        .forEach(field -> batch.put(field.getKey(), tensor(field.getValue())));
    batch.put("labels", tensor(oracle.get("/labels")));
    new ObjectMapper().writeValue(folder.resolve("batch.json").toFile(), batch);
    Path script = Path.of(WebTest.class.getResource("/web/train.mjs").toURI());
    String out =
        run(
            folder,
            List.of(
                "node",
                script.toString(),
                MODULES.resolve("node_modules").toString(),
                folder.toString(),
                Integer.toString(steps)));
    return new ObjectMapper().readValue(out, double[].class);
  }

  private static Map<String, Object> tensor(JsonNode values) {
    long[] dims =
        values.get(0).isArray()
            ? new long[] {values.size(), values.get(0).size()}
            : new long[] {values.size()};
    double[] flat = Oracle.flat(values);
    long[] data = new long[flat.length];
    for (int i = 0; i < data.length; i++) {
      data[i] = (long) flat[i];
    }
    return Map.of("dims", dims, "data", data);
  }

  /** Standard output; the last of standard error where the command fails. */
  private static String run(Path folder, List<String> command) throws Exception {
    File errors = File.createTempFile("web", ".log");
    try {
      Process process =
          new ProcessBuilder(command).directory(folder.toFile()).redirectError(errors).start();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      process.waitFor(5, TimeUnit.MINUTES);
      assertEquals(0, process.exitValue(), () -> command + ": " + text(errors));
      return out;
    } finally {
      Files.delete(errors.toPath());
    }
  }

  private static String text(File file) {
    try {
      return Files.readString(file.toPath());
    } catch (java.io.IOException e) {
      return e.getMessage();
    }
  }
}
