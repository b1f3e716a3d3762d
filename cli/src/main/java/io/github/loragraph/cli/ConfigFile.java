package io.github.loragraph.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.github.loragraph.LoraGraphException;
import io.github.loragraph.Spelling;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.trainer.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The YAML file that {@code train --config} takes: options by their names, {@code batch-size} or
 * {@code batchSize}. A run's {@code config.yaml} is one; what it notes besides options is passed
 * over.
 */
final class ConfigFile implements IDefaultValueProvider {
  private static final String OPTION = "--config";
  private static final String RESUME = "--resume";
  private static final Set<String> NOT_IN_FILES =
      Set.of("help", "version", "force", "json", "stacktrace", "config", "resume");
  private static final Set<String> NOTES = Set.of("versions", "checksums", "recipe");
  private static final TypeReference<LinkedHashMap<String, Object>> MAP = new TypeReference<>() {};

  private final Map<String, String> values = new LinkedHashMap<>();

  private ConfigFile() {}

  /**
   * Makes the values of a config file that is named among the arguments the defaults of the
   * command.
   *
   * @throws LoraGraphException if the file cannot be read, or has an entry that is no option
   */
  static void apply(CommandLine command, String[] args) {
    fileIn(args).ifPresent(f -> command.setDefaultValueProvider(read(f, command.getCommandSpec())));
  }

  private static Optional<Path> fileIn(String[] args) {
    Optional<Path> run = valueOf(RESUME, args);
    if (run.isPresent()) {
      RunFolder.requireUnfinished(run.get());
      return run.map(folder -> folder.resolve(RunFolder.CONFIG));
    }
    return valueOf(OPTION, args);
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
   * since it began.
   *
   * @param config the run's configuration
   * @param now the configuration of the same run as it would be written now
   */
  static void requireSameFiles(Path config, Map<String, Object> now) {
    Map<String, Object> then = entries(config);
    if (!Objects.equals(then.get("recipe"), now.get("recipe"))) {
      throw new LoraGraphException(
          "%s is of a version of lora-graph whose steps were other ones, so it cannot be gone on with: begin another run with --config %s"
              .formatted(config, config));
    }
    if (then.get("checksums") instanceof Map<?, ?> before
        && now.get("checksums") instanceof Map<?, ?> after) {
      before.forEach(
          (what, checksum) -> {
            if (!checksum.equals(after.get(what))) {
              throw new LoraGraphException(
                  "%s has changed since the run began, so it cannot be gone on with: begin another"
                      .formatted(now.get(what)));
            }
          });
    }
  }

  private static ConfigFile read(Path file, CommandSpec command) {
    if (!Files.isRegularFile(file)) {
      throw new LoraGraphException("no such configuration file: " + file);
    }
    Map<String, Object> entries = entries(file);
    ConfigFile config = new ConfigFile();
    entries.forEach(
        (key, value) -> {
          String name = kebab(key);
          if (NOTES.contains(name)) {
            return;
          }
          if (!name.equals("model") && command.findOption("--" + name) == null) {
            List<String> near = Spelling.nearest(name, allNames(command));
            throw new LoraGraphException(
                "%s has '%s', which is no option of train; %s: %s"
                    .formatted(
                        file,
                        key,
                        near.isEmpty() ? "there are" : "is it one of these",
                        String.join(", ", near.isEmpty() ? optionNames(command) : near)));
          }
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
    try {
      if (Files.size(file) == 0) {
        throw new LoraGraphException(file + " is empty: it should have options, a line each");
      }
      return new YAMLMapper().readValue(file.toFile(), MAP);
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

  private static String firstLongName(OptionSpec option) {
    return Arrays.stream(option.names())
        .filter(name -> name.startsWith("--"))
        .findFirst()
        .orElse(option.longestName());
  }

  private static String kebab(String key) {
    return key.replaceAll("([a-z0-9])([A-Z])", "$1-$2").replace('_', '-').toLowerCase(Locale.ROOT);
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
    return values.get("model");
  }

  /** Options by the names of their fields, as a run's {@code config.yaml} has them. */
  static Map<String, Object> asMap(TrainingOptions options) {
    return new ObjectMapper()
        .enable(SerializationFeature.WRITE_ENUMS_USING_TO_STRING)
        .convertValue(options, MAP);
  }
}
