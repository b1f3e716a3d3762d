package io.github.loragraph.bench;

import io.github.loragraph.check.ReferenceModel;
import io.github.loragraph.cli.Version;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.ProcFile;
import io.github.loragraph.file.TemporaryFolder;
import io.github.loragraph.lora.Method;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.trainer.ThisProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures training steps, each row of each turn in a process of its own. */
@Command(
    name = "bench",
    header = "Measures training steps in turns, beside libtorch and the machine's limit.",
    description = {
      "",
      "Each row of each setting is measured in a process of its own, one after the other, turn by"
          + " turn: this program's two engines, further rows that are asked for, and on Linux x86-64"
          + " libtorch through DJL. Beside the step stand the answers alone (forward), the time of"
          + " all processors (CPU), the peak of the process's memory, and the limit: the operations"
          + " that the step's matrix products need, at the rate of the best large product in the same"
          + " process. Writes bench.json and bench.md.",
      ""
    },
    footer = {
      "",
      "Exit codes: 0 everything ran, however long it took; 1 something did not; 2 wrong usage.",
      "",
      "Examples:",
      "  scripts/bench",
      "  scripts/bench --models minilm --sizes 8x64,64x128 --row 'four=--steps-per-call 4'",
      "  scripts/bench --small --base main"
    },
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
public final class Bench implements Callable<Integer> {
  private static final String BASE_APP = "--base-app";

  @Spec private CommandSpec spec;

  @Option(
      names = "--models",
      split = ",",
      paramLabel = "MODEL",
      description = "Some of minilm and roberta-base.")
  private @Nullable List<String> models;

  @Option(
      names = "--methods",
      split = ",",
      paramLabel = "METHOD",
      description = "Some of lora, full and head.")
  private @Nullable List<Method> methods;

  @Option(
      names = "--sizes",
      split = ",",
      paramLabel = "BATCHxSEQUENCE",
      description = "Examples of a step and tokens of an example, such as 8x64,64x128.")
  private @Nullable List<String> sizes;

  @Option(
      names = "--threads",
      split = ",",
      paramLabel = "N",
      description =
          "How many compute one operator. Where one of these four is given, each of the given is"
              + " measured with each of the others, of which the defaults then are both models,"
              + " lora, 8x64 and 2; where none is, what docs/benchmarks.md has.")
  private @Nullable List<Integer> threads;

  @Option(
      names = "--only",
      paramLabel = "REGEX",
      description = "Only rows in whose names it is found.")
  private @Nullable Pattern only;

  @Option(
      names = "--row",
      paramLabel = "NAME=ARGUMENTS",
      description =
          "A further row of this program: arguments of lora-graph benchmark, separated by spaces."
              + " May be given several times.")
  private List<String> further = List.of();

  @Option(
      names = "--turns",
      paramLabel = "N",
      defaultValue = "3",
      description = "How often each row is measured (default: ${DEFAULT-VALUE}).")
  private int turns;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "5",
      description = "Steps that each process times (default: ${DEFAULT-VALUE}).")
  private int steps;

  @Option(
      names = "--small",
      description = "Small sizes and the first row and those of --row alone: a minute.")
  private boolean small;

  @Option(
      names = "--base",
      paramLabel = "REV",
      description =
          "Measure the program's own rows at that commit, too, which is built in a temporary"
              + " folder: ratios then are this checkout's time by that commit's.")
  private @Nullable String base;

  @Option(
      names = BASE_APP,
      paramLabel = "FOLDER",
      hidden = true,
      description = "The jars of the program at that commit, which scripts/bench has built.")
  private @Nullable Path baseApp;

  @Option(
      names = "--model-folder",
      paramLabel = "FOLDER",
      description = "Where the models are, or are made and kept (default: a temporary folder).")
  private @Nullable Path modelFolder;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FOLDER",
      defaultValue = "bench-results",
      description =
          "Where to write, over what is there; anew after each setting (default: ${DEFAULT-VALUE}).")
  private Path output;

  /** The words that were given, for the table. */
  private List<String> words = List.of();

  /** The entry point of {@code scripts/bench}. */
  public static void main(String[] args) {
    System.exit(execute(args));
  }

  static int execute(String... args) {
    Bench bench = new Bench();
    bench.words = Arrays.asList(args);
    CommandLine commandLine = new CommandLine(bench);
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    commandLine.setExecutionExceptionHandler(
        (failure, at, parsed) -> {
          if (failure instanceof LoraGraphException) {
            at.getErr().println("bench: " + failure.getMessage());
            return CommandLine.ExitCode.SOFTWARE;
          }
          throw failure;
        });
    return commandLine.execute(args);
  }

  @Override
  public Integer call() {
    requireSome("--turns", turns);
    requireSome("--steps", steps);
    if (base != null && baseApp == null) {
      throw wrong("--base is for scripts/bench, which builds that commit");
    }
    Plan plan = plan();
    List<Row> rows = rows();
    if (modelFolder != null) {
      return measure(plan, rows, modelFolder);
    }
    try (TemporaryFolder folder = TemporaryFolder.create("lora-graph-bench")) {
      return measure(plan, rows, folder.path());
    }
  }

  private void requireSome(String option, int value) {
    if (value < 1) {
      throw wrong(option + " must be 1 or more");
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private Plan plan() {
    if (models == null && methods == null && sizes == null && threads == null) {
      return small ? Plan.small() : Plan.whole();
    }
    return Plan.all(
        models == null
            ? List.of(ReferenceModel.values())
            : models.stream().map(this::model).toList(),
        Objects.requireNonNullElse(methods, List.of(Method.LORA)),
        Objects.requireNonNullElse(sizes, List.of("8x64")).stream().map(this::size).toList(),
        Objects.requireNonNullElse(threads, List.of(2)));
  }

  private ReferenceModel model(String name) {
    return switch (name) {
      case "minilm" -> ReferenceModel.MINILM;
      case "roberta-base" -> ReferenceModel.ROBERTA_BASE;
      default ->
          throw wrong("--models: there are minilm and roberta-base, not '%s'".formatted(name));
    };
  }

  private Plan.Size size(String text) {
    if (!text.matches("[1-9]\\d{0,3}x[1-9]\\d{0,3}")) {
      throw wrong("--sizes: a size is such as 8x64, not '%s'".formatted(text));
    }
    return Plan.Size.parse(text);
  }

  private List<Row> rows() {
    List<Row> rows = new ArrayList<>(Row.ALL);
    for (String text : further) {
      if (!text.matches("[^=]+=\\s*\\S.*")) {
        throw wrong(
            "--row: name and arguments such as 'four=--steps-per-call 4', not '%s'"
                .formatted(text));
      }
      rows.add(Row.parse(text));
    }
    boolean libtorch = TorchFork.isThere();
    if (!libtorch && !small) {
      say("libtorch is left out: the build has none, or this is not Linux x86-64");
    }
    rows.removeIf(row -> row.kind() == Row.Kind.LIBTORCH && !libtorch);
    rows.removeIf(row -> small && Row.ALL.indexOf(row) > 0);
    if (only != null) {
      rows.removeIf(row -> !only.matcher(row.name()).find());
    }
    if (rows.isEmpty()) {
      throw wrong("--only: it is found in no row's name");
    }
    return baseApp == null
        ? rows
        : rows.stream()
            .flatMap(
                row ->
                    // Another commit may not know the arguments of a further row.
                    row.kind() == Row.Kind.PROGRAM && Row.ALL.contains(row)
                        ? Stream.of(row.ofBase(), row)
                        : Stream.of(row))
            .toList();
  }

  private int measure(Plan plan, List<Row> rows, Path folder) {
    for (ReferenceModel model : plan.settings().stream().map(Setting::model).distinct().toList()) {
      model.make(folder);
    }
    @Nullable String basePath = baseApp == null ? null : baseApp.resolve("*").toString();
    Fork fork = new Fork(folder, basePath, steps);
    if (rows.stream().anyMatch(row -> row.kind() == Row.Kind.LIBTORCH)) {
      plan.settings().stream()
          .map(setting -> new Setting(setting.model(), setting.method(), 2, 16, 1))
          .distinct()
          .forEach(
              setting -> say("%s: %s".formatted(setting.model().label(), fork.agreement(setting))));
    }
    Turns measured = new Turns(fork, turns, this::say);
    List<Result> results = new ArrayList<>();
    for (Setting setting : plan.settings()) {
      results.addAll(
          measured.of(setting, rows.stream().filter(row -> row.fits(setting.method())).toList()));
      // Each time anew: who stops it has what was measured.
      write(new Results(command(), machine(), folder, results));
    }
    spec.commandLine().getOut().print(new Results(command(), machine(), folder, results).table());
    spec.commandLine().getOut().flush();
    return results.stream().allMatch(result -> result.problem() == null)
        ? CommandLine.ExitCode.OK
        : CommandLine.ExitCode.SOFTWARE;
  }

  private String command() {
    return words.stream()
        .filter(word -> !word.startsWith(BASE_APP))
        .map(word -> word.matches("[\\w./,=-]+") ? word : "'%s'".formatted(word))
        .collect(Collectors.joining(" ", "scripts/bench ", ""))
        .strip();
  }

  private static Map<String, Object> machine() {
    Map<String, Object> machine = new LinkedHashMap<>(ThisProcess.machine());
    String flags = " %s ".formatted(ProcFile.field(ProcFile.CPU, "flags").orElse(""));
    machine.put(
        "instructions",
        List.of("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "amx_bf16").stream()
            .filter(name -> flags.contains(" %s ".formatted(name)))
            .collect(Collectors.joining(" ")));
    machine.put("lora-graph", new Version().getVersion()[0].replace("lora-graph ", ""));
    machine.put("ONNX Runtime", OrtRuntime.packagedVersion());
    return machine;
  }

  private void write(Results results) {
    try {
      Files.createDirectories(output);
      Files.writeString(output.resolve("bench.json"), results.json());
      Files.writeString(output.resolve("bench.md"), results.table());
    } catch (IOException e) {
      throw new LoraGraphException("cannot write to %s: %s".formatted(output, e.getMessage()), e);
    }
  }

  private void say(String line) {
    spec.commandLine().getErr().println("bench: " + line);
  }
}
