package io.github.loragraph.experiment;

import io.github.loragraph.Dataset;
import io.github.loragraph.cache.ToolCache;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.RunProgram.Part;
import io.github.loragraph.file.NearFile;
import io.github.loragraph.lora.Method;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.models.ModelReference;
import io.github.loragraph.onnx.OnnxFile;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What one run is asked for, checked as far as that is possible without running it: which model,
 * with which head and adapters, trained how, on what, from which seed.
 *
 * <p>Long because what goes together in one run is checked in one place.
 */
public final class RunSettings {
  static final String THREADS = "threads";

  private static final String METHOD = "method";
  private static final String NONE = "none";
  private static final String LORA = "lora";
  private static final Set<String> OF_SOURCE = Set.of("file", "adapter");

  private static final String TRAIN_BIAS = "train-bias";

  /** Options of a training that are of its adapters; only a model that has some takes them. */
  private static final Set<String> OF_ADAPTERS = Set.of("lora-dropout", TRAIN_BIAS);

  private static final String OUTPUT_NAME = "output-name";
  private static final List<String> TARGETS = List.of("match", "target-modules");
  private static final String DATA = "data";
  private static final String EVAL = "eval";
  private static final String EVAL_SPLIT = "eval-split";

  /** One for all runs, whatever their seeds are: figures of different examples are not compared. */
  private static final String EVAL_SPLIT_SEED = "eval-split-seed";

  /** What a measurement calls the data that a training holds out. */
  private static final Map<String, String> MEASURED =
      Map.of(EVAL, DATA, "eval-corpus", "corpus", "eval-queries", "queries", "eval-qrels", "qrels");

  private final String name;
  private final long seed;
  private final String model;

  /** Null where the model is elsewhere: only the run reads it. */
  private final @Nullable ModelFolder source;

  private final Map<String, List<String>> ofSource;
  private final @Nullable Map<String, List<String>> head;
  private final Map<String, List<String>> adapters;
  private final Map<String, List<String>> training;
  private final boolean measured;

  /** Whether its file has no other run, so that messages need not name it. */
  private final boolean alone;

  private final List<String> passedOver;

  private RunSettings(
      String name,
      long seed,
      String model,
      @Nullable ModelFolder source,
      Map<String, List<String>> ofSource,
      @Nullable Map<String, List<String>> head,
      Map<String, List<String>> adapters,
      Map<String, List<String>> training,
      boolean measured,
      boolean alone,
      List<String> passedOver) {
    this.name = name;
    this.seed = seed;
    this.model = model;
    this.source = source;
    this.ofSource = ofSource;
    this.head = head;
    this.adapters = adapters;
    this.training = training;
    this.measured = measured;
    this.alone = alone;
    this.passedOver = passedOver;
  }

  /**
   * Whether a run has any use for an option; where not, it passes it over if it is said of all.
   *
   * @param layers what the run is asked for, later ones before earlier ones
   * @param name the option's own name
   */
  static boolean isUsed(RunProgram program, List<SettingsLayer> layers, String name) {
    return isUsed(
        program,
        method(SettingsLayer.merged(layers)),
        SettingsLayer.mergedHead(layers) != null,
        name);
  }

  private static boolean isUsed(RunProgram program, String method, boolean hasHead, String name) {
    if (name.equals(SettingsLayer.MODEL) || OF_SOURCE.contains(name) || name.equals(METHOD)) {
      return true;
    }
    if (method.equals(NONE)) {
      // The labels of a head are those of the data.
      return name.equals(DATA)
          ? hasHead
          : MEASURED.containsKey(name) || program.nameOf(Part.MEASURING, name).isPresent();
    }
    return method.equals(LORA)
        || (SettingsLayer.partOf(program, name) == Part.TRAINING && !OF_ADAPTERS.contains(name));
  }

  private static String method(Map<String, Setting> given) {
    Setting asked = given.get(METHOD);
    return asked == null ? LORA : asked.text().toLowerCase(Locale.ROOT);
  }

  /**
   * The settings of a run.
   *
   * @param file what messages begin with
   * @param folder that relative paths are in
   * @param name of the run
   * @param layers what is asked for, later ones before earlier ones
   * @throws LoraGraphException if an option is not possible, or a file is not there
   */
  public static RunSettings of(
      RunProgram program,
      String file,
      Path folder,
      String name,
      long seed,
      List<SettingsLayer> layers) {
    return new Reader(program, file, folder, name, layers).read(seed);
  }

