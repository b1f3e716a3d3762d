package io.github.loragraph.cli;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.error.Spelling;
import io.github.loragraph.experiment.SettingsLayer;
import io.github.loragraph.models.RunConfiguration;
import io.github.loragraph.models.SettingsFile;
import io.github.loragraph.search.SearchFolder;
import io.github.loragraph.trainer.ContinuedRun;
import io.github.loragraph.trainer.RunFolder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The YAML file that {@code train --config} takes: options by their names, {@code batch-size} or
 * {@code batchSize}. A run's {@code config.yaml} is one; what it notes besides options is passed
 * over. Where a run is gone on with, it has to be whole: no option may fall back to its default.
 */
final class ConfigFile implements IDefaultValueProvider {
  private static final String OPTION = "--config";
  private static final String MODEL = "model";
  private static final String NO = "no-";
  private static final String RESUME = "--resume";
  private static final String CONTINUE = "--continue-from";
  private static final List<String> OF_THE_SCHEDULE =
      List.of("epochs", "steps", "warmupSteps", "warmupRatio", "warmup");

  /** What says what to measure with: one of them on the command line replaces all of a file. */
  private static final List<Set<String>> HELD_OUT =
      List.of(
          Set.of("eval"),
          Set.of("eval-split", "eval-split-seed"),
          Set.of("eval-corpus", "eval-queries", "eval-qrels"));

  private static final Set<String> NOT_IN_FILES =
      Set.of("help", "version", "force", "json", "stacktrace", "config", "resume", "stop-after");
  private static final Set<String> NOTES =
      Set.of(
          RunConfiguration.VERSIONS,
          RunConfiguration.CHECKSUMS,
          RunConfiguration.RECIPE_NAME,
          RunConfiguration.PREPARED_FROM,
          RunConfiguration.PAIRS);

  private final Path file;
  private final Map<String, String> values = new LinkedHashMap<>();

  private ConfigFile(Path file) {
    this.file = file;
  }

  /**
   * Makes the values of a config file that is named among the arguments the defaults of the
   * command.
   *
   * @param command that of {@link TrainCommand}
   * @throws LoraGraphException if the file cannot be read, has an entry that is no option, or is
   *     that of a run to be gone on with and lacks one
   */
  static void apply(CommandLine command, String[] args) {
    Optional<Path> continued = valueOf(CONTINUE, args);
    if (continued.isPresent()) {
      Path file = continued.get().resolve(RunFolder.CONFIG);
      command.setDefaultValueProvider(
          read(file, toContinue(continued.get(), file), command.getCommandSpec())
              .without(args, command.getCommandSpec()));
      return;
    }
    Optional<Path> run = valueOf(RESUME, args);
    if (run.isPresent()) {
      RunFolder.recover(run.get(), line -> say(command, line));
      RunFolder.requireUnfinished(run.get());
      Path file = run.get().resolve(RunFolder.CONFIG);
      Map<String, Object> entries = RunConfiguration.entries(file);
      RunConfiguration.requireWhole(file, entries);
      command.setDefaultValueProvider(read(file, entries, command.getCommandSpec()));
    } else {
      valueOf(OPTION, args)
          .ifPresent(
              file -> {
                SearchFolder.requireEnded(file);
                command.setDefaultValueProvider(
                    read(file, RunConfiguration.entries(file), command.getCommandSpec())
                        .without(args, command.getCommandSpec()));
              });
    }
  }

  /**
   * The options of a run for one that continues it, which has a schedule and a model of its own.
   */
  private static Map<String, Object> toContinue(Path run, Path file) {
    ContinuedRun.requireFinished(run);
    Map<String, Object> entries = new LinkedHashMap<>(RunConfiguration.entries(file));
    OF_THE_SCHEDULE.forEach(entries::remove);
    entries.remove(RunConfiguration.ADAPTER);
    entries.remove(RunConfiguration.CONTINUE_FROM);
    entries.put(MODEL, run.toString());
    return entries;
  }

  private static void say(CommandLine command, String line) {
    command.getErr().println(PlainText.line(line));
    command.getErr().flush();
  }

  private static Optional<Path> valueOf(String option, String[] args) {
    for (int i = 0; i < args.length; i++) {
      if (args[i].equals(option) && i + 1 < args.length) {
        return Optional.of(Path.of(args[i + 1]));
      }
      if (args[i].startsWith(option + "=")) {
        return Optional.of(Path.of(args[i].substring(option.length() + 1)));
      }
    }
    return Optional.empty();
  }

