package io.github.loragraph.models;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.Checksum;
import io.github.loragraph.file.NearFile;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.trainer.RunFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The recipe of a run, as its {@code config.yaml} has it: what a training was asked for, the
 * checksums of what it was made from, and the versions of what made it. A run is gone on with by
 * the very same recipe alone.
 *
 * <p>Long because the names of all entries, and what each is held to, stand here alone.
 */
public final class RunConfiguration {
  /**
   * The version of the recipe: how steps, rates, decay and shares follow from the arguments. A run
   * is not gone on with by another one.
   */
  public static final int RECIPE = 2;

  public static final String MODEL = "model";

  /** Of a run that began with an adapter on the model. */
  public static final String ADAPTER = "adapter";

  /** Whether the run writes the whole model besides its adapter. */
  public static final String WRITE_MODEL = "writeModel";

  /** Whether no texts of the held-out data are kept in the run folder. */
  public static final String NO_REPORT_TEXTS = "noReportTexts";

  public static final String DATA = "data";
  public static final String EVAL = "eval";

  /** The files of a search that is measured with: documents, queries, judgements. */
  public static final List<String> SEARCH = List.of("evalCorpus", "evalQueries", "evalQrels");

  public static final String PAIRS = "pairs";

  /** Of a run that masks tokens alone. */
  public static final String MLM_PROBABILITY = "mlmProbability";

  /** Of a run that masks tokens alone. */
  public static final String WHOLE_WORDS = "wholeWordMasking";

  /** The run that another one continues. */
  public static final String CONTINUE_FROM = "continueFrom";

  /** Whether event files for TensorBoard are written. */
  public static final String TENSORBOARD = "tensorboard";

  /** The share of the training data that is held out. */
  public static final String EVAL_SPLIT = "evalSplit";

  /** Draws it, where it is not the run's own seed. */
  public static final String EVAL_SPLIT_SEED = "evalSplitSeed";

  /** Whether thresholds of classes are fitted to the held-out data. */
  public static final String FIT_THRESHOLDS = "fitThresholds";

  /** In what frozen layers compute, where that is not as the model has them. */
  public static final String BASE = "base";

  /** Whether layers are computed a second time for the way back. */
  public static final String RECOMPUTE = "recompute";

  /** Whether a GPU adds in the same order each time, where it does not. */
  public static final String DETERMINISTIC = "deterministic";

  /** What the process may take at its peak, in bytes. */
  public static final String MEMORY = "memory";

  /** In what AdamW keeps its moments, where that is not single precision. */
  public static final String OPTIM = "optim";

  /** Whether what the frozen part makes of examples is kept. */
  public static final String CACHE_PREFIX = "cachePrefix";

  /** In which precision that is. */
  public static final String CACHE_PRECISION = "cachePrecision";

  /** The figure that tells the best evaluation, or {@link #NONE}. */
  public static final String SAVE_BEST = "saveBest";

  /** Of {@link #SAVE_BEST} where the last parameters are taken. */
  public static final String NONE = "none";

  /** Of {@code evalEvery} where each epoch is evaluated. */
  public static final String EPOCH = "epoch";

  /** Whether data is held in memory; neither where its size says. */
  public static final String STREAMING = "streaming";

  public static final String NO_STREAMING = "noStreaming";

  /** The evaluations in a row that may be no better than the best. */
  public static final String PATIENCE = "patience";

  public static final String STRIDE = "stride";
  public static final String ALL_SUBWORDS = "labelAllSubwords";

  /** How texts are read by words, which decides what the examples are. */
  private static final List<String> OF_WORDS = List.of(STRIDE, ALL_SUBWORDS);

  public static final String RECIPE_NAME = "recipe";
  public static final String CHECKSUMS = "checksums";
  public static final String VERSIONS = "versions";

  /** Notes what the model of a run was made of, where it was made for the run. */
  public static final String PREPARED_FROM = "prepared-from";

  /** What decides the course of a training, by the names that {@code config.yaml} has. */
  public static final List<String> ARGUMENTS =
      List.of(
          "method",
          "trainable",
          "untie",
          "trainBias",
          "loraDropout",
          "labelSmoothing",
          "classWeights",
          "epochs",
          "steps",
          "batchSize",
          "accumulate",
          "lr",
          "schedule",
          "warmupSteps",
          "warmupRatio",
          "warmup",
          "weightDecay",
          "weightDecayOn",
          "beta1",
          "beta2",
          "epsilon",
          "maxGradNorm",
          "seed",
          "shuffle",
          "logEvery",
          "evalEvery",
          SAVE_BEST,
          "checkpointEvery",
          "maxTrainExamples",
          "engine",
          "precision");

