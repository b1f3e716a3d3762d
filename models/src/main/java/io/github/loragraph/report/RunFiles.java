package io.github.loragraph.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.models.ModelConfig;
import io.github.loragraph.models.RunConfiguration;
import io.github.loragraph.trainer.RunFolder;
import io.github.loragraph.trainer.RunRecord;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * What the files of a run folder say, at the moment when they were read: of a run that goes on, or
 * of an older version, or that was killed, too.
 *
 * @param folder of the run
 * @param state where it stands
 * @param options its configuration, by the names in the file, in the file's order; what stands in a
 *     map or list is one entry each
 * @param log the lines of its metrics
 * @param record what it says of itself; empty where it says nothing
 * @param thresholds from which probability on each class is answered, by their names; empty where a
 *     half decides, and where the trained model is not there yet
 * @param remarks what of it could not be read, a line each
 */
record RunFiles(
    Path folder,
    State state,
    Map<String, String> options,
    MetricsLog log,
    Optional<RunRecord> record,
    Map<String, Double> thresholds,
    List<String> remarks) {

  /** Where a run stands. */
  enum State {
    RUNNING,
    FINISHED,
    STOPPED,
    FAILED,
    /** Its process ended without a word. */
    KILLED,
    /** There is nothing of it. */
    MISSING;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Reads a run.
   *
   * @throws LoraGraphException if the folder is not that of a run, or its configuration cannot be
   *     read
   */
  static RunFiles read(Path folder) {
    Path config = folder.resolve(RunFolder.CONFIG);
    if (!Files.isRegularFile(config)) {
      throw RunFolder.noRun(folder);
    }
    List<String> remarks = new ArrayList<>();
    Optional<RunRecord> record = Optional.empty();
    try {
      record = RunRecord.read(folder);
    } catch (LoraGraphException e) {
      remarks.add(e.getMessage());
    }
    State state = state(folder, record);
    MetricsLog log = MetricsLog.read(folder.resolve(RunFolder.METRICS));
    if (log.damaged() > 0) {
      remarks.add(
          "%,d lines of %s are damaged and left out".formatted(log.damaged(), RunFolder.METRICS));
    }
    Map<String, String> options = new LinkedHashMap<>();
    flatten("", RunConfiguration.entries(config), options);
    Map<String, Double> thresholds = Map.of();
    Path model = folder.resolve(ModelConfig.FILE);
    if (Files.exists(model)) {
      try {
        thresholds = ModelConfig.read(model).thresholds();
      } catch (LoraGraphException e) {
        remarks.add(e.getMessage());
      }
    }
    return new RunFiles(folder, state, options, log, record, thresholds, List.copyOf(remarks));
  }

  private static State state(Path folder, Optional<RunRecord> record) {
    if (RunFolder.isFinished(folder)) {
      return State.FINISHED;
    }
    if (RunFolder.isInUse(folder)) {
      return State.RUNNING;
    }
    return switch (record.flatMap(RunRecord::status).orElse(RunRecord.Status.STOPPED)) {
      case FAILED -> State.FAILED;
      case RUNNING -> State.KILLED;
      case STOPPED, FINISHED -> State.STOPPED;
    };
  }

  private static void flatten(String before, Map<?, ?> entries, Map<String, String> options) {
    entries.forEach(
        (key, value) -> {
          String name = before + key;
          if (value instanceof Map<?, ?> inner) {
            flatten(name + ".", inner, options);
          } else if (value instanceof List<?> list) {
            options.put(name, list.stream().map(String::valueOf).collect(Collectors.joining(", ")));
          } else if (value != null) {
            options.put(name, value.toString());
          }
        });
  }

  /** The name of the run: that of its folder. */
  String name() {
    Path name = folder.toAbsolutePath().normalize().getFileName();
    return name == null ? folder.toString() : name.toString();
  }

  /** A part of the record; missing where there is none. */
  JsonNode recorded(String name) {
    return record.map(r -> r.tree().path(name)).orElse(MissingNode.getInstance());
  }

  /** The figures of the last evaluation: of the record, or of the last line that has some. */
  Map<String, Double> figures() {
    Map<String, Double> figures = record.map(RunRecord::figures).orElse(Map.of());
    List<MetricsLog.Evaluation> evaluations = log.evaluations();
    return figures.isEmpty() && !evaluations.isEmpty()
        ? evaluations.get(evaluations.size() - 1).figures()
        : figures;
  }

  /** The figures of the same held-out data from before the training; empty where none are known. */
  Map<String, Double> figuresBefore() {
    return record.map(RunRecord::figuresBefore).orElse(Map.of());
  }

  /** The one figure to judge by; empty where nothing was measured. */
  Optional<String> score() {
    String named = recorded("score").asText("");
    if (!named.isEmpty()) {
      return Optional.of(named);
    }
    List<String> names = new ArrayList<>(figures().keySet());
    names.addAll(log.measured());
    return List.of("accuracy", "ndcg@10", "spearman", "f1").stream()
        .filter(names::contains)
        .findFirst()
        .or(() -> names.stream().filter(name -> !name.equals("loss")).findFirst());
  }

  OptionalDouble samplesPerSecond() {
    return record.map(RunRecord::samplesPerSecond).orElse(OptionalDouble.empty());
  }

  OptionalDouble peakMegabytes() {
    return record.map(RunRecord::peakMegabytes).orElse(OptionalDouble.empty());
  }

  OptionalDouble trainable() {
    return record.map(RunRecord::trainableParameters).orElse(OptionalDouble.empty());
  }

  /** Those of the run and of all that it continues; empty where that is not known. */
  OptionalDouble wallSecondsOfAll() {
    return record.map(RunRecord::wallSecondsOfAll).orElse(OptionalDouble.empty());
  }

  OptionalLong continuesAfter() {
    return record.map(RunRecord::continuesAfter).orElse(OptionalLong.empty());
  }

  /**
   * The folder of the run that this one continues: where it was, or beside this one where both were
   * moved. Empty where it continues none.
   */
  Optional<Path> former() {
    String named = options.getOrDefault(RunConfiguration.CONTINUE_FROM, "");
    if (named.isEmpty()) {
      return Optional.empty();
    }
    Path there = Path.of(named);
    Path name = there.getFileName();
    Path beside = name == null ? there : folder.toAbsolutePath().normalize().resolveSibling(name);
    return Optional.of(
        !Files.exists(there.resolve(RunFolder.CONFIG))
                && Files.exists(beside.resolve(RunFolder.CONFIG))
            ? beside
            : there);
  }

  OptionalDouble wallSeconds() {
    return record.map(RunRecord::wallSeconds).orElse(OptionalDouble.empty());
  }
}
