package io.github.loragraph.cli;

import io.github.loragraph.Model;
import io.github.loragraph.Task;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.RunProgram;
import io.github.loragraph.task.Tasks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** The command line, as the program that runs of experiments and searches are processes of. */
public final class CommandLineProgram implements RunProgram {
  private static final Map<Part, String> COMMANDS =
      Map.of(
          Part.HEAD, "add-head",
          Part.ADAPTERS, "inject",
          Part.TRAINING, "train",
          Part.MEASURING, "eval");

  /** What is no setting: where a result goes, and how it is said. */
  private static final Set<String> NO_SETTINGS =
      Set.of(
          "--help",
          "--version",
          "--force",
          "--json",
          "--stacktrace",
          "--config",
          "--resume",
          "--stop-after",
          "--continue-from",
          "--output",
          "--output-dir",
          "--errors",
          "--run",
          "--candidates",
          "--top");

  /** Options with a file in them that is no {@link Path}: several, or one by a pattern. */
  private static final Set<String> FILES = Set.of("data", "eval", "labels-from");

  private final Map<Part, CommandSpec> specs =
      COMMANDS.entrySet().stream()
          .collect(
              Collectors.toUnmodifiableMap(
                  Map.Entry::getKey, entry -> command(entry.getValue()).getCommandSpec()));

  private static CommandLine command(String name) {
    return Objects.requireNonNull(LoraGraph.commandLine().getSubcommands().get(name));
  }

  private static boolean isSetting(OptionSpec option) {
    return !option.hidden() && Arrays.stream(option.names()).noneMatch(NO_SETTINGS::contains);
  }

  private Optional<OptionSpec> option(Part part, String name) {
    return Optional.ofNullable(Objects.requireNonNull(specs.get(part)).findOption("--" + name))
        .filter(CommandLineProgram::isSetting);
  }

  private static String own(OptionSpec option) {
    return ConfigFile.firstLongName(option).substring(2);
  }

  @Override
  public Class<?> main() {
    return Main.class;
  }

  @Override
  public Optional<String> nameOf(Part part, String name) {
    return option(part, name).map(CommandLineProgram::own);
  }

  @Override
  public boolean isNoSetting(Part part, String name) {
    OptionSpec option = Objects.requireNonNull(specs.get(part)).findOption("--" + name);
    return option != null && !isSetting(option);
  }

  @Override
  public List<String> namesOf(Part part) {
    return Objects.requireNonNull(specs.get(part)).options().stream()
        .filter(CommandLineProgram::isSetting)
        .flatMap(option -> Stream.of(option.names()))
        .filter(name -> name.startsWith("--"))
        .map(name -> name.substring(2))
        .sorted()
        .toList();
  }

  @Override
  public boolean isFile(Part part, String name) {
    return option(part, name)
        .map(option -> FILES.contains(own(option)) || option.type().equals(Path.class))
        .orElse(false);
  }

  @Override
  public boolean isRepeated(Part part, String name) {
    return option(part, name)
        .map(option -> option.isMultiValue() && option.splitRegex().isEmpty())
        .orElse(false);
  }

  @Override
  public Optional<Refusal> refusal(Part part, Map<String, List<String>> settings) {
    for (Map.Entry<String, List<String>> setting : settings.entrySet()) {
      String value = setting.getValue().get(0);
      if (option(part, setting.getKey()).filter(CommandLineProgram::isFlag).isPresent()
          && !value.equals("true")
          && !value.equals("false")) {
        return Optional.of(
            new Refusal(
                Optional.of(setting.getKey()), "'%s' is neither true nor false".formatted(value)));
      }
    }
    try {
      if (parsed(part, settings) instanceof SettingsCheck checked) {
        checked.checkSettings();
      }
      return Optional.empty();
    } catch (ParameterException e) {
      return Optional.of(
          e.getArgSpec() instanceof OptionSpec option
              ? new Refusal(Optional.of(own(option)), withoutName(LoraGraph.withFirstNames(e)))
              : new Refusal(Optional.empty(), LoraGraph.withFirstNames(e)));
    } catch (LoraGraphException e) {
      String message = AdviceText.message(e);
      return Optional.of(
          new Refusal(
              settings.keySet().stream()
                  .filter(name -> message.startsWith("--" + name + " "))
                  .findFirst(),
              message));
    }
  }

  /** The command with the settings. */
  private Object parsed(Part part, Map<String, List<String>> settings) {
    return LoraGraph.commandLine()
        .parseArgs(
            arguments(part, "MODEL", settings, Optional.of(Path.of("TARGET")))
                .toArray(String[]::new))
        .subcommand()
        .commandSpec()
        .userObject();
  }