  private static final class Reader {
    private final RunProgram program;
    private final String file;
    private final Path folder;
    private final String name;

    private final boolean alone;
    private final List<String> passedOver = new ArrayList<>();
    private final Map<String, Setting> given;
    private final @Nullable Map<String, Setting> givenHead;
    private final String method;

    Reader(RunProgram program, String file, Path folder, String name, List<SettingsLayer> layers) {
      this.program = program;
      this.file = file;
      this.folder = folder;
      this.name = name;
      this.alone = layers.stream().allMatch(SettingsLayer::isWholeFile);
      this.given = SettingsLayer.merged(layers);
      this.givenHead = SettingsLayer.mergedHead(layers);
      this.method = method(given);
    }

    RunSettings read(long seed) {
      Setting named = given.get(SettingsLayer.MODEL);
      if (named == null) {
        throw new LoraGraphException("%s: %s has no model".formatted(file, name));
      }
      String model = model(named);
      Map<String, List<String>> ofSource = new LinkedHashMap<>();
      Map<String, List<String>> adapters = new LinkedHashMap<>();
      Map<String, List<String>> training = new LinkedHashMap<>();
      boolean measured = method.equals(NONE);
      requireMethod();
      requireOutputName(given.get(OUTPUT_NAME));
      requireOutputName(givenHead == null ? null : givenHead.get(OUTPUT_NAME));
      given.forEach(
          (key, setting) -> {
            if (key.equals(SettingsLayer.MODEL)) {
              return;
            }
            if (key.equals(METHOD) && measured) {
              return;
            }
            boolean used = key.equals(DATA) || isUsed(program, method, givenHead != null, key);
            // Biases of layers that have adapters already may be trained with the head.
            boolean ofHead = key.equals(TRAIN_BIAS) && method.equals(Method.HEAD.toString());
            if (!used && isOfAll(setting) && !(alone && ofHead)) {
              passedOver.add(key);
              return;
            }
            if (!used && !ofHead) {
              throw new LoraGraphException(
                  "%s: %s: a run of method %s %s: %s"
                      .formatted(
                          file,
                          setting.where(),
                          method,
                          measured ? "is measured and not trained" : "puts no adapters on",
                          setting.where().startsWith("space.")
                              ? "say 'when: {method: lora}' beside its values"
                              : "leave it out"));
            }
            Part part = SettingsLayer.partOf(program, key);
            List<String> values = files(part, key, setting);
            if (OF_SOURCE.contains(key)) {
              ofSource.put(key, values);
            } else {
              (part == Part.TRAINING ? training : adapters).put(key, values);
            }
          });
      requireTargets(adapters);
      if (training.containsKey(EVAL_SPLIT)) {
        training.putIfAbsent(EVAL_SPLIT_SEED, List.of("0"));
      }
      if (!training.containsKey(DATA) && !measured) {
        throw new LoraGraphException(
            "%s: %s has no data: name the file that it is trained on".formatted(file, name));
      }
      Map<String, List<String>> head = head(training);
      check(Part.ADAPTERS, adapters, given);
      if (head != null) {
        check(Part.HEAD, head, givenHead == null ? Map.of() : givenHead);
      }
      Map<String, List<String>> last = measured ? measuring(training) : training;
      check(measured ? Part.MEASURING : Part.TRAINING, last, given);
      return new RunSettings(
          name,
          seed,
          model,
          program.isElsewhere(model) ? null : source(model, named, ofSource),
          ofSource,
          head,
          adapters,
          last,
          measured,
          alone,
          passedOver);
    }

    private void requireMethod() {
      List<String> methods =
          Stream.concat(Stream.of(Method.values()).map(Method::toString), Stream.of(NONE)).toList();
      if (!methods.contains(method)) {
        throw new LoraGraphException(
            "%s: %s: %s is none of: %s"
                .formatted(file, placeOf(METHOD), method, String.join(", ", methods)));
      }
    }

    private void requireOutputName(@Nullable Setting setting) {
      if (setting != null && setting.text().isEmpty()) {
        throw new LoraGraphException(
            "%s: %s: it is empty, and no output is called so: leave it out"
                .formatted(file, setting.where()));
      }
    }

    /** What is said of all runs is passed over by those that have no use for it. */
    private static boolean isOfAll(Setting setting) {
      String where = setting.where();
      return !where.contains(".") || where.startsWith("base.") || where.startsWith("grid.");
    }

