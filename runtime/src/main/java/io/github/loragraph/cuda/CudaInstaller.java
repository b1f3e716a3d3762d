package io.github.loragraph.cuda;

import ai.onnxruntime.OrtEnvironment;
import io.github.loragraph.cache.CachedFile;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.TemporaryFolder;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Puts ONNX Runtime's CUDA build into the tool's cache. Maven fetches the jar, so that the user's
 * settings, mirrors and local repository hold for it, too.
 *
 * @param log hears in one line what takes its time
 */
public record CudaInstaller(Machine machine, Consumer<String> log) {
  /** For slow lines: the larger jar in this time is 0.1 MB a second. */
  private static final Duration LIMIT = Duration.ofHours(2);

  /**
   * Installs the build for a release of CUDA where it is not there yet. Two processes may do so at
   * the same time.
   *
   * @return what is in the cache now
   * @throws LoraGraphException if there is none for the machine, or it cannot be fetched or written
   */
  public Natives install(CudaVersion version) {
    if (!Cuda.isBuiltFor(machine)) {
      throw new LoraGraphException(
          "there is no CUDA build of ONNX Runtime for %s %s here"
              .formatted(machine.system(), machine.processor()),
          Remedy.USE_CPU);
    }
    if (Natives.isNamed(machine)) {
      throw new LoraGraphException(
          "%s names the build to use, and another would lie idle: unset it to install one"
              .formatted(Natives.VARIABLE));
    }
    Path target = Natives.cached(machine, version);
    Natives there = Natives.in(machine, target, Optional.of(version));
    if (there.isComplete()) {
      log.accept("ONNX Runtime for %s is installed already: %s".formatted(version, target));
      return there;
    }
    try {
      Files.createDirectories(AtomicFile.folderOf(target));
    } catch (IOException e) {
      throw cannotWrite(target, e);
    }
    // Beside the target: a jar of this size may not fit where the system has its temporary files.
    try (TemporaryFolder work =
        TemporaryFolder.createIn(AtomicFile.folderOf(target), ".cuda" + version.number() + "-")) {
      Path jar = fetch(CudaJar.of(version), work.path(), target);
      Path made = Files.createDirectory(work.path().resolve("natives"));
      unpack(jar, CudaJar.of(version), made);
      moveIntoPlace(made, target);
    } catch (IOException e) {
      throw cannotWrite(target, e);
    }
    Natives natives = Natives.in(machine, target, Optional.of(version));
    if (!natives.isComplete()) {
      throw new LoraGraphException(
          "%s lacks %s: delete the folder and install again"
              .formatted(target, String.join(", ", natives.absent())));
    }
    return natives;
  }

  private static LoraGraphException cannotWrite(Path target, IOException e) {
    return new LoraGraphException(
        "cannot write %s: %s (set LORA_GRAPH_CACHE to a folder that can be written: it is the tool's cache)"
            .formatted(target, AtomicFile.reason(e)),
        e);
  }

  private Path fetch(CudaJar jar, Path work, Path target) throws IOException {
    log.accept("Maven fetches %s (%d MB)".formatted(jar.artifact(), jar.megabytes()));
    Path folder = Files.createDirectory(work.resolve("jar"));
    CommandRun run =
        machine
            .run(
                work,
                LIMIT,
                List.of(
                    "mvn",
                    "-B",
                    "-q",
                    CudaJar.plugin() + ":copy",
                    "-Dartifact=" + jar.artifact(),
                    "-DoutputDirectory=" + folder))
            .orElseThrow(() -> withoutMaven(jar, target));
    if (!run.succeeded()) {
      throw new LoraGraphException(
          "Maven cannot fetch %s: %s".formatted(jar.artifact(), firstError(run)));
    }
    List<Path> files = machine.list(folder);
    if (files.size() != 1) {
      throw new LoraGraphException(
          "Maven says that it fetched %s, but gave %d files: run 'mvn -B %s:copy -Dartifact=%s -DoutputDirectory=.' to see why"
              .formatted(jar.artifact(), files.size(), CudaJar.plugin(), jar.artifact()));
    }
    return files.get(0);
  }

  private static String firstError(CommandRun run) {
    return run.output()
        .lines()
        .filter(line -> line.startsWith("[ERROR]"))
        .map(line -> line.substring("[ERROR]".length()).strip())
        .filter(line -> !line.isEmpty())
        .findFirst()
        .orElse(run.firstLine());
  }

  /** The files are more than one message holds: they are lines of the log before it. */
  private LoraGraphException withoutMaven(CudaJar jar, Path target) {
    String files =
        new TreeMap<>(jar.files())
            .entrySet().stream()
                .map(
                    file ->
                        file.getValue().endsWith("/" + file.getKey())
                            ? file.getValue()
                            : "%s (as %s)".formatted(file.getValue(), file.getKey()))
                .collect(Collectors.joining(", "));
    log.accept("by hand: of %s the files %s".formatted(jar.artifact(), files));
    if (!jar.files().containsKey(Natives.BINDING)) {
      log.accept(
          "by hand: of %s the file %s".formatted(CudaJar.bindingArtifact(), Natives.BINDING));
    }
    return new LoraGraphException(
        "no Maven found (mvn is not on the PATH): install it, or put the files above into %s by hand"
            .formatted(target));
  }

  private void unpack(Path file, CudaJar jar, Path folder) throws IOException {
    try (ZipFile zip = new ZipFile(file.toFile())) {
      for (Map.Entry<String, String> library : jar.files().entrySet()) {
        ZipEntry entry = zip.getEntry(library.getValue());
        if (entry == null) {
          throw new LoraGraphException(
              "%s has no %s: it is not the jar that was asked for"
                  .formatted(jar.artifact(), library.getValue()));
        }
        unpack(zip, entry, folder.resolve(library.getKey()));
      }
    }
    if (!jar.files().containsKey(Natives.BINDING)) {
      URL binding =
          OrtEnvironment.class.getResource("/ai/onnxruntime/native/linux-x64/" + Natives.BINDING);
      if (binding == null) {
        throw new LoraGraphException(
            "the class path has no %s: add %s to it"
                .formatted(Natives.BINDING, CudaJar.bindingArtifact()));
      }
      CRC32 crc = new CRC32();
      try (InputStream in = new CheckedInputStream(binding.openStream(), crc)) {
        Files.copy(in, folder.resolve(Natives.BINDING));
      }
      new CachedFile(folder.resolve(Natives.BINDING)).noteWritten(crc.getValue());
    }
  }

  private static void unpack(ZipFile zip, ZipEntry entry, Path target) throws IOException {
    CRC32 crc = new CRC32();
    long size;
    try (InputStream in = new CheckedInputStream(zip.getInputStream(entry), crc)) {
      size = Files.copy(in, target);
    }
    if (size != entry.getSize() || crc.getValue() != entry.getCrc()) {
      throw new LoraGraphException(
          "%s in %s is damaged: delete the jar from Maven's local repository and install again"
              .formatted(entry.getName(), Path.of(zip.getName()).getFileName()));
    }
    new CachedFile(target).noteWritten(crc.getValue());
  }

  private void moveIntoPlace(Path made, Path target) throws IOException {
    if (Files.exists(target) && !Natives.in(machine, target, Optional.empty()).isComplete()) {
      TemporaryFolder.delete(target);
    }
    try {
      Files.move(made, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      // Another process may have been faster; the caller checks what is there.
      if (!Files.isDirectory(target)) {
        throw e;
      }
    }
  }
}
