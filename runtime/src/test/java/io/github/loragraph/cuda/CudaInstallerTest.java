package io.github.loragraph.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.cache.CachedFile;
import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a Maven that is none: nothing is downloaded. */
class CudaInstallerTest {
  @TempDir Path folder;
  private final List<String> log = Collections.synchronizedList(new ArrayList<>());
  private final List<List<String>> calls = Collections.synchronizedList(new ArrayList<>());

  /** Linux with the real file system, a cache of its own and a Maven. */
  private record Workshop(Path cache, Maven maven, Optional<String> named) implements Machine {
    @Override
    public String system() {
      return "Linux";
    }

    @Override
    public String processor() {
      return "amd64";
    }

    @Override
    public Optional<String> variable(String name) {
      return named.filter(value -> name.equals(Natives.VARIABLE));
    }

    @Override
    public boolean isFile(Path file) {
      return Machine.current().isFile(file);
    }

    @Override
    public List<Path> list(Path folder) {
      return Machine.current().list(folder);
    }

    @Override
    public Optional<String> read(Path file) {
      return Machine.current().read(file);
    }

    @Override
    public List<String> needed(Path library) {
      return List.of();
    }

    @Override
    public Optional<CommandRun> run(Path folder, Duration limit, List<String> command) {
      return maven.run(command);
    }
  }

  private interface Maven {
    Optional<CommandRun> run(List<String> command);
  }

  private CudaInstaller installer(Maven maven) {
    return new CudaInstaller(
        new Workshop(folder.resolve("cache"), maven, Optional.empty()), log::add);
  }

