package io.github.loragraph.cli;

import com.sun.management.OperatingSystemMXBean;
import io.github.loragraph.cuda.Cuda;
import io.github.loragraph.cuda.CudaInstaller;
import io.github.loragraph.cuda.CudaLibraries;
import io.github.loragraph.cuda.CudaVersion;
import io.github.loragraph.cuda.Gpu;
import io.github.loragraph.cuda.Library;
import io.github.loragraph.cuda.Machine;
import io.github.loragraph.cuda.Natives;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.engine.EngineProbe;
import io.github.loragraph.error.LoraGraphException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code lora-graph doctor}. */
@Command(
    name = "doctor",
    header = "Says what this machine has, which engines work on it, and what to do for others.",
    description = {
      "",
      "Each engine is tried with a step of a tiny model. --install cuda fetches, by Maven, the"
          + " build of ONNX Runtime for NVIDIA's GPUs into the tool's cache; driver, CUDA and cuDNN"
          + " are not installed.",
      ""
    },
    footer = {
      "",
      "Exit code 1 where the graph engine does not work on the CPU.",
      "",
      "Examples:",
      "  lora-graph doctor",
      "  lora-graph doctor --install cuda",
      "  lora-graph doctor --install cuda --cuda 12"
    },
    mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {
  private static final double GIGABYTE = 1 << 30;

  @Mixin private ResultOutput output;
  @Spec private CommandSpec spec;

  @Option(
      names = "--install",
      paramLabel = "PART",
      description = "cuda: ONNX Runtime's build for NVIDIA's GPUs, 165 MB (CUDA 13) or 742 MB.")
  private @Nullable String install;

  @Option(
      names = "--cuda",
      paramLabel = "RELEASE",
      description =
          "12 or 13: the CUDA to install for (default: what this machine has; a machine without"
              + " driver needs it named).")
  private @Nullable Integer release;

  /** How an engine does on a device. */
  private record Attempt(EngineKind engine, String device, Optional<String> problem) {}

  @Override
  public Integer call() {
    Machine machine = Machine.current();
    Cuda cuda = Cuda.of(machine);
    Optional<Natives> installed = Optional.empty();
    if (install != null || release != null) {
      CudaVersion version = toInstall(cuda);
      installed = Optional.of(new CudaInstaller(machine, output::log).install(version));
      cuda = Cuda.of(machine);
    }
    EngineProbe.Answer stock = EngineProbe.ask(EngineKind.GRAPH, EngineProbe.Where.CPU);
    List<Attempt> attempts =
        List.of(
            new Attempt(EngineKind.GRAPH, "cpu", stock.problem()),
            new Attempt(
                EngineKind.TRAINING_API,
                "cpu",
                EngineProbe.ask(EngineKind.TRAINING_API, EngineProbe.Where.CPU).problem()),
            new Attempt(EngineKind.GRAPH, "cuda", cudaProblem(cuda)));
    print(machine, cuda, installed, stock.onnxRuntime(), attempts);
    return stock.problem().isEmpty() ? 0 : 1;
  }

  private CudaVersion toInstall(Cuda cuda) {
    if (!"cuda".equals(install)) {
      throw new ParameterException(
          spec.commandLine(),
          install == null
              ? "--cuda says what to install for: add --install cuda"
              : "--install knows cuda, not '%s'".formatted(install));
    }
    if (release != null) {
      return CudaVersion.of(release)
          .orElseThrow(
              () ->
                  new ParameterException(spec.commandLine(), "--cuda is 12 or 13, not " + release));
    }
    if (cuda.driver().isEmpty() || cuda.version().isEmpty()) {
      throw new LoraGraphException(
          "%s; to prepare the cache for another machine, name its CUDA with --cuda 12 or --cuda 13"
              .formatted(AdviceText.missing(cuda)));
    }
    return cuda.version().get();
  }

  /** What is missing is known before anything is tried. */
  private static Optional<String> cudaProblem(Cuda cuda) {
    return cuda.missing().isPresent()
        ? Optional.of(AdviceText.missing(cuda))
        : EngineProbe.ask(EngineKind.GRAPH, EngineProbe.Where.CUDA).problem();
  }

  private void print(
      Machine machine,
      Cuda cuda,
      Optional<Natives> installed,
      Optional<String> onnxRuntime,
      List<Attempt> attempts) {
    Map<String, Object> json = new LinkedHashMap<>();
    List<String[]> rows = new ArrayList<>();
    String java = System.getProperty("java.version");
    String system = machine.system() + " " + machine.processor();
    int cores = Runtime.getRuntime().availableProcessors();
    double memory = memoryGigabytes();
    json.put("version", Version.current());
    json.put("java", java);
    json.put("system", system);
    json.put("cores", cores);
    json.put("memoryGigabytes", memory);
    json.put("cache", machine.cache().toString());
    json.put("onnxRuntime", onnxRuntime.orElse(null));
    json.put("driver", cuda.driver().map(d -> d.version()).orElse(null));
    json.put("driverCuda", cuda.driver().flatMap(d -> d.cuda()).orElse(null));
    json.put("gpus", cuda.gpus().stream().map(DoctorCommand::json).toList());
    json.put("cuda", cuda.libraries().stream().map(DoctorCommand::json).toList());
    json.put("natives", cuda.natives().stream().map(DoctorCommand::json).toList());
    installed.ifPresent(natives -> json.put("installed", natives.folder().toString()));
    json.put("engines", attempts.stream().map(DoctorCommand::json).toList());

    rows.add(row("lora-graph", Version.current()));
    rows.add(row("Java", "%s (%s)".formatted(java, System.getProperty("java.vendor"))));
    rows.add(row("system", "%s, %d cores".formatted(system, cores)));
    rows.add(row("memory", String.format(Locale.ROOT, "%.1f GB", memory)));
    rows.add(row("cache", machine.cache().toString()));
    rows.add(row("ONNX Runtime", onnxRuntime.orElse("cannot be loaded")));
    rows.add(row("NVIDIA driver", cuda.driver().map(Object::toString).orElse("none")));
    cuda.gpus().forEach(gpu -> rows.add(row("GPU", gpu.toString())));
    if (cuda.gpus().isEmpty()) {
      rows.add(row("GPU", "none"));
    }
    cuda.libraries().forEach(found -> rows.add(row(found.version().toString(), words(found))));
    cuda.natives().forEach(natives -> rows.add(row("CUDA build", words(natives))));
    if (cuda.natives().isEmpty()) {
      rows.add(row("CUDA build", "not installed"));
    }
    output.print(
        json,
        out -> {
          new TextTable(rows, Set.of()).printTo(out);
          out.println();
          printEngines(out, attempts);
        });
  }

  private static void printEngines(PrintWriter out, List<Attempt> attempts) {
    List<String[]> rows = new ArrayList<>();
    rows.add(new String[] {"engine", "device", ""});
    for (Attempt attempt : attempts) {
      rows.add(
          new String[] {
            attempt.engine().toString(),
            attempt.device(),
            attempt.problem().map(problem -> "does not: " + problem).orElse("works")
          });
    }
    new TextTable(rows, Set.of()).printTo(out);
  }

  private static String[] row(String name, String value) {
    return new String[] {name, value};
  }

  /** The libraries by the folders that they are in, then what is missing. */
  private static String words(CudaLibraries found) {
    Map<Path, List<String>> folders = new LinkedHashMap<>();
    for (Library library : found.needed()) {
      library
          .path()
          .ifPresent(
              path ->
                  folders
                      .computeIfAbsent(path.getParent(), folder -> new ArrayList<>())
                      .add(library.name()));
    }
    String there =
        folders.entrySet().stream()
            .map(
                folder -> "%s: %s".formatted(folder.getKey(), String.join(", ", folder.getValue())))
            .collect(Collectors.joining("; "));
    if (found.isComplete()) {
      return there;
    }
    String missing = "missing: " + String.join(", ", found.missing());
    return there.isEmpty() ? missing : there + "; " + missing;
  }

  private static String words(Natives natives) {
    String release = natives.version().map(v -> "for %s: ".formatted(v)).orElse("");
    return release
        + natives.folder()
        + (natives.isComplete() ? "" : ", which lacks " + String.join(", ", natives.absent()));
  }

  private static Map<String, Object> json(Gpu gpu) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("device", "cuda:" + gpu.index());
    json.put("name", gpu.name());
    json.put("memoryMegabytes", gpu.memoryMegabytes());
    json.put("computeCapability", gpu.computeCapability().orElse(null));
    return json;
  }

  private static Map<String, Object> json(CudaLibraries found) {
    Map<String, Object> libraries = new LinkedHashMap<>();
    found.needed().forEach(l -> libraries.put(l.name(), l.path().map(Path::toString).orElse(null)));
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("release", found.version().number());
    json.put("complete", found.isComplete());
    json.put("libraries", libraries);
    return json;
  }

  private static Map<String, Object> json(Natives natives) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("release", natives.version().map(CudaVersion::number).orElse(null));
    json.put("folder", natives.folder().toString());
    json.put("absent", natives.absent());
    return json;
  }

  private static Map<String, Object> json(Attempt attempt) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("engine", attempt.engine().toString());
    json.put("device", attempt.device());
    json.put("works", attempt.problem().isEmpty());
    json.put("problem", attempt.problem().orElse(null));
    return json;
  }

  /** The memory of the machine, or of the container that it is. */
  private static double memoryGigabytes() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize()
        / GIGABYTE;
  }
}