    private String model(Setting setting) {
      String text = setting.text();
      try {
        Path path = folder.resolve(text);
        return Files.exists(path) ? path.toAbsolutePath().normalize().toString() : text;
      } catch (InvalidPathException e) {
        return text;
      }
    }

    private ModelFolder source(String model, Setting named, Map<String, List<String>> ofSource) {
      List<String> chosen = ofSource.get("file");
      try {
        return ModelReference.resolve(
            model, chosen == null ? null : chosen.get(0), ToolCache.ofThisUser());
      } catch (LoraGraphException e) {
        throw placed(named.where(), e);
      }
    }

    private LoraGraphException placed(String where, LoraGraphException e) {
      return new LoraGraphException(
          "%s: %s: %s".formatted(file, where, e.what()), e.advice().orElse(null), e);
    }

    private List<String> files(Part part, String key, Setting setting) {
      if (!program.isFile(part, key)) {
        return setting.values();
      }
      return setting.values().stream().map(value -> file(setting.where(), value)).toList();
    }

    private String file(String where, String value) {
      if (program.isElsewhere(value)) {
        return value;
      }
      if (value.matches("(?s)\\w{2,}://.*")) {
        throw new LoraGraphException(
            "%s: %s: '%s' is an address, which 'sagemaker submit' alone takes: copy it, and name the file"
                .formatted(file, where, value));
      }
      Path path;
      try {
        path = folder.resolve(value).toAbsolutePath().normalize();
      } catch (InvalidPathException e) {
        if (isPattern(value)) {
          return value;
        }
        throw new LoraGraphException(
            "%s: %s: '%s' is no name of a file".formatted(file, where, value), e);
      }
      if (value.equals("-")) {
        throw new LoraGraphException(
            "%s: %s: runs have no standard input: name a file".formatted(file, where));
      }
      if (!Files.exists(path) && !isPattern(value)) {
        throw new LoraGraphException(
            "%s: %s: no such file: %s%s".formatted(file, where, path, NearFile.question(path)));
      }
      return path.toString();
    }

    /** One that stands for several files is read by who reads them. */
    private static boolean isPattern(String value) {
      return value.matches("(?s).*[*?\\[{,].*");
    }

    private void requireTargets(Map<String, List<String>> adapters) {
      boolean any = adapters.keySet().stream().anyMatch(key -> !key.equals("standalone"));
      if (any && TARGETS.stream().noneMatch(adapters::containsKey)) {
        String key = adapters.keySet().iterator().next();
        throw new LoraGraphException(
            "%s: %s: adapters need layers to be put beside: name them with match or target-modules"
                .formatted(file, placeOf(key)));
      }
    }

    private String placeOf(String key) {
      Setting setting = given.get(key);
      return setting == null ? name : setting.where();
    }

    private @Nullable Map<String, List<String>> head(Map<String, List<String>> training) {
      if (givenHead == null) {
        return null;
      }
      Map<String, List<String>> head = new LinkedHashMap<>();
      givenHead.forEach((key, setting) -> head.put(key, files(Part.HEAD, key, setting)));
      return program.head(head, training);
    }

    private Map<String, List<String>> measuring(Map<String, List<String>> training) {
      Map<String, List<String>> measuring = new LinkedHashMap<>();
      training.forEach(
          (key, values) -> {
            if (!key.equals(DATA)) {
              measuring.put(MEASURED.getOrDefault(key, key), values);
            }
          });
      if (MEASURED.values().stream().noneMatch(measuring::containsKey)) {
        throw new LoraGraphException(
            "%s: %s: a run of method none is measured on held-out examples: name them with eval"
                .formatted(file, name));
      }
      return measuring;
    }

    private void check(Part part, Map<String, List<String>> settings, Map<String, Setting> places) {
      if (part == Part.ADAPTERS && settings.isEmpty()) {
        return;
      }
      program
          .refusal(part, settings)
          .ifPresent(
              refusal -> {
                String where =
                    refusal
                        .setting()
                        .flatMap(key -> Optional.ofNullable(places.get(key)))
                        .map(setting -> setting.where() + ": ")
                        .orElse(alone ? "" : "runs.%s: ".formatted(name));
                boolean several =
                    refusal
                        .setting()
                        .flatMap(key -> Optional.ofNullable(places.get(key)))
                        .filter(setting -> setting.text().contains(","))
                        .isPresent();
                throw new LoraGraphException(
                    "%s: %s%s%s"
                        .formatted(
                            file,
                            where,
                            refusal.message(),
                            several ? "; values that are tried one by one go into 'grid'" : ""));
              });
    }
  }

