package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.cli.Main;
import io.github.loragraph.cuda.Cuda;
import io.github.loragraph.ort.OrtRuntime;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code lora-graph doctor} on the machine that runs the tests, with or without a GPU. */
class DoctorTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String JAR_FOLDER = "org/bytedeco/onnxruntime/linux-x86_64-gpu/";

  @TempDir Path folder;

  @Test
  void saysWhatWorks() {
    // A build that is in use here is no reason for another engine not to work elsewhere.
    OrtRuntime.ofThisProcess();
    JsonNode result = Cli.json("doctor");
    assertEquals(System.getProperty("java.version"), result.get("java").asText());
    assertTrue(result.get("cores").asInt() > 0);
    assertTrue(result.get("memoryGigabytes").asDouble() > 0.1);
    assertTrue(result.get("onnxRuntime").asText().matches("\\d+\\.\\d+\\.\\d+"));
    assertEquals(13, result.get("cuda").get(0).get("release").asInt());
    assertEquals(12, result.get("cuda").get(1).get("release").asInt());
    JsonNode engines = result.get("engines");
    for (int i = 0; i < 2; i++) {
      assertEquals(i == 0 ? "graph" : "training-api", engines.get(i).get("engine").asText());
      assertTrue(engines.get(i).get("works").asBoolean(), engines.toString());
    }
    JsonNode gpu = engines.get(2);
    assertEquals("graph", gpu.get("engine").asText());
    assertEquals("cuda", gpu.get("device").asText());
    Cuda.ofThisMachine()
        .missing()
        .ifPresent(
            reason -> {
              assertFalse(gpu.get("works").asBoolean());
              assertEquals(reason, gpu.get("problem").asText());
            });
  }

  @Test
  void saysItInWords() {
    Cli run = Cli.run("doctor");
    assertEquals(0, run.exitCode(), run.err());
    List<String> lines = run.out().lines().toList();
    assertTrue(lines.get(1).matches("Java +" + System.getProperty("java.version") + ".*"));
    assertTrue(lines.contains("graph         cpu     works"), run.out());
    assertTrue(lines.contains("training-api  cpu     works"), run.out());
    Cuda.ofThisMachine()
        .missing()
        .ifPresent(
            reason ->
                assertTrue(lines.contains("graph         cuda    does not: " + reason), run.out()));
  }

  @Test
  void wrongUsage() {
    assertEquals(2, Cli.run("doctor", "--install", "rocm").exitCode());
    assertEquals(2, Cli.run("doctor", "--install", "cuda", "--cuda", 11).exitCode());
    Cli alone = Cli.run("doctor", "--cuda", 13);
    assertEquals(2, alone.exitCode());
    assertTrue(alone.err().contains("add --install cuda"), alone.err());
  }

  @Test
  @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
  void installsWhatMavenFetches() throws Exception {
    Path programs = Files.createDirectory(folder.resolve("programs"));
    Path jar = folder.resolve("gpu.jar");
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
      for (String entry :
          List.of(
              "libonnxruntime.so.1",
              "libonnxruntime_providers_shared.so",
              "libonnxruntime_providers_cuda.so",
              "libonnxruntime_providers_dnnl.so")) {
        out.putNextEntry(new ZipEntry(JAR_FOLDER + entry));
        out.write(entry.getBytes(StandardCharsets.UTF_8));
      }
    }
    Path maven =
        Files.writeString(
            programs.resolve("mvn"),
            """
            #!/bin/sh
            for a; do case $a in -DoutputDirectory=*) cp '%s' "${a#*=}/" ;; esac; done
            """
                .formatted(jar));
    assertTrue(maven.toFile().setExecutable(true));

    Cli run = inProcess(programs + ":/usr/bin:/bin", "--install", "cuda", "--cuda", "13", "--json");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.err().startsWith("Maven fetches org.bytedeco:onnxruntime:"), run.err());
    JsonNode result = JSON.readTree(run.out());
    Path installed = Path.of(result.get("installed").asText());
    assertTrue(installed.startsWith(folder.resolve("cache")), installed.toString());
    assertEquals(installed.toString(), result.get("natives").get(0).get("folder").asText());
    assertEquals("libonnxruntime.so.1", Files.readString(installed.resolve("libonnxruntime.so")));
    assertTrue(Files.size(installed.resolve("libonnxruntime4j_jni.so")) > 10_000);
    assertFalse(Files.exists(installed.resolve("libonnxruntime_providers_dnnl.so")));
  }

  @Test
  @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
  void saysWhatToDoWithoutMaven() throws Exception {
    Cli run = inProcess(folder.toString(), "--install", "cuda", "--cuda", "12");
    assertEquals(1, run.exitCode());
    assertEquals("", run.out());
    String last = run.err().lines().reduce((a, b) -> b).orElse("");
    assertTrue(last.startsWith("lora-graph: no Maven found"), run.err());
    assertTrue(last.contains("put the files above into "), run.err());
    assertTrue(
        run.err().contains("by hand: of com.microsoft.onnxruntime:onnxruntime_gpu:"), run.err());
  }

  /** With other programs on the path, and a cache of its own. */
  private Cli inProcess(String path, String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(Main.class.getName(), "doctor"));
    command.addAll(List.of(arguments));
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("PATH", path);
    builder.environment().put("LORA_GRAPH_CACHE", folder.resolve("cache").toString());
    builder.environment().remove("LORA_GRAPH_CUDA");
    int exitCode =
        builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start().waitFor();
    return new Cli(exitCode, Files.readString(out), Files.readString(err));
  }
}