  @Override
  public Optional<String> refusal(Model model, Map<String, List<String>> adapters) {
    return refusalBy(() -> ((InjectCommand) parsed(Part.ADAPTERS, adapters)).checkOn(model));
  }

  @Override
  public Optional<String> refusal(Task task, Map<String, List<String>> training) {
    return refusalBy(() -> ((TrainCommand) parsed(Part.TRAINING, training)).checkFor(task));
  }

  private static Optional<String> refusalBy(Runnable check) {
    try {
      check.run();
      return Optional.empty();
    } catch (LoraGraphException e) {
      return Optional.of(AdviceText.message(e));
    }
  }

  @Override
  public Examples examples(Map<String, List<String>> training) {
    return ((TrainCommand) parsed(Part.TRAINING, training)).examples();
  }

  /** The place that the message is put behind names the option. */
  private static String withoutName(String message) {
    return message.replaceFirst("^Invalid value for option '[^']*'(?: \\([^)]*\\))?: ", "");
  }

  private static boolean isFlag(OptionSpec option) {
    return option.type().equals(boolean.class) || option.type().equals(Boolean.class);
  }

  @Override
  public Map<String, List<String>> head(
      Map<String, List<String>> head, Map<String, List<String>> training) {
    Map<String, List<String>> whole = new LinkedHashMap<>(head);
    List<String> named = training.get("task");
    if (named != null && option(Part.HEAD, "task").isPresent()) {
      whole.putIfAbsent("task", named);
    }
    String task = whole.getOrDefault("task", List.of("classification")).get(0);
    boolean hasLabels =
        Tasks.ALL.stream()
            .filter(t -> t.name().equalsIgnoreCase(task))
            .findFirst()
            .map(t -> t.fixedLabels().isEmpty())
            .orElse(true);
    List<String> data = training.get("data");
    if (hasLabels && !whole.containsKey("labels") && !whole.containsKey("labels-from")) {
      if (data != null) {
        whole.put("labels-from", data);
      }
      List<String> column = training.get("label-column");
      if (column != null) {
        whole.putIfAbsent("label-column", column);
      }
    }
    return whole;
  }

  @Override
  public List<String> arguments(
      Part part, String model, Map<String, List<String>> settings, Optional<Path> target) {
    List<String> words =
        new ArrayList<>(List.of(Objects.requireNonNull(COMMANDS.get(part)), model));
    settings.forEach(
        (name, values) -> {
          OptionSpec option = option(part, name).orElse(null);
          if (option != null && isFlag(option)) {
            boolean wanted = values.get(0).equals("true");
            if (wanted != "true".equals(option.defaultValue())) {
              words.add(wanted ? "--" + name : "--no-" + name);
            }
          } else {
            values.forEach(value -> words.add("--%s=%s".formatted(name, value)));
          }
        });
    if (part == Part.MEASURING) {
      words.add("--json");
    } else {
      target.ifPresent(path -> words.addAll(List.of("-o", path.toString())));
    }
    return words;
  }

  @Override
  public String typed(List<String> arguments) {
    return "lora-graph "
        + arguments.stream().map(CommandLineProgram::typed).collect(Collectors.joining(" "));
  }

  private static String typed(String word) {
    if (!word.startsWith("-")) {
      return ShellWord.of(word);
    }
    int value = word.indexOf('=') + 1;
    if (value == 0) {
      return word;
    }
    String text = ShellWord.of(word.substring(value));
    return text.startsWith("'-") || text.equals("''")
        ? word.substring(0, value) + text
        : word.substring(0, value - 1) + " " + text;
  }

  @Override
  public List<String> train(Path config, Path run, OptionalInt threads, OptionalLong stopAfter) {
    List<String> words = new ArrayList<>(List.of("train", "--config", config.toString()));
    words.addAll(List.of("-o", run.toString()));
    threads.ifPresent(count -> words.addAll(List.of("--threads", Integer.toString(count))));
    return stopping(words, stopAfter);
  }

  @Override
  public List<String> resume(Path run, OptionalLong stopAfter) {
    return stopping(new ArrayList<>(List.of("train", "--resume", run.toString())), stopAfter);
  }

  private static List<String> stopping(List<String> words, OptionalLong stopAfter) {
    stopAfter.ifPresent(step -> words.addAll(List.of("--stop-after", Long.toString(step))));
    return words;
  }
}
