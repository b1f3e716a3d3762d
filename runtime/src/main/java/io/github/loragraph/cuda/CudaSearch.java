package io.github.loragraph.cuda;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Asks a machine, once, for all that {@link Cuda} says of it. */
final class CudaSearch {
  private static final String DRIVER_LIBRARY = "libcuda.so.1";
  private static final Path DRIVER_FOLDER = Path.of("/proc/driver/nvidia");
  private static final Duration LIMIT = Duration.ofSeconds(30);

  /** Where it is called so: under Windows' Linux it is not on the path. */
  private static final List<String> SMI = List.of("nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi");

  private final Machine machine;
  private final LibrarySearch search;
  private final Library driverLibrary;
  private final Optional<CommandRun> smi;
  private final Optional<Driver> driver;
  private final List<Gpu> allGpus;
  private final List<Gpu> gpus;
  private final List<CudaLibraries> libraries;
  private final List<Natives> natives;

  CudaSearch(Machine machine) {
    this.machine = machine;
    search = new LibrarySearch(machine);
    driverLibrary = search.find(DRIVER_LIBRARY);
    smi = smi();
    driver =
        smi.filter(CommandRun::succeeded)
            .flatMap(run -> Driver.ofSmi(run.output()))
            .or(() -> machine.read(DRIVER_FOLDER.resolve("version")).flatMap(Driver::ofModule));
    allGpus = driver.isPresent() ? allGpus() : List.of();
    gpus =
        machine
            .variable("CUDA_VISIBLE_DEVICES")
            .map(variable -> Gpu.visible(allGpus, variable))
            .orElse(allGpus);
    libraries =
        Arrays.stream(CudaVersion.values())
            .map(v -> new CudaLibraries(v, v.libraries().stream().map(search::find).toList()))
            .toList();
    natives = Natives.find(machine);
  }

  Cuda cuda() {
    Optional<CudaVersion> version = version();
    Optional<String> missing = missing(version);
    boolean lacksBuildAlone = missing.isPresent() && missing.equals(installationProblem(version));
    return new Cuda(
        driver, gpus, libraries, natives, version, preload(version), missing, lacksBuildAlone);
  }

