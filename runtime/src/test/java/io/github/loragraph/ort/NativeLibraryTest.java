package io.github.loragraph.ort;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.ort.OrtRuntime.Build;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
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
      // Ended without ado, as by a kill.
      assertTrue(output(start(cache(), arguments, build, "halt")).startsWith("training"));
    }
    try (Stream<Path> left = Files.list(temporary)) {
      assertEquals(List.of(), left.toList());
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

  /** It has the right size and the time of before. */
  @Test
  void aDamagedFileIsMadeAgainAndThatIsSaid() throws Exception {
    output(start(cache(), "training"));
    for (Path file : cached()) {
      FileTime time = Files.getLastModifiedTime(file);
      byte[] bytes = Files.readAllBytes(file);
      bytes[bytes.length / 2] ^= 1;
      Files.write(file, bytes);
      Files.setLastModifiedTime(file, time);
    }
    assertEquals("training true", output(start(cache(), "training")));
    List<String> lines = errors().lines().toList();
    assertEquals(cached().size(), lines.size(), errors());
    for (int i = 0; i < lines.size(); i++) {
      assertTrue(lines.get(i).contains("was damaged, and has been made anew"), lines.get(i));
    }
    assertEquals("training true", output(start(cache(), "training")));
    assertEquals("", errors());
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
  void whereTheCacheCannotBeWrittenAnotherIsUsedAndThatIsSaid() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    Path temporary = Files.createDirectory(folder.resolve("temporary"));
    String[] options = {"-Djava.io.tmpdir=" + temporary};
    assertEquals("training true", output(start(file, options, "training")));
    assertEquals(1, errors().lines().count(), errors());
    assertTrue(errors().contains("the cache is " + temporary + "/lora-graph-"), errors());
    assertTrue(errors().contains(file + " is no folder (LORA_GRAPH_CACHE names"), errors());
  }

  @Test
  void whereNoCacheCanBeWrittenThatIsSaid() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    Path temporary = Files.createDirectory(folder.resolve("temporary"));
    String[] options = {"-Djava.io.tmpdir=" + temporary};
    output(start(file, options, "stock"));
    Path other;
    try (Stream<Path> files = Files.list(temporary)) {
      other =
          files
              .filter(f -> f.getFileName().toString().startsWith("lora-graph-"))
              .findFirst()
              .orElseThrow();
    }
    Files.move(other, folder.resolve("moved"));
    Files.writeString(other, "no folder either");
    String line = output(start(file, options, "training"));
    assertTrue(line.startsWith("failed: cannot write to " + file), line);
    assertTrue(line.contains("LORA_GRAPH_CACHE"), line);
    assertEquals(1, line.lines().count(), line);
    assertEquals("", errors());
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aCacheThatOthersCanWriteToIsNotUsedAndThatIsSaid() throws Exception {
    Files.createDirectory(cache());
    Files.setPosixFilePermissions(cache(), PosixFilePermissions.fromString("rwxrwxrwx"));
    Path temporary = Files.createDirectory(folder.resolve("temporary"));
    String[] options = {"-Djava.io.tmpdir=" + temporary};
    assertEquals("training true", output(start(cache(), options, "training")));
    assertEquals(List.of(), cached());
    assertEquals(1, errors().lines().count(), errors());
    assertTrue(errors().contains("other users can write to " + cache()), errors());
  }

  @Test
  void aMissingFolderForTemporaryFilesIsOneLine() throws Exception {
    String[] options = {"-Djava.io.tmpdir=" + folder.resolve("missing")};
    String line = output(start(cache(), options, "stock"));
    assertEquals(
        "failed: the folder for temporary files, %s, is not there: mend that, or name another with JDK_JAVA_OPTIONS=-Djava.io.tmpdir=FOLDER"
            .formatted(folder.resolve("missing")),
        line);
    assertEquals("", errors());
  }

  @Test
  void aLibraryThatIsNoneIsOneLineEachTime() throws Exception {
    Path own = Files.createDirectory(folder.resolve("own"));
    for (String name : List.of("onnxruntime", "onnxruntime4j_jni")) {
      Files.writeString(own.resolve(System.mapLibraryName(name)), "no library");
    }
    String[] options = {"-Donnxruntime.native.path=" + own};
    List<String> lines = output(start(cache(), options, "stock", "stock")).lines().toList();
    assertEquals(2, lines.size(), lines.toString());
    assertEquals(lines.get(0), lines.get(1));
    assertTrue(lines.get(0).startsWith("failed: cannot load ONNX Runtime's native library: "));
    assertTrue(lines.get(0).endsWith("names: name another, or none)"), lines.get(0));
  }

  @Test
  void remedies() {
    assertRemedy(
        "/c/libx.so: libstdc++.so.6: cannot open shared object file", "install the C++ library");
    assertRemedy(
        "/lib/libc.so.6: version `GLIBC_2.32' not found (required by", "use a newer release");
    assertRemedy("Error loading shared library ld-linux-x86-64.so.2: No such file", "not Alpine");
    assertRemedy("wrong ELF class: ELFCLASS32 (Possible cause: endianness", "use a Java for");
    assertRemedy("failed to map segment from shared object", "forbids programs");
    assertRemedy("cannot map zero-fill pages: Cannot allocate memory", "memory is short");
    assertRemedy("invalid ELF header", "delete /c, which is then made anew");
  }

  private static void assertRemedy(String reason, String remedy) {
    String line = LoadFailure.remedy(reason, Path.of("/c"), List.of());
    assertTrue(line.contains(remedy), line);
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
    assertTrue(line.endsWith(", or use the CPU"), line);
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

  private Path errorFile() {
    return folder.resolve("errors");
  }

  /** What the last process printed to standard error. */
  private String errors() throws IOException {
    return Files.readString(errorFile()).strip();
  }

  private List<Path> cached() throws IOException {
    try (Stream<Path> files = Files.walk(cache())) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> !file.toString().endsWith(".checked"))
          .sorted()
          .toList();
    }
  }

  /**
   * The library for CUDA 13 has the training API, too, and is the CUDA build for who asks for it.
   */
  @Test
  void isTheBuildThatWasAskedForWhereItCanDoWhatThatPromises() {
    assertEquals(Build.CUDA, Build.asked(Build.CUDA, true, true));
    assertEquals(Build.TRAINING, Build.asked(Build.TRAINING, true, true));
    assertEquals(Build.CUDA, Build.asked(Build.CUDA, false, true));
    assertEquals(Build.TRAINING, Build.asked(Build.STOCK, true, true));
    assertEquals(Build.CUDA, Build.asked(Build.STOCK, false, true));
    assertEquals(Build.STOCK, Build.asked(Build.CUDA, false, false));
    assertEquals(Build.TRAINING, Build.asked(Build.CUDA, true, false));
    assertEquals(Build.STOCK, Build.asked(Build.TRAINING, false, false));
  }

  private Process start(Path cache, String... builds) throws IOException {
    return start(cache, new String[0], builds);
  }

  private Process start(Path cache, String[] options, String... builds) throws IOException {
    return start(cache, Map.of(), options, builds);
  }

  private Process start(
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
    return builder.redirectError(errorFile().toFile()).start();
  }

  private static String output(Process process) throws Exception {
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), output);
    return output;
  }
}