  /** The same of runs of some kind alone; absent or null in others. */
  private static final List<String> OF_SOME_RUNS =
      List.of(
          ADAPTER,
          WRITE_MODEL,
          CONTINUE_FROM,
          EVAL_SPLIT,
          EVAL_SPLIT_SEED,
          FIT_THRESHOLDS,
          BASE,
          RECOMPUTE,
          DETERMINISTIC,
          MEMORY,
          OPTIM,
          CACHE_PREFIX,
          CACHE_PRECISION,
          TENSORBOARD,
          PATIENCE,
          NO_REPORT_TEXTS,
          STREAMING,
          NO_STREAMING,
          MLM_PROBABILITY,
          WHOLE_WORDS,
          "loss",
          "scale",
          "symmetric",
          "margin",
          "distance",
          "temperature",
          "matryoshka",
          "miniBatchSize",
          "microBatch",
          "querySide",
          "keepIfBetter",
          "pooling",
          "normalize",
          "queryPrefix",
          "documentPrefix",
          "examplesPerClass",
          "fewShot",
          "fewShotIterations");

  /** What may be another one where a run is gone on with: no step depends on it. */
  private static final Set<String> FREE =
      Set.of(
          "logEvery",
          "evalEvery",
          "checkpointEvery",
          "engine",
          "warmup",
          WRITE_MODEL,
          FIT_THRESHOLDS,
          TENSORBOARD,
          NO_REPORT_TEXTS,
          STREAMING,
          NO_STREAMING);

  /** All entries of a whole configuration. */
  public static final List<String> KEYS = keys();

  /**
   * What runs from before it was noted are gone on with without: the data says it, too, or it was
   * not possible; and what is noted of runs of one task alone, which are held to it by the
   * comparison.
   */
  private static final Set<String> OPTIONAL = optional();

  /** Whose versions decide a run's numbers. */
  private static final List<String> VERSION_NAMES =
      List.of("loraGraph", "onnxRuntime", "java", "system");

  /** Missing entries that a message names. */
  private static final int NAMED = 5;

  private static final int LONGEST_SHOWN = 60;

  private static final YAMLMapper YAML =
      YAMLMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
          .build();
  private static final TypeReference<LinkedHashMap<String, Object>> MAP = new TypeReference<>() {};

  private RunConfiguration() {}

  private static List<String> keys() {
    List<String> keys = new ArrayList<>(List.of(MODEL, DATA, EVAL));
    keys.addAll(SEARCH);
    keys.addAll(ARGUMENTS);
    keys.addAll(OF_SOME_RUNS);
    keys.addAll(List.of("textColumn", "textPairColumn", "labelColumn"));
    keys.addAll(List.of(PAIRS, "task", "outputName", "maxLength", "threads", "device", "tf32"));
    keys.addAll(OF_WORDS);
    keys.addAll(List.of("stepsPerCall", RECIPE_NAME, CHECKSUMS, VERSIONS));
    return List.copyOf(keys);
  }

  private static Set<String> optional() {
    Set<String> keys = new HashSet<>(SEARCH);
    keys.addAll(OF_SOME_RUNS);
    keys.addAll(OF_WORDS);
    keys.add(PAIRS);
    return Set.copyOf(keys);
  }

  /** This program's own version. */
  static String ownVersion() {
    String own = RunConfiguration.class.getPackage().getImplementationVersion();
    return own == null ? "development" : own;
  }

  /** The versions that decide a run's numbers. */
  public static Map<String, String> versions(OrtRuntime runtime) {
    Map<String, String> versions = new LinkedHashMap<>();
    versions.put("loraGraph", ownVersion());
    versions.put("onnxRuntime", runtime.version());
    versions.put("java", System.getProperty("java.version"));
    versions.put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    return versions;
  }