  private Optional<CommandRun> smi(String... arguments) {
    return SMI.stream()
        .map(
            program ->
                machine.run(
                    null,
                    LIMIT,
                    Stream.concat(Stream.of(program), Arrays.stream(arguments)).toList()))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private List<Gpu> allGpus() {
    // Older ones know no compute capability and then answer nothing at all.
    for (String fields :
        List.of("index,name,memory.total,compute_cap", "index,name,memory.total")) {
      Optional<CommandRun> run =
          smi("--query-gpu=" + fields, "--format=csv,noheader,nounits")
              .filter(CommandRun::succeeded);
      if (run.isPresent()) {
        return Gpu.ofSmi(run.get().output());
      }
    }
    List<Gpu> found = new ArrayList<>();
    for (Path folder : machine.list(DRIVER_FOLDER.resolve("gpus"))) {
      String name =
          machine.read(folder.resolve("information")).stream()
              .flatMap(String::lines)
              .filter(line -> line.startsWith("Model:"))
              .map(line -> line.substring("Model:".length()).strip())
              .findFirst()
              .orElse("GPU");
      found.add(new Gpu(found.size(), name, 0, Optional.empty()));
    }
    return found;
  }

  /**
   * The release that a named build is for; else of those that the driver runs one whose libraries
   * are there, better still one that is installed, and of equals the newest.
   */
  private Optional<CudaVersion> version() {
    if (Natives.isNamed(machine)) {
      return natives.get(0).version();
    }
    Comparator<CudaLibraries> better =
        Comparator.comparing(CudaLibraries::isComplete)
            .thenComparing(found -> isInstalled(found.version()))
            .thenComparing(found -> -found.missing().size())
            .thenComparing(found -> found.version().number());
    return libraries.stream()
        .filter(found -> driver.isEmpty() || driver.get().supports(found.version()))
        .max(better)
        .map(CudaLibraries::version);
  }

  private boolean isInstalled(CudaVersion version) {
    return natives.stream().anyMatch(n -> n.version().equals(Optional.of(version)));
  }

  private List<Path> preload(Optional<CudaVersion> version) {
    if (version.isEmpty()) {
      return List.of();
    }
    Stream<Library> needed =
        libraries.stream()
            .filter(found -> found.version() == version.get())
            .flatMap(found -> found.needed().stream());
    // cuDNN is last: it looks for the compiler when it is loaded.
    List<Library> inOrder = new ArrayList<>();
    inOrder.add(driverLibrary);
    needed.forEach(inOrder::add);
    inOrder.add(inOrder.size() - 1, search.find(version.get().compiler()));
    return inOrder.stream()
        .filter(Library::needsLoading)
        .flatMap(library -> library.path().stream())
        .toList();
  }

  private Optional<String> missing(Optional<CudaVersion> version) {
    return Stream.<Optional<String>>of(
            platformProblem(),
            driverProblem(),
            gpuProblem(),
            namedBuildProblem(),
            versionProblem(version),
            libraryProblem(version),
            installationProblem(version))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private Optional<String> platformProblem() {
    return Cuda.isBuiltFor(machine)
        ? Optional.empty()
        : Optional.of(
            "there is no CUDA build of ONNX Runtime for %s %s here: take a machine with Linux on x86-64"
                .formatted(machine.system(), machine.processor()));
  }

  private Optional<String> driverProblem() {
    if (driver.isPresent()) {
      return driverLibrary.isThere()
          ? Optional.empty()
          : Optional.of(
              "the NVIDIA driver %s is there, but not its library %s: in a container, start it with --gpus all and NVIDIA_DRIVER_CAPABILITIES=compute,utility"
                  .formatted(driver.get().version(), DRIVER_LIBRARY));
    }
    if (smi.isPresent()) {
      return Optional.of(
          "no NVIDIA driver answers (nvidia-smi says: %s): mend or install it"
              .formatted(smi.get().firstLine()));
    }
    return Optional.of(
        driverLibrary.isThere()
            ? "no NVIDIA driver found (%s is there, but neither nvidia-smi nor %s): install one; in a container, start it with --gpus all"
                .formatted(DRIVER_LIBRARY, DRIVER_FOLDER)
            : "no NVIDIA driver found (nvidia-smi and %s are missing): install one"
                .formatted(DRIVER_LIBRARY));
  }

  private Optional<String> gpuProblem() {
    if (!gpus.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        allGpus.isEmpty()
            ? "the NVIDIA driver %s finds no GPU: put one in, or in a container start it with --gpus all"
                .formatted(driver.map(Driver::version).orElse(""))
            : "CUDA_VISIBLE_DEVICES=%s hides every GPU: unset it"
                .formatted(machine.variable("CUDA_VISIBLE_DEVICES").orElse("")));
  }

  private Optional<String> namedBuildProblem() {
    if (!Natives.isNamed(machine)) {
      return Optional.empty();
    }
    Natives named = natives.get(0);
    if (!named.isComplete()) {
      return Optional.of(
          "%s names %s, which lacks %s: put %s side by side there, or unset it"
              .formatted(
                  Natives.VARIABLE,
                  named.folder(),
                  String.join(", ", named.absent()),
                  String.join(", ", Natives.FILES)));
    }
    return named.version().isPresent()
        ? Optional.empty()
        : Optional.of(
            "%s names %s, but %s there is for neither CUDA 12 nor CUDA 13: put another there, or unset it"
                .formatted(Natives.VARIABLE, named.folder(), Natives.PROVIDER));
  }

  private Optional<String> versionProblem(Optional<CudaVersion> version) {
    if (version.isPresent() && driver.map(d -> d.supports(version.get())).orElse(true)) {
      return Optional.empty();
    }
    // The oldest release is the easiest to have.
    CudaVersion wanted = version.orElse(CudaVersion.CUDA_12);
    return Optional.of(
        "the NVIDIA driver %s%s is too old for %s: update it to %d or newer"
            .formatted(
                driver.map(Driver::version).orElse(""),
                driver.flatMap(Driver::cuda).map(c -> " (CUDA up to %s)".formatted(c)).orElse(""),
                wanted,
                wanted.oldestDriver()));
  }

  private Optional<String> libraryProblem(Optional<CudaVersion> version) {
    return libraries.stream()
        .filter(found -> version.equals(Optional.of(found.version())) && !found.isComplete())
        .map(
            found ->
                "libraries of %s are missing: %s: install them, or name their folder in LD_LIBRARY_PATH"
                    .formatted(found.version(), found.missingInWords()))
        .findFirst();
  }

  private Optional<String> installationProblem(Optional<CudaVersion> version) {
    return version.filter(v -> !isInstalled(v)).isPresent()
        ? Optional.of("ONNX Runtime's build for %s is not installed".formatted(version.get()))
        : Optional.empty();
  }
}