  /** The name of the run, which those of its other seeds have, too. */
  public String name() {
    return name;
  }

  /** Settings that are said of all runs, and that this one has no use for. */
  public List<String> passedOver() {
    return Collections.unmodifiableList(passedOver);
  }

  /** How messages on it begin after the name of the file. */
  String place() {
    return alone ? "" : name + ": ";
  }

  /** Draws the head, the adapters, and the order of the data. */
  public long seed() {
    return seed;
  }

  /** Whether the model is measured as it is. */
  public boolean isMeasured() {
    return measured;
  }

  /** Its name among the runs of all seeds, which its folder has. */
  public String fullName() {
    return name + "-seed" + seed;
  }

  /** The same settings with another seed. */
  public RunSettings withSeed(long other) {
    return new RunSettings(
        name,
        other,
        model,
        source,
        ofSource,
        head,
        adapters,
        training,
        measured,
        alone,
        passedOver);
  }

  /** The model as it is named: a path, a name, or what is elsewhere. */
  public String model() {
    return model;
  }

  /** Whether the model is not on this machine. */
  public boolean isModelElsewhere() {
    return source == null;
  }

  /** The model that it begins with, which is on this machine. */
  public ModelFolder source() {
    return Objects.requireNonNull(source, "a model that is elsewhere");
  }

  /** Settings that say which of several models the source is. */
  public Map<String, List<String>> ofSource() {
    return Collections.unmodifiableMap(ofSource);
  }

  /** Of the head, where one is put on. */
  public Optional<Map<String, List<String>>> head() {
    return Optional.ofNullable(head);
  }

  /** Of the adapters; empty where none are put on. */
  public Map<String, List<String>> adapters() {
    return Collections.unmodifiableMap(adapters);
  }

  /** Of the training, or of the measurement. */
  public Map<String, List<String>> training() {
    return Collections.unmodifiableMap(training);
  }

  /** What it is asked for, adapters among it, but for the data. */
  public Map<String, String> options() {
    Map<String, String> options = new LinkedHashMap<>();
    training.forEach((name, values) -> options.put(name, String.join(",", values)));
    adapters.forEach((name, values) -> options.put(name, String.join(",", values)));
    dataFiles().keySet().forEach(options::remove);
    return options;
  }

  /** The output that is named for the whole chain. */
  Map<String, List<String>> outputName() {
    List<String> named = training.get(OUTPUT_NAME);
    return named == null ? Map.of() : Map.of(OUTPUT_NAME, named);
  }

  /** By what it is trained; empty where it is not. */
  Optional<Method> method() {
    String asked = String.join("", training.getOrDefault(METHOD, List.of(LORA)));
    return measured
        ? Optional.empty()
        : Optional.of(Method.valueOf(asked.toUpperCase(Locale.ROOT)));
  }

  /** What it is trained or measured for, where that is said. */
  Optional<String> task() {
    return Optional.ofNullable(training.get("task")).map(named -> named.get(0));
  }

  /** Whether it is said which output answers, or what is measured needs none. */
  boolean namesAnswer() {
    return training.containsKey(OUTPUT_NAME) || training.containsKey("corpus");
  }

  /** Whether all parameters are trained, for which more memory is needed. */
  boolean isFull() {
    return method().equals(Optional.of(Method.FULL));
  }

  /** The threads that are asked for; empty where the pool shares them out. */
  public Optional<Integer> threads() {
    List<String> asked = training.get(THREADS);
    return asked == null || asked.get(0).equals("0")
        ? Optional.empty()
        : Optional.of(Integer.parseInt(asked.get(0)));
  }

  /** The files that the model is read from. */
  public List<Path> modelFiles() {
    List<Path> files = new ArrayList<>(source().sourceFiles());
    files.addAll(OnnxFile.dataFiles(source().modelFile()));
    return files;
  }

  /** The data files by the names of the settings; those that a pattern names are found anew. */
  public Map<String, List<Path>> dataFiles() {
    Map<String, List<Path>> files = new LinkedHashMap<>();
    training.forEach(
        (key, values) -> {
          if (MEASURED.containsValue(key) || MEASURED.containsKey(key)) {
            files.put(key, Dataset.files(values).files());
          }
        });
    return files;
  }
}