  private Maven giving(Iterable<String> entries) {
    return command -> {
      calls.add(command);
      String folder = command.get(command.size() - 1).substring("-DoutputDirectory=".length());
      try (ZipOutputStream jar =
          new ZipOutputStream(Files.newOutputStream(Path.of(folder, "fetched.jar")))) {
        for (String entry : entries) {
          jar.putNextEntry(new ZipEntry(entry));
          jar.write(entry.getBytes(StandardCharsets.UTF_8));
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return Optional.of(new CommandRun(0, ""));
    };
  }

  private Maven complete(CudaVersion version) {
    return giving(CudaJar.of(version).files().values());
  }

  private List<String> inCache() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("cache/native"))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private String failure(Maven maven, CudaVersion version) throws IOException {
    String line =
        assertThrows(LoraGraphException.class, () -> installer(maven).install(version))
            .getMessage();
    assertEquals(1, line.lines().count(), line);
    assertEquals(List.of(), inCache());
    return line;
  }

  @Test
  void unpacksJustTheNeededFilesOnce() throws IOException {
    for (CudaVersion version : CudaVersion.values()) {
      Natives natives = installer(complete(version)).install(version);
      assertTrue(natives.isComplete());
      List<Path> libraries =
          Machine.current().list(natives.folder()).stream()
              .filter(file -> !file.toString().endsWith(".checked"))
              .toList();
      assertEquals(4, libraries.size());
      libraries.forEach(file -> assertTrue(new CachedFile(file).isAsNoted(), file.toString()));
      Files.writeString(libraries.get(0), "damaged");
      assertFalse(new CachedFile(libraries.get(0)).isAsNoted());
      Files.delete(libraries.get(0));
      installer(complete(version)).install(version);
      assertTrue(new CachedFile(libraries.get(0)).isAsNoted());
      assertEquals(
          CudaJar.of(version).files().get("libonnxruntime.so"),
          Files.readString(natives.folder().resolve("libonnxruntime.so")));
      assertEquals(natives, installer(command -> Optional.empty()).install(version));
    }
    assertEquals(4, calls.size());
    assertEquals(2, inCache().size(), inCache().toString());
    List<String> call = calls.get(0);
    assertEquals(List.of("mvn", "-B", "-q"), call.subList(0, 3));
    assertTrue(
        call.get(3).matches("org.apache.maven.plugins:maven-dependency-plugin:[0-9.]+:copy"),
        call.toString());
    assertTrue(
        call.get(4)
            .matches("-Dartifact=org.bytedeco:onnxruntime:[0-9.]+-[0-9.]+:jar:linux-x86_64-gpu"),
        call.toString());
    assertTrue(log.get(0).startsWith("Maven fetches org.bytedeco:onnxruntime:"), log.toString());
  }

  @Test
  void twoAtOnce() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      Callable<Natives> install =
          () -> installer(complete(CudaVersion.CUDA_13)).install(CudaVersion.CUDA_13);
      for (Future<Natives> natives : threads.invokeAll(Collections.nCopies(4, install))) {
        assertTrue(natives.get().isComplete());
      }
    } finally {
      threads.shutdown();
    }
    assertEquals(1, inCache().size(), inCache().toString());
  }

  @Test
  void aFolderWithAHoleIsMadeAgain() throws IOException {
    CudaInstaller installer = installer(complete(CudaVersion.CUDA_13));
    Natives natives = installer.install(CudaVersion.CUDA_13);
    Files.delete(natives.folder().resolve(Natives.PROVIDER));
    assertTrue(installer.install(CudaVersion.CUDA_13).isComplete());
    assertEquals(1, inCache().size(), inCache().toString());
  }

  @Test
  void anotherJar() throws IOException {
    String line = failure(giving(List.of("META-INF/MANIFEST.MF")), CudaVersion.CUDA_13);
    assertTrue(line.contains("it is not the jar that was asked for"), line);
  }

  @Test
  void mavensFailureIsTold() throws IOException {
    String line =
        failure(
            command ->
                Optional.of(
                    new CommandRun(
                        1,
                        "[WARNING] slow\n[ERROR] Could not transfer artifact: host unknown\n[ERROR] more\n")),
            CudaVersion.CUDA_12);
    assertTrue(
        line.matches(
            "Maven cannot fetch com.microsoft.onnxruntime:onnxruntime_gpu:[0-9.]+: Could not transfer artifact: host unknown"),
        line);
    line = failure(command -> Optional.of(new CommandRun(0, "")), CudaVersion.CUDA_12);
    assertTrue(line.contains("but gave 0 files"), line);
  }

  @Test
  void withoutMavenItSaysWhatToDoByHand() throws IOException {
    String line = failure(command -> Optional.empty(), CudaVersion.CUDA_13);
    assertTrue(
        line.startsWith(
            "no Maven found (mvn is not on the PATH): install it, or put the files above into "
                + folder.resolve("cache/native")),
        line);
    String files = String.join("\n", log);
    assertTrue(files.contains(":linux-x86_64-gpu the files "), files);
    assertTrue(files.contains("libonnxruntime.so.1 (as libonnxruntime.so)"), files);
    assertTrue(
        files.matches(
            "(?s).*of com.microsoft.onnxruntime:onnxruntime:[0-9.]+ the file libonnxruntime4j_jni.so"),
        files);
  }

  @Test
  void notBesideABuildOfOnesOwn() {
    CudaInstaller installer =
        new CudaInstaller(
            new Workshop(folder, command -> Optional.empty(), Optional.of("/bundle")), log::add);
    assertTrue(
        assertThrows(LoraGraphException.class, () -> installer.install(CudaVersion.CUDA_13))
            .getMessage()
            .startsWith("LORA_GRAPH_CUDA names the build"));
  }

  @Test
  void notForOtherSystems() {
    CudaInstaller installer =
        new CudaInstaller(RecordedMachine.of("Mac OS X", "aarch64"), log::add);
    assertTrue(
        assertThrows(LoraGraphException.class, () -> installer.install(CudaVersion.CUDA_13))
            .getMessage()
            .startsWith("there is no CUDA build of ONNX Runtime for Mac OS X aarch64"));
  }
}
