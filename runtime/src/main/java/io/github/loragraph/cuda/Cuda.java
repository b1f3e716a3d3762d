package io.github.loragraph.cuda;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a machine has for running ONNX Runtime on NVIDIA's GPUs, and what is missing. Nothing is
 * loaded to find out.
 *
 * @param driver empty if none answers
 * @param gpus those that a program may use, by the number after {@code cuda:}
 * @param libraries what is there of each release of CUDA; the newest first
 * @param natives the installed CUDA builds of ONNX Runtime
 * @param version the release of CUDA that is used, or fits best; empty where none can be
 * @param preload libraries outside the dynamic linker's reach, in the order to load them in
 * @param missing in one line why CUDA cannot be used and what to do; empty if it can
 * @param lacksBuildAlone whether nothing is missing but ONNX Runtime's CUDA build, which {@link
 *     CudaInstaller} installs
 */
public record Cuda(
    Optional<Driver> driver,
    List<Gpu> gpus,
    List<CudaLibraries> libraries,
    List<Natives> natives,
    Optional<CudaVersion> version,
    List<Path> preload,
    Optional<String> missing,
    boolean lacksBuildAlone) {

  private static final class Here {
    static final Cuda CUDA = of(Machine.current());
  }

  /** What this machine has; looked up once in a process. */
  public static Cuda ofThisMachine() {
    return Here.CUDA;
  }

  /** What a machine has. */
  public static Cuda of(Machine machine) {
    return new CudaSearch(machine).cuda();
  }

  /** Whether ONNX Runtime has a CUDA build for a machine's kind at all. */
  public static boolean isBuiltFor(Machine machine) {
    return machine.system().startsWith("Linux")
        && List.of("amd64", "x86_64").contains(machine.processor());
  }

  /**
   * The build to load.
   *
   * @throws LoraGraphException if CUDA cannot be used
   */
  public Natives require() {
    missing.ifPresent(
        reason -> {
          throw new LoraGraphException(
              reason, lacksBuildAlone ? Remedy.INSTALL_CUDA_BUILD_OR_USE_CPU : Remedy.OR_USE_CPU);
        });
    return natives.stream().filter(n -> n.version().equals(version)).findFirst().orElseThrow();
  }
}
