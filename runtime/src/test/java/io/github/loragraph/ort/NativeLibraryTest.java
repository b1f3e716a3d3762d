package io.github.loragraph.ort;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each case runs in processes of its own: a process has one library. */
class NativeLibraryTest {
  @TempDir Path folder;

  @Test
  void stockHasNoTrainingApi() throws Exception {
    assertEquals("training false", output(start(cache(), "stock")));
  }

  @Test
  void trainingHasTheTrainingApi() throws Exception {
    assertEquals("training true", output(start(cache(), "training")));
  }

  @Test
  void librariesLieInTheCacheAndNothingInTheTemporaryFolder() throws Exception {
    Path temporary = Files.createDirectory(folder.resolve("temporary"));
    for (String build : List.of("stock", "training")) {
      String[] arguments = {"-Djava.io.tmpdir=" + temporary};
      assertTrue(output(start(cache(), arguments, build)).startsWith("training"));
    }
    try (Stream<Path> left = Files.walk(temporary).filter(Files::isRegularFile)) {
      assertEquals(List.of(), left.filter(f -> f.toString().contains("onnxruntime")).toList());
    }
    // Two builds, each with the library and its binding to Java.
    assertEquals(4, cached().size(), cached().toString());
  }

  @Test
  void theCacheIsUsedAgain() throws Exception {
    output(start(cache(), "training"));
    List<Path> first = cached();
    Map<Path, Object> times = new java.util.HashMap<>();
    for (Path file : first) {
      times.put(file, Files.getLastModifiedTime(file));
    }
    assertEquals("training true", output(start(cache(), "training")));
    assertEquals(first, cached());
    for (Path file : first) {
      assertEquals(times.get(file), Files.getLastModifiedTime(file), file.toString());
    }
  }

  @Test
  void aCutFileIsMadeAgain() throws Exception {
    output(start(cache(), "training"));
    for (Path file : cached()) {
      byte[] bytes = Files.readAllBytes(file);
      Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length / 2));
    }
    assertEquals("training true", output(start(cache(), "training")));
  }

  /** It has the right size, so it is not noticed before it is loaded. */
  @Test
  void aDamagedFileIsNamedWithWhatToDo() throws Exception {
    output(start(cache(), "training"));
    for (Path file : cached()) {
      byte[] bytes = Files.readAllBytes(file);
      java.util.Arrays.fill(bytes, 0, 4096, (byte) 7);
      Files.write(file, bytes);
    }
    String line = output(start(cache(), "training"));
    assertEquals(1, line.lines().count(), line);
    Path unpacked = cached().get(0).getParent();
    assertTrue(line.startsWith("failed: cannot load"), line);
    assertTrue(line.contains("delete " + unpacked + ","), line);
    for (Path file : cached()) {
      Files.delete(file);
    }
    assertEquals("training true", output(start(cache(), "training")));
  }

  @Test
  void processesMayStartAtOnceWithAnEmptyCache() throws Exception {
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      processes.add(start(cache(), "training"));
    }
    for (Process process : processes) {
      assertEquals("training true", output(process));
    }
    assertEquals(2, cached().size(), cached().toString());
  }

  @Test
  void aSecondBuildIsRefused() throws Exception {
    List<String> lines = output(start(cache(), "training", "stock")).lines().toList();
    assertEquals("training true", lines.get(0));
    assertEquals(
        "failed: ONNX Runtime's training build is in use already, and a process can load one only: start another process for the stock build",
        lines.get(1));
    lines = output(start(cache(), "stock", "training")).lines().toList();
    assertTrue(
        lines.get(1).startsWith("failed: ONNX Runtime's stock build is in use"), lines.get(1));
  }

  @Test
  void trainingAfterAnyOtherUseIsRefused() throws Exception {
    String line = output(start(cache(), "direct", "training"));
    assertTrue(line.startsWith("failed: ONNX Runtime's stock build is in use"), line);
  }

  @Test
  void aCacheThatCannotBeWrittenIsNamed() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    String line = output(start(file, "training"));
    assertTrue(line.startsWith("failed: cannot write " + file), line);
    assertTrue(line.contains("LORA_GRAPH_CACHE"), line);
    assertEquals(1, line.lines().count(), line);
  }

  @Test
  void aLibraryOfOnesOwnIsLeftAlone() throws Exception {
    output(start(cache(), "training"));
    Path own = cached().get(0).getParent();
    Path other = folder.resolve("other");
    String line = output(start(other, new String[] {"-Donnxruntime.native.path=" + own}, "stock"));
    assertEquals("training true", line);
    assertFalse(Files.exists(other));
  }

  @Test
  void cudaThatCannotBeUsedSaysWhatIsMissing() throws Exception {
    // Whatever the machine has, there is no build in that folder.
    Process process = start(cache(), Map.of("LORA_GRAPH_CUDA", "/none"), new String[0], "cuda");
    String line = output(process);
    assertTrue(line.startsWith("failed: "), line);
    assertTrue(line.endsWith(", or use --device cpu; 'lora-graph doctor' says more"), line);
    assertEquals(1, line.lines().count(), line);
  }

  @Test
  void aLibraryOfOnesOwnWithoutCudaIsRefused() throws Exception {
    output(start(cache(), "stock"));
    String[] options = {"-Donnxruntime.native.path=" + cached().get(0).getParent()};
    String line = output(start(cache(), options, "cuda"));
    assertTrue(line.endsWith("cannot run on a GPU: do not set it"), line);
  }

  @Test
  void namesOfOtherPlatforms() {
    assertEquals("linux-arm64", Platform.of("Linux", "aarch64").trainingName());
    assertEquals("linux-aarch64", Platform.of("Linux", "aarch64").stockName());
    assertEquals("macosx-arm64", Platform.of("Mac OS X", "aarch64").trainingName());
    assertEquals("osx-aarch64", Platform.of("Mac OS X", "aarch64").stockName());
    assertEquals(
        "libonnxruntime.dylib", Platform.of("Mac OS X", "aarch64").fileName("onnxruntime"));
    assertEquals("windows-x86_64", Platform.of("Windows 11", "amd64").trainingName());
    assertEquals("win-x64", Platform.of("Windows 11", "amd64").stockName());
    assertEquals("onnxruntime.dll", Platform.of("Windows 11", "amd64").fileName("onnxruntime"));
  }

  private Path cache() {
    return folder.resolve("cache");
  }

  private List<Path> cached() throws IOException {
    try (Stream<Path> files = Files.walk(cache())) {
      return files.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private static Process start(Path cache, String... builds) throws IOException {
    return start(cache, new String[0], builds);
  }

  private static Process start(Path cache, String[] options, String... builds) throws IOException {
    return start(cache, Map.of(), options, builds);
  }

  private static Process start(
      Path cache, Map<String, String> variables, String[] options, String... builds)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx256m");
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(NativeLibraryProbe.class.getName());
    command.addAll(List.of(builds));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("LORA_GRAPH_CACHE", cache.toString());
    builder.environment().putAll(variables);
    return builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private static String output(Process process) throws Exception {
    String output = new String(process.getInputStream().readAllBytes()).strip();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), output);
    return output;
  }
}
