package io.github.loragraph.cuda;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** A machine of which is written down what it answers. */
final class RecordedMachine implements Machine {
  static final Path CACHE = Path.of("/home/user/.cache/lora-graph");

  private final Map<String, String> variables = new HashMap<>();
  private final Map<Path, String> texts = new HashMap<>();
  private final Set<Path> files = new HashSet<>();
  private final Map<Path, List<String>> needed = new HashMap<>();
  private final Map<String, CommandRun> runs = new HashMap<>();
  private final StringBuilder linkerCache = new StringBuilder("12 libs found in cache\n");
  private final String system;
  private final String processor;

  private RecordedMachine(String system, String processor) {
    this.system = system;
    this.processor = processor;
    runs.put("/sbin/ldconfig -p", new CommandRun(0, linkerCache.toString()));
  }

  static RecordedMachine bare() {
    return of("Linux", "amd64");
  }

  static RecordedMachine of(String system, String processor) {
    return new RecordedMachine(system, processor);
  }

  /** With a driver in full, and one GPU. */
  static RecordedMachine withDriver(String driver, String cuda) {
    return bare()
        .says(
            "nvidia-smi",
            """
            Mon Mar  3 10:00:00 2025
            +-----------------------------------------------------------------------------------------+
            | NVIDIA-SMI %1$s              Driver Version: %1$s      CUDA Version: %2$s     |
            |-----------------------------------------+------------------------+----------------------+
            """
                .formatted(driver, cuda))
        .says(query("index,name,memory.total,compute_cap"), "0, NVIDIA L4, 23034, 8.9\n")
        .linked("libcuda.so.1", "/lib/x86_64-linux-gnu");
  }

  static String query(String fields) {
    return "nvidia-smi --query-gpu=" + fields + " --format=csv,noheader,nounits";
  }

  RecordedMachine says(String command, String output) {
    return says(command, 0, output);
  }

  RecordedMachine says(String command, int exitCode, String output) {
    runs.put(command, new CommandRun(exitCode, output));
    return this;
  }

  RecordedMachine without(String command) {
    runs.remove(command);
    return this;
  }

  RecordedMachine text(String file, String text) {
    texts.put(Path.of(file), text);
    files.add(Path.of(file));
    return this;
  }

  RecordedMachine file(String file) {
    files.add(Path.of(file));
    return this;
  }

  RecordedMachine set(String variable, String value) {
    variables.put(variable, value);
    return this;
  }

  /** Libraries in a folder that the dynamic linker does not know. */
  RecordedMachine libraries(String folder, String... names) {
    for (String name : names) {
      file(folder + "/" + name);
    }
    return this;
  }

  /** A library that the dynamic linker finds. */
  RecordedMachine linked(String name, String folder) {
    linkerCache.append("\t%s (libc6) => /usr/lib32/%s\n".formatted(name, name));
    linkerCache.append("\t%s (libc6,x86-64) => %s/%s\n".formatted(name, folder, name));
    return file(folder + "/" + name).says("/sbin/ldconfig -p", linkerCache.toString());
  }

  /** ONNX Runtime's build in the tool's cache. */
  RecordedMachine installed(CudaVersion version) {
    return build(Natives.cached(this, version).toString(), version.number());
  }

  /** ONNX Runtime's build for a release of CUDA in a folder. */
  RecordedMachine build(String folder, int release) {
    needed.put(Path.of(folder, Natives.PROVIDER), List.of("libcudart.so." + release, "libc.so.6"));
    return libraries(folder, Natives.FILES.toArray(String[]::new));
  }

  @Override
  public String system() {
    return system;
  }

  @Override
  public String processor() {
    return processor;
  }

  @Override
  public Path cache() {
    return CACHE;
  }

  @Override
  public Optional<String> variable(String name) {
    return Optional.ofNullable(variables.get(name));
  }

  @Override
  public boolean isFile(Path file) {
    return files.contains(file);
  }

  @Override
  public List<Path> list(Path folder) {
    Set<Path> in = new TreeSet<>();
    for (Path file : files) {
      if (file.startsWith(folder) && !file.equals(folder)) {
        in.add(folder.resolve(folder.relativize(file).getName(0)));
      }
    }
    return List.copyOf(in);
  }

  @Override
  public Optional<String> read(Path file) {
    return Optional.ofNullable(texts.get(file));
  }

  @Override
  public List<String> needed(Path library) {
    return needed.getOrDefault(library, List.of());
  }

  @Override
  public Optional<CommandRun> run(Path folder, Duration limit, List<String> command) {
    return Optional.ofNullable(runs.get(String.join(" ", command)));
  }
}