  private static ConfigFile read(Path file, Map<String, Object> entries, CommandSpec command) {
    SettingsFile.TRAINING.require(file.toString(), entries.keySet());
    ConfigFile config = new ConfigFile(file);
    Map<Object, String> given = new HashMap<>();
    entries.forEach(
        (key, value) -> {
          String name = SettingsLayer.kebab(key);
          if (NOTES.contains(name)) {
            return;
          }
          OptionSpec option = command.findOption("--" + name);
          if (NOT_IN_FILES.contains(name)) {
            throw new LoraGraphException(
                "%s has '%s', which goes on the command line alone".formatted(file, key));
          }
          if (!name.equals(MODEL) && option == null) {
            List<String> near = Spelling.nearest(name, allNames(command));
            throw new LoraGraphException(
                "%s has '%s', which is no option of train; %s: %s"
                    .formatted(
                        file,
                        key,
                        near.isEmpty() ? "there are" : "is it one of these",
                        String.join(", ", near.isEmpty() ? optionNames(command) : near)));
          }
          String before = given.put(option == null ? MODEL : option, key);
          if (before != null) {
            throw new LoraGraphException(
                "%s gives the same option twice, as '%s' and '%s': keep one of them"
                    .formatted(file, before, key));
          }
          RunConfiguration.requireOneValue(file, key, value);
          if (value != null) {
            config.values.put(
                name,
                value instanceof Collection<?> files
                    ? files.stream().map(Object::toString).collect(Collectors.joining("\n"))
                    : value.toString());
          }
        });
    return config;
  }

  /**
   * The command line wins: also where it says no to what the file says yes to, and where it says
   * yes, too, which picocli would take for the opposite of the default.
   */
  private ConfigFile without(String[] args, CommandSpec command) {
    values
        .keySet()
        .removeIf(
            name -> {
              String opposite =
                  "--" + (name.startsWith(NO) ? name.substring(NO.length()) : NO + name);
              return isReplaced(name, args)
                  || isGiven(command.findOption("--" + name), args)
                  || Arrays.stream(args)
                      .anyMatch(arg -> arg.equals(opposite) || arg.startsWith(opposite + "="));
            });
    return this;
  }

  private static boolean isGiven(@Nullable OptionSpec option, String[] args) {
    return option != null
        && Arrays.stream(option.names())
            .anyMatch(
                name ->
                    Arrays.stream(args)
                        .anyMatch(arg -> arg.equals(name) || arg.startsWith(name + "=")));
  }

  /** Whether the command line says in another way what to measure with. */
  private static boolean isReplaced(String name, String[] args) {
    return HELD_OUT.stream().anyMatch(names -> names.contains(name))
        && HELD_OUT.stream()
            .filter(names -> !names.contains(name))
            .flatMap(Set::stream)
            .anyMatch(other -> valueOf("--" + other, args).isPresent());
  }

  private static List<String> optionNames(CommandSpec command) {
    return command.options().stream()
        .filter(option -> !option.hidden())
        .map(o -> firstLongName(o).substring(2))
        .filter(name -> !NOT_IN_FILES.contains(name))
        .sorted()
        .toList();
  }

  /** With the names that options have elsewhere. */
  private static List<String> allNames(CommandSpec command) {
    return command.options().stream()
        .filter(option -> !option.hidden())
        .flatMap(option -> Arrays.stream(option.names()))
        .filter(name -> name.startsWith("--"))
        .map(name -> name.substring(2))
        .filter(name -> !NOT_IN_FILES.contains(name))
        .sorted()
        .toList();
  }

  /** The name that is an option's own; further ones are those that users of Trainer know. */
  static String firstLongName(OptionSpec option) {
    return Arrays.stream(option.names())
        .filter(name -> name.startsWith("--"))
        .findFirst()
        .orElse(option.longestName());
  }

  /** The option that an entry of a configuration file is. */
  static String option(String key) {
    return "--" + SettingsLayer.kebab(key);
  }

  /**
   * The file that gives a value to an option or argument of the command; empty where the command
   * line does, or nobody.
   */
  static Optional<Path> origin(
      CommandLine command, @Nullable ArgSpec argument, @Nullable String value) {
    return argument != null
            && command.getDefaultValueProvider() instanceof ConfigFile config
            && value != null
            && value.equals(config.defaultValue(argument))
        ? Optional.of(config.file)
        : Optional.empty();
  }

  @Override
  public @Nullable String defaultValue(ArgSpec argument) {
    if (argument instanceof OptionSpec option) {
      return Arrays.stream(option.names())
          .map(name -> values.get(name.replaceFirst("^--?", "")))
          .filter(Objects::nonNull)
          .findFirst()
          .orElse(null);
    }
    return values.get(MODEL);
  }
}
