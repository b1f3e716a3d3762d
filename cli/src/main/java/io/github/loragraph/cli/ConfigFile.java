package io.github.loragraph.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.error.Spelling;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.trainer.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
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
  /** Missing entries that a message names. */
  private static final int NAMED = 5;

  private static final String OPTION = "--config";
  private static final String MODEL = "model";
  private static final String RESUME = "--resume";
  private static final Set<String> NOT_IN_FILES =
      Set.of("help", "version", "force", "json", "stacktrace", "config", "resume");
  private static final String PAIRS = "pairs";
  private static final String CHECKSUMS = "checksums";
  private static final String VERSIONS = "versions";
  private static final Set<String> NOTES = Set.of(VERSIONS, CHECKSUMS, "recipe", PAIRS);
  private static final YAMLMapper YAML =
      YAMLMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
  private static final TypeReference<LinkedHashMap<String, Object>> MAP = new TypeReference<>() {};

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
    Optional<Path> run = valueOf(RESUME, args);
    if (run.isPresent()) {
      RunFolder.recover(run.get(), line -> say(command, line));
      RunFolder.requireUnfinished(run.get());
      Path file = run.get().resolve(RunFolder.CONFIG);
      Map<String, Object> entries = entries(file);
      TrainCommand train = command.getCommand();
      requireKeys(file, entries, train.configurationKeys());
      requireKeys(file, texts(file, entries, CHECKSUMS), Set.of("model", "data"));
      requireKeys(file, texts(file, entries, VERSIONS), Version.NAMES);
      command.setDefaultValueProvider(read(file, entries, command.getCommandSpec()));
    } else {
      valueOf(OPTION, args)
          .ifPresent(
              file ->
                  command.setDefaultValueProvider(
                      read(file, entries(file), command.getCommandSpec())));
    }
  }

  private static void say(CommandLine command, String line) {
    command.getErr().println(PlainText.line(line));
    command.getErr().flush();
  }

  private static void requireKeys(Path file, Map<String, ?> entries, Collection<String> keys) {
    List<String> missing = keys.stream().filter(key -> !entries.containsKey(key)).toList();
    if (!missing.isEmpty()) {
      throw new LoraGraphException(
          "%s has no %s%s: it was cut short or changed, or is of another version of lora-graph; put back what the run was begun with, or begin another"
              .formatted(
                  file,
                  String.join(", ", missing.subList(0, Math.min(NAMED, missing.size()))),
                  missing.size() > NAMED ? " and %d more".formatted(missing.size() - NAMED) : ""));
    }
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

  /**
   * Refuses to go on with a run whose model or data, or the meaning of whose options, have changed
   * since it began, and says where another version of something goes on with it.
   *
   * @param config the run's configuration
   * @param files what has a checksum in it, by the name of the checksum
   * @param now the configuration of the same run as it would be written now
   * @param notes takes a line for each version that is another one
   */
  static void requireSame(
      Path config, Map<String, Path> files, Map<String, Object> now, Consumer<String> notes) {
    Map<String, Object> then = entries(config);
    requireOneValue(config, "recipe", then.get("recipe"));
    if (!Objects.equals(then.get("recipe"), now.get("recipe"))) {
      throw new LoraGraphException(
          "%s is of a version of lora-graph whose steps were other ones, so it cannot be gone on with: begin another run with --config %s"
              .formatted(config, config));
    }
    requireOneValue(config, PAIRS, then.get(PAIRS));
    if (!Objects.equals(then.get(PAIRS), now.get(PAIRS))) {
      throw new LoraGraphException(
          "%s: '%s' is %s, and of these data it is %s: put back what the run was begun with, or begin another"
              .formatted(config, PAIRS, then.get(PAIRS), now.get(PAIRS)));
    }
    Map<String, String> before = texts(config, then, CHECKSUMS);
    texts(config, now, CHECKSUMS)
        .forEach(
            (what, checksum) -> {
              if (!before.containsKey(what)) {
                throw new LoraGraphException(
                    "%s has no checksum of %s, so nobody can tell whether it is the one that the run began with: put back what the run was begun with, or begin another"
                        .formatted(config, files.get(what)));
              }
              if (!checksum.equals(before.get(what))) {
                throw new LoraGraphException(
                    "%s has changed since the run began, so it cannot be gone on with: put back the one from before, or begin another run"
                        .formatted(files.get(what)));
              }
            });
    Map<String, String> versions = texts(config, then, VERSIONS);
    texts(config, now, VERSIONS)
        .forEach(
            (what, version) -> {
              if (!version.equals(versions.get(what))) {
                notes.accept(
                    "begun with %s %s, going on with %s: the last digits may differ"
                        .formatted(what, versions.getOrDefault(what, "(not noted)"), version));
              }
            });
  }

  /** A map of texts among the entries. */
  private static Map<String, String> texts(Path file, Map<String, Object> entries, String name) {
    if (!(entries.get(name) instanceof Map<?, ?> map)) {
      throw new LoraGraphException("%s: '%s' is no map of names and texts".formatted(file, name));
    }
    Map<String, String> texts = new LinkedHashMap<>();
    map.forEach(
        (key, value) -> {
          if (!(value instanceof String text)) {
            throw new LoraGraphException("%s: '%s' of '%s' is no text".formatted(file, key, name));
          }
          texts.put(String.valueOf(key), text);
        });
    return texts;
  }

  private static ConfigFile read(Path file, Map<String, Object> entries, CommandSpec command) {
    ConfigFile config = new ConfigFile(file);
    Map<Object, String> given = new HashMap<>();
    entries.forEach(
        (key, value) -> {
          String name = kebab(key);
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
          requireOneValue(file, key, value);
          if (value != null) {
            config.values.put(name, value.toString());
          }
        });
    return config;
  }

  /**
   * The entries of a file by their keys.
   *
   * @throws LoraGraphException if it cannot be read, or is no map
   */
  static Map<String, Object> entries(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new LoraGraphException("no such configuration file: " + file);
    }
    try {
      if (Files.size(file) == 0) {
        throw new LoraGraphException(file + " is empty: it should have options, a line each");
      }
      Map<String, Object> entries = YAML.readValue(file.toFile(), MAP);
      if (entries == null) {
        throw new LoraGraphException(
            file + " holds null alone: it should have options, a line each");
      }
      return entries;
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(
          "%s:%d is not a YAML map of options: %s"
              .formatted(
                  file,
                  e.getLocation() == null ? 0 : e.getLocation().getLineNr(),
                  e.getOriginalMessage().lines().findFirst().orElse("")),
          e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  private static void requireOneValue(Path file, String key, Object value) {
    if (value instanceof Map || value instanceof Collection) {
      throw new LoraGraphException(
          "%s: '%s' is a %s where one value belongs"
              .formatted(file, key, value instanceof Map ? "map" : "list"));
    }
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

  private static String kebab(String key) {
    return key.replaceAll("([a-z0-9])([A-Z])", "$1-$2").replace('_', '-').toLowerCase(Locale.ROOT);
  }

  /**
   * The file that gives a value to an option or argument of the command; empty where the command
   * line does, or nobody.
   */
  static Optional<Path> origin(CommandLine command, ArgSpec argument, String value) {
    return argument != null
            && command.getDefaultValueProvider() instanceof ConfigFile config
            && value != null
            && value.equals(config.defaultValue(argument))
        ? Optional.of(config.file)
        : Optional.empty();
  }

  @Override
  public String defaultValue(ArgSpec argument) {
    if (argument instanceof OptionSpec option) {
      return Arrays.stream(option.names())
          .map(name -> values.get(name.replaceFirst("^--?", "")))
          .filter(Objects::nonNull)
          .findFirst()
          .orElse(null);
    }
    return values.get(MODEL);
  }

  /** Options by the names of their fields, as a run's {@code config.yaml} has them. */
  static Map<String, Object> asMap(TrainingOptions options) {
    return new ObjectMapper()
        .enable(SerializationFeature.WRITE_ENUMS_USING_TO_STRING)
        .convertValue(options, MAP);
  }
}
