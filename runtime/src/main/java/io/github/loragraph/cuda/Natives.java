package io.github.loragraph.cuda;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A folder with ONNX Runtime's CUDA build: the library, its binding to Java and the providers.
 *
 * @param version the release of CUDA that it is built for; empty if that cannot be read
 * @param absent the files of the build that the folder lacks
 */
public record Natives(Path folder, Optional<CudaVersion> version, List<String> absent) {
  /** The environment variable that names such a folder, which is then the only one. */
  public static final String VARIABLE = "LORA_GRAPH_CUDA";

  /** The provider: what needs CUDA's libraries. */
  static final String PROVIDER = "libonnxruntime_providers_cuda.so";

  static final String BINDING = "libonnxruntime4j_jni.so";

  /** The files of a build, side by side. */
  public static final List<String> FILES =
      List.of("libonnxruntime.so", BINDING, "libonnxruntime_providers_shared.so", PROVIDER);

  /** Where the tool's cache has a build, or would have it. */
  static Path cached(Machine machine, CudaVersion version) {
    return machine
        .cache()
        .resolve("native")
        .resolve("cuda" + version.number() + "-linux-x86_64-" + CudaJar.of(version).version());
  }

  /** Whether the variable names a build. */
  static boolean isNamed(Machine machine) {
    return machine.variable(VARIABLE).filter(name -> !name.isBlank()).isPresent();
  }

  /** The builds that can be used: the one that the variable names, else those in the cache. */
  static List<Natives> find(Machine machine) {
    if (isNamed(machine)) {
      Path folder = Path.of(machine.variable(VARIABLE).orElseThrow()).toAbsolutePath();
      return List.of(named(machine, folder));
    }
    List<Natives> found = new ArrayList<>();
    for (CudaVersion version : CudaVersion.values()) {
      Natives natives = in(machine, cached(machine, version), Optional.of(version));
      if (natives.isComplete()) {
        found.add(natives);
      }
    }
    return found;
  }

  private static Natives named(Machine machine, Path folder) {
    List<String> needed = machine.needed(folder.resolve(PROVIDER));
    return in(
        machine,
        folder,
        Arrays.stream(CudaVersion.values()).filter(v -> needed.contains(v.mark())).findFirst());
  }

  static Natives in(Machine machine, Path folder, Optional<CudaVersion> version) {
    return new Natives(
        folder,
        version,
        FILES.stream().filter(file -> !machine.isFile(folder.resolve(file))).toList());
  }

  /** ONNX Runtime's provider for GPUs. */
  public Path provider() {
    return folder.resolve(PROVIDER);
  }

  /** Whether all files are there. */
  public boolean isComplete() {
    return absent.isEmpty();
  }
}