  /**
   * The entries of a file by their keys.
   *
   * @throws LoraGraphException if it cannot be read, or is no map
   */
  public static Map<String, Object> entries(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new LoraGraphException("no such configuration file: " + file + NearFile.question(file));
    }
    try {
      if (Files.size(file) == 0) {
        throw new LoraGraphException(file + " is empty: it should have options, a line each");
      }
      requirePlain(file, lines(file));
      Map<String, Object> entries = YAML.readValue(file.toFile(), MAP);
      if (entries == null) {
        throw new LoraGraphException(
            file + " holds null alone: it should have options, a line each");
      }
      return entries;
    } catch (JsonProcessingException e) {
      YamlFault fault = YamlFault.of(e, lines(file));
      throw new LoraGraphException(
          "%s%s is not a YAML map of options: %s"
              .formatted(file, fault.line() > 0 ? ":" + fault.line() : "", fault.what()),
          e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  private static List<String> lines(Path file) {
    try {
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8).lines().toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  /** Refuses what the mapper would take for something else, or not read at all. */
  private static void requirePlain(Path file, List<String> lines) throws IOException {
    try (YAMLParser parser = YAML.getFactory().createParser(file.toFile())) {
      int depth = 0;
      int documents = 0;
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        int line = parser.currentTokenLocation().getLineNr();
        if (parser.isCurrentAlias()) {
          throw new LoraGraphException(
              "%s:%d: '*%s' is an alias, and those are not followed: write the value itself"
                  .formatted(file, line, parser.getText()));
        }
        if (depth == 0 && ++documents > 1) {
          throw new LoraGraphException(
              "%s:%d: a second document begins here, and one is read: put it into a file of its own"
                  .formatted(file, line));
        }
        if (token == JsonToken.VALUE_NULL && parser.currentName() != null) {
          YamlFault.requireColon(file, line, parser.currentName(), lines);
        }
        depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
      }
    }
  }

  /** Entries as YAML, UTF-8. */
  public static byte[] yaml(Map<String, Object> entries) {
    try {
      return YAML.writeValueAsBytes(entries);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * The model that a run was trained on, which what the run learned goes onto.
   *
   * @throws LoraGraphException if the run does not say it, or it is not there or not what it was
   */
  static Path baseOf(Path run) {
    Path file = run.resolve(RunFolder.CONFIG);
    Map<String, Object> entries = entries(file);
    if (!(entries.get(MODEL) instanceof String model)) {
      throw new LoraGraphException(
          "%s does not name the model that %s was trained on"
              .formatted(file, run.resolve(RunFolder.ADAPTER)),
          Remedy.GIVE_BASE_AND_ADAPTER.with(run.resolve(RunFolder.ADAPTER)));
    }
    Path base = Path.of(model);
    if (!Files.exists(base)) {
      throw new LoraGraphException(
          "%s has an adapter alone, and %s, which it was trained on, is not there"
              .formatted(run, base),
          Remedy.GIVE_BASE_AND_ADAPTER.with(run.resolve(RunFolder.ADAPTER)));
    }
    Map<String, String> checksums = texts(file, entries, CHECKSUMS);
    requireSame(run, base, checksums.get(MODEL));
    for (Path weights : OnnxFile.ownDataFiles(base)) {
      requireSame(run, weights, checksums.get(weights.getFileName().toString()));
    }
    return base;
  }

  private static void requireSame(Path run, Path file, @Nullable String checksum) {
    if (checksum != null && !checksum.equals(Checksum.of(file))) {
      throw new LoraGraphException(
          "%s, which %s was trained on, has another content since: put it back, or train again"
              .formatted(file, run));
    }
  }

  /**
   * Refuses the configuration of a run that lacks something: nothing of it may fall back to a
   * default where the run is gone on with.
   *
   * @throws LoraGraphException if it does
   */
  public static void requireWhole(Path file, Map<String, Object> entries) {
    requireKeys(file, entries, KEYS.stream().filter(key -> !OPTIONAL.contains(key)).toList());
    requireKeys(file, texts(file, entries, CHECKSUMS), List.of(MODEL, DATA));
    requireKeys(file, texts(file, entries, VERSIONS), VERSION_NAMES);
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

  /**
   * Refuses to go on with a run whose model or data, or the meaning of whose arguments, have
   * changed since it began, and says where another version of something goes on with it.
   *
   * @param config the run's configuration
   * @param named what messages call that of which a checksum is in it, by the name of the checksum
   * @param now the configuration of the same run as it would be written now
   * @param notes takes a line for each version that is another one
   * @throws LoraGraphException if something has changed
   */
  public static void requireSame(
      Path config, Map<String, String> named, Map<String, Object> now, Consumer<String> notes) {
    Map<String, Object> then = entries(config);
    requireWhole(config, then);
    splitWarmUp(then);
    requireOneValue(config, RECIPE_NAME, then.get(RECIPE_NAME));
    if (!Objects.equals(then.get(RECIPE_NAME), now.get(RECIPE_NAME))) {
      throw new LoraGraphException(
          "%s is of a version of lora-graph whose steps were other ones, so it cannot be gone on with"
              .formatted(config),
          Remedy.RUN_AGAIN.with(config));
    }
    requireOneValue(config, PAIRS, then.get(PAIRS));
    if (then.containsKey(PAIRS) && !Objects.equals(then.get(PAIRS), now.get(PAIRS))) {
      throw new LoraGraphException(
          "%s: '%s' is %s, and of these data it is %s: put back what the run was begun with, or begin another"
              .formatted(config, PAIRS, then.get(PAIRS), now.get(PAIRS)));
    }
    requireSameChecksums(config, named, then, now);
    for (String argument : compared(then)) {
      if (!isFree(argument, then) && !isSame(then.get(argument), now.get(argument))) {
        throw new LoraGraphException(
            "%s: '%s' is %s, and %s is given now: a run is gone on with as it was begun, so give the same, or begin another"
                .formatted(config, argument, shown(then.get(argument)), shown(now.get(argument))));
      }
    }
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

  private static boolean isFree(String argument, Map<String, Object> then) {
    return FREE.contains(argument) && !(argument.equals("evalEvery") && choosesByEvaluations(then));
  }

  /**
   * Whether evaluations on the way decide which parameters a run ends with: then it matters which
   * there are.
   */
  public static boolean choosesByEvaluations(Map<String, ?> entries) {
    boolean measures =
        Stream.of(EVAL, EVAL_SPLIT, SEARCH.get(0)).anyMatch(name -> entries.get(name) != null);
    return measures
        && !isSame(entries.get("evalEvery"), 0)
        && (!isSame(entries.get(SAVE_BEST), NONE) || entries.get(PATIENCE) != null);
  }

  private static List<String> compared(Map<String, Object> then) {
    return Stream.of(
            ARGUMENTS.stream(), OF_SOME_RUNS.stream(), OF_WORDS.stream().filter(then::containsKey))
        .flatMap(names -> names)
        .toList();
  }

  /**
   * The one name that was for both, steps from 1 on and else a share of them, is now noted apart.
   */
  private static void splitWarmUp(Map<String, Object> then) {
    Object one = then.get("warmup");
    if (one == null || !isSame(then.get("warmupSteps"), 0) || !isSame(then.get("warmupRatio"), 0)) {
      return;
    }
    try {
      double both = Double.parseDouble(one.toString());
      if (both >= 1) {
        then.put("warmupSteps", Math.round(both));
      } else {
        then.put("warmupRatio", both);
      }
    } catch (NumberFormatException e) {
      // Whoever reads the value says so.
    }
  }

  private static void requireSameChecksums(
      Path config, Map<String, String> named, Map<String, Object> then, Map<String, Object> now) {
    Map<String, String> before = texts(config, then, CHECKSUMS);
    Map<String, String> present = texts(config, now, CHECKSUMS);
    present.forEach(
        (what, checksum) -> {
          if (!before.containsKey(what)) {
            throw new LoraGraphException(
                "%s has no checksum of %s, so nobody can tell whether it is the one that the run began with: put back what the run was begun with, or begin another"
                    .formatted(config, named.get(what)));
          }
          if (!checksum.equals(before.get(what))) {
            throw new LoraGraphException(
                "%s has changed since the run began, so it cannot be gone on with: put back the one from before, or begin another run"
                    .formatted(named.get(what)));
          }
        });
    for (String what : before.keySet()) {
      if (!present.containsKey(what)) {
        throw new LoraGraphException(
            "%s has a checksum of '%s', which is not given now: a run is gone on with as it was begun, so give the same, or begin another"
                .formatted(config, what));
      }
    }
  }

  /** A file may be mended by hand, and write a number or a word in another way. */
  static boolean isSame(@Nullable Object then, @Nullable Object now) {
    if (then == null || now == null) {
      return then == now;
    }
    if (then.toString().equalsIgnoreCase(now.toString())) {
      return true;
    }
    try {
      return Double.parseDouble(then.toString()) == Double.parseDouble(now.toString());
    } catch (NumberFormatException e) {
      return false;
    }
  }

  private static String shown(@Nullable Object value) {
    return PlainText.shortened(String.valueOf(value), LONGEST_SHOWN);
  }

  /** A map of texts among the entries. */
  static Map<String, String> texts(Path file, Map<String, Object> entries, String name) {
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

  /**
   * Refuses a list or a map where one value belongs.
   *
   * @throws LoraGraphException if it is so
   */
  public static void requireOneValue(Path file, String key, @Nullable Object value) {
    boolean files = key.equals(DATA) || key.equals(EVAL);
    if (files
        && value instanceof Collection<?> all
        && all.stream().allMatch(String.class::isInstance)) {
      return;
    }
    if (value instanceof Map || value instanceof Collection) {
      throw new LoraGraphException(
          "%s: '%s' is a %s where one value belongs"
              .formatted(file, key, value instanceof Map ? "map" : "list"));
    }
  }
}
