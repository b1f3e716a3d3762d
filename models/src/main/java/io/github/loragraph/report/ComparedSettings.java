package io.github.loragraph.report;

import io.github.loragraph.file.Checksum;
import io.github.loragraph.models.RunConfiguration;
import io.github.loragraph.trainer.RunFolder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What of a run's configuration decides what comes out, but for the seed: runs that have the same
 * of it are one configuration.
 */
final class ComparedSettings {
  /** What changes neither what is trained nor what is measured at the end. */
  private static final Set<String> WITHOUT_EFFECT =
      Set.of(
          "seed",
          "recipe",
          "checkpointEvery",
          "logEvery",
          "threads",
          "stepsPerCall",
          "microBatch",
          RunConfiguration.MEMORY,
          "warmup",
          RunConfiguration.WRITE_MODEL,
          RunConfiguration.STREAMING,
          RunConfiguration.NO_STREAMING,
          RunConfiguration.TENSORBOARD,
          RunConfiguration.NO_REPORT_TEXTS);

  /** What is said of evaluations on the way. */
  private static final Set<String> OF_EVALUATIONS =
      Set.of("evalEvery", RunConfiguration.SAVE_BEST, RunConfiguration.PATIENCE);

  /**
   * Options that name files, by the name of the checksum of all that they name: their content tells
   * more than their place.
   */
  private static final Map<String, List<String>> FILES =
      Map.of(
          RunConfiguration.DATA,
          List.of(RunConfiguration.DATA),
          RunConfiguration.EVAL,
          Stream.concat(Stream.of(RunConfiguration.EVAL), RunConfiguration.SEARCH.stream())
              .toList(),
          RunConfiguration.MODEL,
          List.of(RunConfiguration.MODEL, RunConfiguration.ADAPTER),
          RunFolder.OPTIMIZER,
          List.of(RunConfiguration.CONTINUE_FROM));

  private static final int SHOWN_OF_CHECKSUM = 12;

  private ComparedSettings() {}

  /** Whether an option is one of them. */
  static boolean isOne(String option) {
    return !WITHOUT_EFFECT.contains(entry(option));
  }

  /** The name in a run's configuration of an option of the command line: {@code batch-size}. */
  static String entry(String option) {
    return Pattern.compile("-([a-z])")
        .matcher(option)
        .replaceAll(letter -> letter.group(1).toUpperCase(Locale.ROOT));
  }

  /** Those of a run, by name, with what stands in its model and not among its options. */
  static Map<String, String> of(RunFiles run) {
    Map<String, String> settings = new LinkedHashMap<>(run.options());
    if (!RunConfiguration.choosesByEvaluations(settings)) {
      settings.keySet().removeAll(OF_EVALUATIONS);
    }
    settings.keySet().removeIf(name -> !isOne(name) || name.contains("."));
    contents(run.options())
        .forEach(
            (file, checksum) ->
                settings.put(
                    checksumOf(file),
                    checksum.substring(0, Math.min(SHOWN_OF_CHECKSUM, checksum.length()))));
    run.recorded("adapters")
        .properties()
        .forEach(entry -> settings.put(entry.getKey(), entry.getValue().asText()));
    return settings;
  }

  /** The checksums of a run, by what there are columns of; a model is all files that are left. */
  private static Map<String, String> contents(Map<String, String> options) {
    Map<String, String> contents = new TreeMap<>();
    Checksum.Builder model = new Checksum.Builder();
    String before = RunConfiguration.CHECKSUMS + ".";
    new TreeMap<>(options)
        .forEach(
            (name, checksum) -> {
              if (name.startsWith(before)) {
                String file = name.substring(before.length());
                if (FILES.containsKey(file) && !file.equals(RunConfiguration.MODEL)) {
                  contents.put(file, checksum);
                } else {
                  model.add((file + ":" + checksum + "\n").getBytes(StandardCharsets.UTF_8));
                  contents.put(RunConfiguration.MODEL, "");
                }
              }
            });
    contents.computeIfPresent(RunConfiguration.MODEL, (name, none) -> model.build());
    return contents;
  }

  private static String checksumOf(String file) {
    return file + " sha256";
  }

  /** Tells the configuration: the same files are the same wherever they lie. */
  static List<String> key(Map<String, String> settings) {
    Map<String, String> own = new TreeMap<>(settings);
    FILES.forEach(
        (file, options) -> {
          if (own.containsKey(checksumOf(file))) {
            own.keySet().removeAll(options);
          }
        });
    List<String> key = new ArrayList<>();
    own.forEach((name, value) -> key.add(name + "=" + value));
    return key;
  }
}
