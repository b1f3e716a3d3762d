package io.github.loragraph.trainer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What a run says of itself beside its configuration and the lines of its metrics: {@code run.json}
 * in its folder, as a {@link RunRecorder} writes it. Immutable. What a file does not have is empty,
 * so one of an older version can be read, too.
 */
public final class RunRecord {
  /** Its name in a run folder. */
  public static final String FILE = "run.json";

  static final String STATUS = "status";
  static final String STARTED = "startedAt";
  static final String SECONDS = "wallSeconds";
  static final String STEP = "step";
  static final String STEPS = "totalSteps";
  static final String MICRO_BATCH = "microBatch";
  static final String RECOMPUTED = "recomputedPieces";
  static final String EXAMPLES = "trainedExamples";
  static final String TRAINED_SECONDS = "trainedSeconds";
  static final String RATE = "samplesPerSecond";
  static final String PEAK = "peakMegabytes";
  static final String FINAL = "final";

  static final String BEST = "best";
  static final String KEPT_BASE = "keptBase";
  static final String EVALUATED = "evaluatedStep";
  static final String CONTINUES = "continues";
  static final String AFTER_STEP = "afterStep";
  private static final String PASSED = "passed";
  private static final String PASSED_STEPS = "steps";
  private static final String STEPS_PER_EPOCH = "stepsPerEpoch";

  /** What is of an evaluation. */
  private static final List<String> OF_EVALUATION =
      List.of(
          EVALUATED,
          FINAL,
          "score",
          "classes",
          "confusion",
          "confused",
          "mistakes",
          "mistakeCount");

  private static final ObjectMapper JSON = new ObjectMapper();

  private final JsonNode tree;

  private RunRecord(JsonNode tree) {
    this.tree = tree;
  }

  /** Where a run stands. */
  public enum Status {
    /** A process trains; or one was killed, and could not say so: {@link RunFolder#isInUse}. */
    RUNNING,
    /** The trained model is there. */
    FINISHED,
    /** Ended by who started it, with a checkpoint. */
    STOPPED,
    /** Ended by a failure. */
    FAILED;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** A record of what a mapper can write: maps, lists, numbers and texts. */
  static RunRecord of(Map<String, ?> entries) {
    return new RunRecord(JSON.valueToTree(entries));
  }

  /**
   * Reads the record of a run.
   *
   * @return empty where the folder has none: the run is of an older version, or is no run
   * @throws LoraGraphException if it cannot be read, or is no record
   */
  public static Optional<RunRecord> read(Path run) {
    Path file = run.resolve(FILE);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      JsonNode tree = JSON.readTree(Files.readAllBytes(file));
      if (!tree.isObject()) {
        throw new LoraGraphException(file + " is not the record of a run: it is no JSON object");
      }
      return Optional.of(new RunRecord(tree));
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(
          "%s is not the record of a run: %s"
              .formatted(file, e.getOriginalMessage().lines().findFirst().orElse("")),
          e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  byte[] bytes() {
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(tree);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Where the run stood when it was written; empty where it does not say. */
  public Optional<Status> status() {
    String name = tree.path(STATUS).asText();
    for (Status status : Status.values()) {
      if (status.toString().equals(name)) {
        return Optional.of(status);
      }
    }
    return Optional.empty();
  }

  /** The numbers that training changes; tied ones once. */
  public OptionalDouble trainableParameters() {
    return number(tree.path("parameters").path("trainable"));
  }

  /** All of the model's numbers; tied ones once. */
  public OptionalDouble totalParameters() {
    return number(tree.path("parameters").path("total"));
  }

  /** Seconds of work of all parts of the run, evaluations and reading data among them. */
  public OptionalDouble wallSeconds() {
    return number(tree.path(SECONDS));
  }

  /** Those of the run and of all that it continues; empty where one of them does not say. */
  public OptionalDouble wallSecondsOfAll() {
    OptionalDouble own = wallSeconds();
    if (!tree.has(CONTINUES)) {
      return own;
    }
    OptionalDouble before = number(tree.path(CONTINUES).path(SECONDS));
    return own.isPresent() && before.isPresent()
        ? OptionalDouble.of(own.getAsDouble() + before.getAsDouble())
        : OptionalDouble.empty();
  }

  /**
   * The step after which a run that continues another went on; empty where it continues none or
   * made no step yet.
   */
  public OptionalLong continuesAfter() {
    JsonNode after = tree.path(CONTINUES).path(AFTER_STEP);
    return after.isIntegralNumber() ? OptionalLong.of(after.asLong()) : OptionalLong.empty();
  }

  /** Examples a second over the steps of all parts of the run, evaluations not counted. */
  public OptionalDouble samplesPerSecond() {
    return number(tree.path(RATE));
  }

  /** The most memory that the process has had at once, in megabytes of 1024 times 1024 bytes. */
  public OptionalDouble peakMegabytes() {
    return number(tree.path(PEAK));
  }

  /**
   * The figures of the last evaluation by name, the loss among them; NaN where one is not defined.
   * Empty where there was none.
   */
  public Map<String, Double> figures() {
    return figures(tree.path(FINAL));
  }

  /**
   * The figures of the same held-out data from before the training: measured by the run itself, or
   * those that the run ended with that it continues. Empty where there are none.
   */
  public Map<String, Double> figuresBefore() {
    Map<String, Double> measured = figures(tree.path("base"));
    return measured.isEmpty() ? figures(tree.path(CONTINUES).path(FINAL)) : measured;
  }

  private static Map<String, Double> figures(JsonNode entries) {
    Map<String, Double> figures = new LinkedHashMap<>();
    entries
        .properties()
        .forEach(e -> figures.put(e.getKey(), number(e.getValue()).orElse(Double.NaN)));
    return Collections.unmodifiableMap(figures);
  }

  /** The steps that were made when it was written. */
  public OptionalDouble step() {
    return number(tree.path(STEP));
  }

  /** How far the run got through its data; empty where it does not say. */
  Optional<ContinuedRun.Passed> passed() {
    JsonNode entry = tree.path(PASSED);
    long perEpoch = entry.path(STEPS_PER_EPOCH).asLong();
    return entry.path(PASSED_STEPS).isIntegralNumber() && perEpoch > 0
        ? Optional.of(new ContinuedRun.Passed(entry.path(PASSED_STEPS).asLong(), perEpoch))
        : Optional.empty();
  }

  /** What {@link #passed} reads. */
  static void put(ContinuedRun.Passed passed, Map<String, @Nullable Object> entries) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put(PASSED_STEPS, passed.steps());
    entry.put(STEPS_PER_EPOCH, passed.stepsPerEpoch());
    entries.put(PASSED, entry);
  }

  /** What it says of the runs that it continues, to be said on by who goes on with it. */
  @Nullable Map<String, Object> continues() {
    if (!tree.has(CONTINUES)) {
      return null;
    }
    Map<String, Object> entries = new LinkedHashMap<>();
    tree.get(CONTINUES).properties().forEach(e -> entries.put(e.getKey(), e.getValue()));
    return entries;
  }

  /** What it says of the last evaluation, to be said on by who goes on with the run. */
  Map<String, Object> ofEvaluation() {
    Map<String, Object> entries = new LinkedHashMap<>();
    for (String name : OF_EVALUATION) {
      if (tree.has(name)) {
        entries.put(name, tree.get(name));
      }
    }
    return entries;
  }

  /** Everything, for who shows it; not to be changed. */
  public JsonNode tree() {
    return tree;
  }

  private static OptionalDouble number(JsonNode node) {
    return node.isNumber() ? OptionalDouble.of(node.asDouble()) : OptionalDouble.empty();
  }
}
