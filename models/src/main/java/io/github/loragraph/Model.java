package io.github.loragraph;

import io.github.loragraph.adapter.AdapterInputs;
import io.github.loragraph.adapter.OnnxAdapter;
import io.github.loragraph.adapter.OnnxAdapterFile;
import io.github.loragraph.adapter.PeftAdapter;
import io.github.loragraph.adapter.PeftConfig;
import io.github.loragraph.cache.ToolCache;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.evaluation.ModelComparison;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.FileStamps;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.lora.AdaptedLayers;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.LoraMerger;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.LoraRemover;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.AdapterFolder;
import io.github.loragraph.models.AdapterOnModel;
import io.github.loragraph.models.DocumentModel;
import io.github.loragraph.models.ModelConfig;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.models.ModelNotes;
import io.github.loragraph.models.ModelReference;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.LanguageModelHead;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Trainability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A model: an ONNX graph, and the files that belong to it ({@code config.json} with its labels,
 * {@code tokenizer.json}). Immutable and safe for use by several threads: whatever changes a model
 * gives another one, and copies no weight.
 *
 * <p>Weights stay in the memory map of the file that they were read from, which the garbage
 * collector gives back; the tokenizer is read where it lies when text is to be encoded. So the
 * files have to stay as they are while the model is in use. There is nothing to close.
 *
 * <p>What is guessed, cut, left out or not recognised is said in one line, to whom {@link
 * #withNotes} names; else to the {@link System.Logger} of the name {@code io.github.loragraph}, but
 * for the notes of a training that a listener takes ({@link TrainingListener#onNote}).
 *
 * <p>Long because everything that can be done with a model is found here, each with what it
 * promises; the work itself is done elsewhere.
 */
public final class Model {
  private static final String FILE = "model.onnx";
  private static final String SUFFIX = ".onnx";

  /** Types of more values take longer to infer than one waits for the list of layers. */
  private static final int MOST_NODES = 20_000;

  /** Adding zero changes nothing, so this leaves room only for an operator that is not exact. */
  private static final double INJECTION_TOLERANCE = 1e-6;

  /** What magnitudes by norms, and matrices that cancel each other, leave of rounding. */
  private static final double VARIANT_TOLERANCE = 1e-4;

  /** Where merged and adapted model are further apart than this, something is wrong. */
  private static final double MERGE_TOLERANCE = 1e-3;

  /** The same where weights of 16 bits round what is merged. */
  private static final double ROUNDED_TOLERANCE = 5e-2;

  private static final Consumer<String> LOGGED = Model::log;

  private final OnnxModel onnx;
  private final ModelFolder files;
  private final State state;

  /**
   * What is known besides.
   *
   * @param asRead the files that the graph is read from; null where it is another
   * @param outputName the output that was chosen; null where none was
   * @param defaults how data is read; null where the file's run says it
   * @param change what led here; null where nothing did
   * @param answersAsFile whether the file that it was read from gives the same answers
   */
  private record State(
      @Nullable FileStamps asRead,
      @Nullable String outputName,
      @Nullable RunDefaults defaults,
      @Nullable ModelChange change,
      boolean answersAsFile,
      Consumer<String> notes) {
    /**
     * @param same whether the answers stay what they were
     */
    State changed(@Nullable ModelChange by, boolean same) {
      return new State(null, outputName, defaults, by, same && answersAsFile, notes);
    }
  }

  private Model(OnnxModel onnx, ModelFolder files, State state) {
    this.onnx = onnx;
    this.files = files;
    this.state = state;
  }

  /** A method with a name: logging shows it as what a line comes from. */
  private static void log(String note) {
    System.getLogger("io.github.loragraph").log(System.Logger.Level.INFO, note);
  }

  private static Model read(ModelFolder files) {
    return read(files, LOGGED);
  }

  private static Model read(ModelFolder files, Consumer<String> notes) {
    Path file = files.modelFile();
    FileStamps stamps = FileStamps.of(files.sourceFiles());
    OnnxModel onnx = files.read(notes);
    FileStamps all = stamps.and(OnnxFile.dataFiles(onnx, file));
    return new Model(onnx, files, new State(all, null, null, null, true, LOGGED));
  }

  /**
   * Opens a model.
   *
   * @param path an {@code .onnx} file, a folder with one in Hugging Face's layout, or the run
   *     folder of a training
   * @throws LoraGraphException if there is none, or several, or it is no whole ONNX model
   */
  public static Model open(Path path) {
    return read(ModelFolder.of(path));
  }

  /**
   * Opens one of the models of a folder.
   *
   * @param file a name in the folder, or in its folder {@code onnx}
   * @throws LoraGraphException if there is no such file, or it is no whole ONNX model
   */
  public static Model open(Path folder, String file) {
    return read(ModelFolder.of(folder, file));
  }

  /**
   * Opens the model that a text means: a path, or the name of a bundled model. A path that exists
   * wins.
   *
   * @throws LoraGraphException if it is neither, or the model cannot be read
   */
  public static Model open(String pathOrName) {
    return read(ModelReference.resolve(pathOrName, ToolCache.ofThisUser()));
  }

  /**
   * Opens the model that a text means, or another one of its folder.
   *
   * @param file a name in the folder, or in its folder {@code onnx}
   * @throws LoraGraphException if there is none, or the model cannot be read
   */
  public static Model open(String pathOrName, String file) {
    return read(ModelReference.resolve(pathOrName, file, ToolCache.ofThisUser()));
  }

  /**
   * Opens a model that comes with the library; it is unpacked on first use.
   *
   * @throws LoraGraphException if it is not on the class path, or the cache cannot be written
   */
  public static Model bundled(BundledModel model) {
    return read(model.internal().unpack(ToolCache.ofThisUser()));
  }

  /**
   * With who hears what is guessed, cut, left out or not recognised, a line each, from this model
   * and all that come of it. The notes of a training go also to {@link TrainingListener#onNote} of
   * its listeners, and into its result.
   *
   * @param notes is called in the thread that does the work, and by a {@link Predictor} in that of
   *     its caller
   */
  public Model withNotes(Consumer<String> notes) {
    Objects.requireNonNull(notes, "notes");
    return new Model(
        onnx,
        files,
        new State(
            state.asRead,
            state.outputName,
            state.defaults,
            state.change,
            state.answersAsFile,
            notes));
  }

  /**
   * With an adapter on it, in the place of those that it has: low-rank matrices beside its layers,
   * and a head where the adapter has one. What the adapter's folder or its run say of labels and of
   * how texts are read counts before what the model says.
   *
   * @param folderOrName a folder in PEFT's layout, a run folder, or the name of an adapter beside
   *     the model, {@code adapters/NAME}
   * @throws LoraGraphException if there is none, or it is not for such a model
   */
  public Model withAdapter(String folderOrName) {
    ModelFolder adapted = files.withAdapter(AdapterFolder.of(folderOrName, files.home()));
    if (!isAsInFile()) {
      PeftAdapter read = PeftAdapter.read(adapted.adapter().orElseThrow().folder());
      OnnxModel with =
          LoraGraphException.in(
              adapted.adapter().orElseThrow().folder(),
              () -> AdapterOnModel.onto(onnx, read, state.notes));
      return new Model(with, adapted, state.changed(null, false));
    }
    Model read = read(adapted, state.notes).withNotes(state.notes);
    return state.outputName == null ? read : read.withOutput(state.outputName);
  }

  /** The same of a folder. */
  public Model withAdapter(Path folder) {
    return withAdapter(folder.toString());
  }

  /**
   * With another output as the answer, where several could be.
   *
   * @throws LoraGraphException if the model has no such output
   */
  public Model withOutput(String name) {
    Objects.requireNonNull(name, "name");
    OnnxModel chosen = onnx.namingFile(() -> Logits.choose(onnx, name));
    return new Model(
        chosen,
        files,
        new State(
            state.asRead, name, state.defaults, state.change, state.answersAsFile, state.notes));
  }

  /** With another graph around the same files. */
  public Model withOnnx(OnnxModel other) {
    return new Model(
        other.withGraph(other.graph().copy()),
        files,
        new State(null, state.outputName, state.defaults, null, false, state.notes));
  }

  /**
   * With names for the classes, in the order of the logits.
   *
   * @throws LoraGraphException if two are the same, or they are not as many as the model has
   *     outputs
   */
  public Model withLabels(List<String> names) {
    LabelSet labels = new LabelSet(List.copyOf(names));
    OptionalInt outputs = outputs();
    if (names.isEmpty() || outputs.isPresent() && outputs.getAsInt() != labels.size()) {
      throw ModelFolder.wrongLabels(shown(), labels.size(), outputs);
    }
    return new Model(onnx, files.withConfig(files.config().withLabels(labels)), state);
  }

  /** How many classes or numbers the model answers; empty where its file does not declare it. */
  private OptionalInt outputs() {
    try {
      RunDefaults run = state.defaults == null ? RunDefaults.of(files, line -> {}) : state.defaults;
      Answer answer = Answer.of(onnx, run.task(), files.config().problemType(), Logits.DECLARED);
      return OptionalInt.of(answer.outputs());
    } catch (LoraGraphException e) {
      return OptionalInt.empty();
    }
  }

  /**
   * The file that the model was read from; of a run that has its adapter alone, and of a model with
   * an adapter, that of the model below.
   */
  public Path file() {
    return files.modelFile();
  }

  /** What messages call it: its file, or the name of a bundled one. */
  Path shown() {
    return files.shown();
  }

  /** What was opened: the file of the model, or the run folder that has an adapter for one. */
  public Path opened() {
    return files.opened();
  }

  /** Whether it lies in the library's cache, where nothing else should be written. */
  public boolean isBundled() {
    return files.isBundled();
  }

  /** The graph: a copy that shares the weights, which may be changed. */
  public OnnxModel onnx() {
    return onnx.withGraph(onnx.graph().copy());
  }

  /**
   * The names of the logits, in their order, as {@code config.json} has them: of the classes, or of
   * several numbers; empty where it names none. Where a regression has a configuration, its one
   * logit has a name there, too, {@code LABEL_0}: what has a meaning says {@link Predictor#labels}.
   */
  public List<String> labels() {
    return files.config().labels().map(LabelSet::names).orElse(List.of());
  }

  /** Whether there are adapters in it. */
  public boolean hasAdapters() {
    return LoraMetadata.of(onnx).isPresent();
  }

  /** The module paths of the layers that have adapters, in the order of the graph. */
  public List<String> adaptedLayers() {
    return List.copyOf(LoraMetadata.adaptedPaths(onnx));
  }

  /** How many parameters it has. */
  public ParameterCount parameterCount() {
    return ParameterCount.of(onnx);
  }

  /**
   * What {@link #inject}, {@link #merge} or {@link #unload} did; empty where none of them led to
   * this model, or something came after.
   */
  public Optional<ModelChange> change() {
    return Optional.ofNullable(state.change);
  }

  /** The graph itself, not to be changed. */
  OnnxModel graph() {
    return onnx;
  }

  ModelFolder files() {
    return files;
  }

  boolean isAsInFile() {
    return state.asRead != null && files.ownConfig().isEmpty();
  }

  /**
   * Refuses a model whose files are no longer what was read, which messages and checksums would
   * take for it.
   *
   * @throws LoraGraphException if one has changed
   */
  void requireAsRead() {
    if (state.asRead != null) {
      state.asRead.requireUnchanged("open the model again");
    }
  }

  Optional<String> outputName() {
    return Optional.ofNullable(state.outputName);
  }

  Consumer<String> notes() {
    return state.notes;
  }

  /** Whether nobody was named, so that notes go to the logger. */
  boolean logsNotes() {
    return state.notes == LOGGED;
  }

  /** How its run reads data; what the file's run says is mentioned. */
  RunDefaults defaults() {
    return defaults(state.notes);
  }

  /** The same; what the file's run says goes to other notes. */
  RunDefaults defaults(Consumer<String> notes) {
    RunDefaults run = state.defaults == null ? RunDefaults.of(files, notes) : state.defaults;
    return LoraGraphException.in(
        shown(), () -> DocumentModel.notedIn(onnx).map(run::withDocumentModel).orElse(run));
  }

  /** What embeds the documents where an encoder of queries is made of this one. */
  DocumentModel documentModel() {
    DocumentModel own = defaults(line -> {}).documentModel();
    return own != null ? own : DocumentModel.of(state.answersAsFile ? oneName() : Optional.empty());
  }

  /** By what one path alone opens it; empty where it takes two. */
  private Optional<Path> oneName() {
    boolean two = files.adapter().isPresent() && files.opened().equals(file());
    return two ? files.adapter().map(AdapterFolder::run) : Optional.of(files.opened());
  }

  /** What a training made of it. */
  Model trained(
      OnnxModel trained, ModelFolder its, Optional<ModelConfig> config, RunDefaults defaults) {
    return new Model(
        trained,
        config.map(its::withConfig).orElse(its),
        new State(null, state.outputName, defaults, null, false, state.notes));
  }

  private Model changed(
      OnnxModel other, List<String> layers, OptionalDouble difference, boolean same) {
    return new Model(other, files, state.changed(new ModelChange(layers, difference), same));
  }

  /**
   * What is in the model: its layers, its parameters, and whether it can be trained. Layers of
   * other forms, and why a model cannot be trained, are in the answer and the notes.
   *
   * @throws LoraGraphException if its adapters are damaged
   */
  public ModelInfo inspect() {
    return inspect(null);
  }

  /**
   * The same with only those layers in whose module path an expression is found.
   *
   * @param layers null for all
   */
  public ModelInfo inspect(@Nullable Pattern layers) {
    return LoraGraphException.in(shown(), () -> inspected(layers));
  }

  private ModelInfo inspected(@Nullable Pattern layers) {
    List<Parameter> parameters = Parameters.of(onnx);
    if (onnx.graph().nodes().size() > MOST_NODES) {
      String obstacle =
          "whether it can be trained was not tried: it has %,d nodes"
              .formatted(onnx.graph().nodes().size());
      state.notes.accept(obstacle);
      return ModelInfo.of(onnx, layers, parameters, Map.of(), Optional.of(obstacle));
    }
    Set<String> trainable =
        parameters.stream()
            .filter(Parameter::trainable)
            .map(Parameter::value)
            .collect(Collectors.toSet());
    Map<String, Integer> found = new LinkedHashMap<>();
    Optional<String> obstacle = Optional.empty();
    try {
      Trainability.check(onnx, trainable, new SessionShapeInference(RuntimeBuild.any()))
          .forEach(
              (name, times) -> {
                if (times > 0) {
                  found.put(name, times);
                }
              });
    } catch (LoraGraphException e) {
      state.notes.accept("it cannot be trained as a whole: " + e.getMessage());
      obstacle = Optional.of(e.getMessage());
    }
    return ModelInfo.of(onnx, layers, parameters, found, obstacle);
  }

  /**
   * The model with a head, whose logits are then its only output: FLOAT (batch, classes), (batch,
   * 1) for a regression, (batch, sequence, classes) for tokens. The labels come into its
   * configuration.
   *
   * @throws LoraGraphException if it has logits already, has no output of states, or several, or
   *     the labels cannot be taken from the data
   */
  public Model addHead(HeadConfig config) {
    return Heads.add(this, config, state.notes);
  }

  Model withHead(OnnxModel classifier, ModelConfig config) {
    return new Model(
        DocumentModel.removeFrom(classifier),
        files.withConfig(config).withoutEmbeddings(),
        new State(null, null, state.defaults, null, false, state.notes));
  }

  /**
   * The model with adapters beside the layers that are named. It answers as before, which is
   * checked by running both on an input that is made up, where one can be.
   *
   * @throws LoraGraphException if no layer that can be adapted is meant, the model has adapters
   *     already, cannot be trained with them, or answers otherwise
   */
  public Model inject(LoraConfig config) {
    OnnxModel injected =
        LoraGraphException.in(shown(), () -> LoraInjector.inject(onnx, config.options()));
    config
        .givenHead()
        .filter(head -> LoraMetadata.require(injected).head().isEmpty())
        .ifPresent(
            head -> {
              throw new LoraGraphException(
                  "%s: '%s', which is to name the modules that are trained in full, is found in no layer's path: nothing but the adapters would be trained"
                      .formatted(shown(), head),
                  Remedy.LIST_LAYERS);
            });
    LoraGraphException.in(
        shown(),
        () ->
            Trainability.check(
                injected,
                TrainableSelection.of(Method.LORA).values(injected),
                new SessionShapeInference(RuntimeBuild.any())));
    List<String> adapted = List.copyOf(LoraMetadata.adaptedPaths(injected));
    AdaptedLayers.notes(onnx, config.options()).forEach(state.notes);
    Pattern match = Pattern.compile(LoraMetadata.require(injected).match());
    ModelNotes.ofInjection(onnx, match, adapted).forEach(state.notes);
    OptionalDouble difference =
        ModelComparison.difference(
            onnx,
            injected,
            new Sessions(RuntimeBuild.any(), 0).withoutOptimization(),
            config.seed(),
            state.notes);
    double tolerance = config.addsNothing() ? INJECTION_TOLERANCE : VARIANT_TOLERANCE;
    if (!(difference.orElse(0) <= tolerance)) {
      throw new LoraGraphException(
          "the outputs of %s changed by %g on injection: please report the model"
              .formatted(shown(), difference.getAsDouble()));
    }
    return changed(injected, adapted, difference, true);
  }

  /**
   * The module paths of the layers that {@link #inject} would put adapters beside, in the order of
   * the graph; nothing is made.
   *
   * @throws LoraGraphException if no layer that can be adapted is meant, or the model has adapters
   *     already
   */
  public List<String> targetedModules(LoraConfig config) {
    return LoraGraphException.in(shown(), () -> LoraInjector.targets(onnx, config.options()));
  }

  /**
   * The model with its adapters in its weights, W' = W + alpha/rank lora_A lora_B, and the nodes
   * that it had before the injection: {@code merge_and_unload} of PEFT. Both are run on the same
   * input.
   *
   * @throws LoraGraphException if it has no adapters, or answers otherwise than with them
   */
  public Model merge() {
    return merge(InferenceArguments.DEFAULTS);
  }

  /**
   * The same with the device and the threads that both are run with for the comparison.
   *
   * @throws LoraGraphException as {@link #merge()}
   */
  public Model merge(InferenceArguments comparison) {
    OnnxModel merged = LoraGraphException.in(shown(), () -> LoraMerger.merge(onnx));
    OptionalDouble difference =
        ModelComparison.difference(onnx, merged, comparison.sessions(state.notes), 0, state.notes);
    Set<ElementType> rounded = LoraMerger.rounded(onnx);
    if (!rounded.isEmpty()) {
      state.notes.accept(
          "the merged weights are rounded to %s, in which the model stores them"
              .formatted(rounded));
    }
    if (!(difference.orElse(0) <= (rounded.isEmpty() ? MERGE_TOLERANCE : ROUNDED_TOLERANCE))) {
      throw new LoraGraphException(
          "merged and adapted outputs of %s differ by %g: are its weights finite and of usual size?"
              .formatted(shown(), difference.getAsDouble()));
    }
    if (LoraMerger.changesNothing(onnx)) {
      state.notes.accept(
          "the adapters of %s are untrained (all that they add is zero), so merging changes nothing: merge the model that a training made"
              .formatted(shown()));
    }
    DocumentModel documents = defaults(line -> {}).documentModel();
    if (documents != null) {
      merged = documents.noteIn(merged);
      state.notes.accept(
          "%s was trained on the query side, so the merged model embeds queries; that %s embeds the documents is noted in it"
              .formatted(shown(), documents.file()));
    }
    return changed(merged, List.copyOf(LoraMetadata.adaptedPaths(onnx)), difference, true);
  }

  /**
   * The model without its adapters, as it was before the injection: {@code unload} of PEFT. What
   * training has changed besides the adapters, the head above all, stays changed.
   *
   * @throws LoraGraphException if it has no adapters
   */
  public Model unload() {
    OnnxModel removed = LoraGraphException.in(shown(), () -> LoraRemover.remove(onnx));
    Model unloaded =
        changed(
            removed, List.copyOf(LoraMetadata.adaptedPaths(onnx)), OptionalDouble.empty(), false);
    ModelConfig config = files.config();
    if (config.thresholds().isEmpty()) {
      return unloaded;
    }
    state.notes.accept(
        "the thresholds in %s were those of the adapted model, and are left out"
            .formatted(ModelConfig.FILE));
    return new Model(
        unloaded.onnx, files.withConfig(config.withThresholds(Map.of())), unloaded.state);
  }

  /**
   * The encoder of a model with a language-model head: the last states, {@code last_hidden_state},
   * FLOAT (batch, sequence, hidden), are then its only output. {@link #addHead} does it by itself.
   *
   * @throws LoraGraphException if it has no such head, or adapters, which have to be merged before
   */
  public Model dropLanguageModelHead() {
    if (hasAdapters()) {
      throw new LoraGraphException(
          shown() + " has adapters: merge them before its head is dropped");
    }
    OnnxModel encoder =
        LoraGraphException.in(
            shown(),
            () ->
                LanguageModelHead.dropFrom(onnx, new SessionShapeInference(RuntimeBuild.any()))
                    .orElseThrow(
                        () ->
                            new LoraGraphException(
                                "the model has no language-model head that could be dropped: logits"
                                    + " over its vocabulary as its only output")));
    return new Model(encoder, files, state.changed(change().orElse(null), false));
  }

  /**
   * Looks, before any data is read, whether the model has what the arguments want trained.
   *
   * @throws LoraGraphException if it has not: adapters, a head, or parameters of such names
   */
  public void checkTrain(TrainingArguments arguments) {
    LoraGraphException.in(shown(), () -> arguments.selection().values(onnx));
  }

  /**
   * Trains the model.
   *
   * @param training labelled examples
   * @throws LoraGraphException if data or arguments do not fit the model, or the training fails
   * @throws TrainingCancelledException if a listener wants it to stop
   */
  public TrainingResult train(
      Dataset training, TrainingArguments arguments, TrainingListener... listeners) {
    return new Training(this, training, Optional.empty(), arguments, List.of(listeners)).run();
  }

  /**
   * Trains the model and measures it on held-out examples.
   *
   * @param training labelled examples
   * @param heldOut labelled examples that are not trained on
   * @throws LoraGraphException if data or arguments do not fit the model, or the training fails
   * @throws TrainingCancelledException if a listener wants it to stop
   */
  public TrainingResult train(
      Dataset training,
      Dataset heldOut,
      TrainingArguments arguments,
      TrainingListener... listeners) {
    Objects.requireNonNull(heldOut, "heldOut");
    return new Training(this, training, Optional.of(heldOut), arguments, List.of(listeners)).run();
  }

  /**
   * Tells what a training would take: all that it needs is opened, and a few of its steps are made,
   * the one of the longest batch among them. Nothing is written, and this model stays as it is.
   *
   * @param heldOut labelled examples that the training would measure on; empty for none
   * @throws LoraGraphException if data or arguments do not fit the model, or it would go on with
   *     another training
   */
  public TrainingEstimate estimate(
      Dataset training,
      Optional<Dataset> heldOut,
      TrainingArguments arguments,
      TrainingListener... listeners) {
    return Training.estimate(this, training, heldOut, arguments, List.of(listeners));
  }

  /**
   * Measures the model on labelled examples.
   *
   * @throws LoraGraphException if the data does not fit the model, or the model answers with
   *     something that is no number
   */
  public Evaluation evaluate(Dataset data) {
    return evaluate(data, InferenceArguments.DEFAULTS);
  }

  /**
   * The same with other arguments.
   *
   * @throws LoraGraphException as {@link #evaluate(Dataset)}, or if a GPU was asked for that cannot
   *     be used
   */
  public Evaluation evaluate(Dataset data, InferenceArguments arguments) {
    try (Predictor predictor = predictor(arguments)) {
      return predictor.evaluate(data);
    }
  }

  /**
   * Opens the model to answer texts. Who asks for it closes it.
   *
   * @throws LoraGraphException if the model cannot be run
   */
  public Predictor predictor() {
    return predictor(InferenceArguments.DEFAULTS);
  }

  /**
   * The same with other arguments. Who asks for it closes it.
   *
   * @throws LoraGraphException as {@link #predictor()}, or if a GPU was asked for that cannot be
   *     used
   */
  public Predictor predictor(InferenceArguments arguments) {
    return Predictor.open(this, arguments);
  }

  /**
   * Opens the model to make vectors of texts. Who asks for it closes it.
   *
   * @throws LoraGraphException if the model cannot be run, makes no vectors, or nothing says how
   *     those of a text's tokens become one
   */
  public Embedder embedder() {
    return embedder(InferenceArguments.DEFAULTS);
  }

  /**
   * The same, told how. Who asks for it closes it.
   *
   * @throws LoraGraphException as {@link #embedder()}, or if a GPU was asked for that cannot be
   *     used
   */
  public Embedder embedder(InferenceArguments arguments) {
    return Embedder.open(this, arguments);
  }

  /** What its run trained it for; empty where it is no folder of a run. */
  public Optional<Task> trainedTask() {
    RunDefaults run = state.defaults == null ? RunDefaults.of(files, line -> {}) : state.defaults;
    return Optional.ofNullable(run.task()).map(Task::of);
  }

  /**
   * The file that {@link #save} writes, looked at before any work is done.
   *
   * @param target an {@code .onnx} file, or a folder for {@code model.onnx}
   * @param replace whether files that exist may be replaced
   * @throws LoraGraphException if the model may not be written there
   */
  public Path checkSave(Path target, boolean replace) {
    if (Files.isRegularFile(target) && !target.toString().endsWith(SUFFIX)) {
      throw new LoraGraphException(
          "%s is a file and does not end in %s: name an %s file or a folder"
              .formatted(target, SUFFIX, SUFFIX));
    }
    Path file = target.toString().endsWith(SUFFIX) ? target : target.resolve(FILE);
    refuseOwnFile(file);
    AtomicFile.checkTarget(file, replace);
    ownConfigFor(AtomicFile.folderOf(file))
        .ifPresent(
            config ->
                AtomicFile.checkTarget(
                    AtomicFile.folderOf(file).resolve(ModelConfig.FILE), replace));
    List<String> foreign = files.differentCompanions(AtomicFile.folderOf(file));
    if (!foreign.isEmpty() && !replace) {
      throw new LoraGraphException(
          "%s beside %s belongs to another model".formatted(String.join(", ", foreign), file),
          Remedy.OWN_FOLDER);
    }
    return file;
  }

  private void refuseOwnFile(Path target) {
    try {
      if (Files.exists(target) && Files.isSameFile(target, file())) {
        throw new LoraGraphException(
            "%s is the model that is read".formatted(target), Remedy.OTHER_OUTPUT);
      }
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + target + ": " + AtomicFile.reason(e), e);
    }
  }

  /** The configuration in memory, unless a folder has the very same. */
  private Optional<ModelConfig> ownConfigFor(Path folder) {
    Path there = folder.resolve(ModelConfig.FILE);
    return files
        .ownConfig()
        .filter(
            config -> {
              try {
                return !Files.isRegularFile(there)
                    || !Arrays.equals(Files.readAllBytes(there), config.bytes());
              } catch (IOException e) {
                throw new LoraGraphException(
                    "cannot read " + there + ": " + AtomicFile.reason(e), e);
              }
            });
  }

  /**
   * Writes the model with its configuration and its tokenizer, all or nothing. Files of the target
   * that exist are not replaced.
   *
   * @param target an {@code .onnx} file, or a folder for {@code model.onnx}
   * @return the file that was written
   * @throws LoraGraphException if there is a model already, or it cannot be written
   */
  public Path save(Path target) {
    return save(target, false);
  }

  /**
   * The same, also over a model that exists.
   *
   * @param replace whether a model that exists is replaced, with its configuration where this one
   *     has another
   * @return the file that was written
   * @throws LoraGraphException if there is a model that may not be replaced, or it cannot be
   *     written
   */
  public Path save(Path target, boolean replace) {
    return save(target, replace, false);
  }

  /**
   * The same, but small: weights that stand in a file already, as those of the model that this one
   * was made of, are not written again. The new file refers to them, as ONNX allows within a
   * folder: to a file there, or to a further name (a hard link) that a file from elsewhere gets
   * there. Both have to stay together, and a model whose weights were replaced since is refused
   * when it is opened. Where the file system has no links, or the weights are in memory alone, the
   * file is written whole.
   *
   * @param replace whether a model that exists is replaced
   * @return the file that was written
   * @throws LoraGraphException as {@link #save(Path, boolean)} does, or if the weights were
   *     replaced since they were read
   */
  public Path saveSharingWeights(Path target, boolean replace) {
    return save(target, replace, true);
  }

  private Path save(Path target, boolean replace, boolean sharing) {
    Path file = checkSave(target, replace);
    Path folder = AtomicFile.folderOf(file);
    ModelFolder.Companions companions;
    Set<Path> referred = Set.of();
    Set<Path> referring =
        replace && Files.isRegularFile(file) ? OnnxFile.referringTo(file) : Set.of();
    try (StagedFiles staged = new StagedFiles(folder, replace)) {
      ownConfigFor(folder)
          .ifPresent(config -> config.stage(folder.resolve(ModelConfig.FILE), staged));
      companions = files.stageCompanions(folder, staged);
      if (sharing) {
        // Nobody else may have a hand in the tool's cache, by whatever name.
        referred = OnnxFile.stageReferring(onnx, file, !files.isBundled(), staged);
      } else {
        OnnxFile.stage(onnx, file, staged);
      }
      staged.commit();
    }
    for (Path other : referring) {
      state.notes.accept(
          "%s had its weights in %s, which was replaced: make it anew".formatted(other, file));
    }
    if (!referred.isEmpty()) {
      state.notes.accept(
          "%s has its weights in %s: keep them together"
              .formatted(
                  file, referred.stream().map(Path::toString).collect(Collectors.joining(", "))));
    }
    if (!companions.copied().isEmpty()) {
      state.notes.accept(
          "copied beside %s: %s".formatted(file, String.join(", ", companions.copied())));
    }
    if (!companions.different().isEmpty()) {
      state.notes.accept(
          "%s in %s already, and not as %s has it: check that it fits the model"
              .formatted(String.join(", ", companions.different()), folder, file()));
    }
    return file;
  }

  /**
   * Writes the adapters, and what else was trained, into a folder in PEFT's layout, {@code
   * adapter_config.json} and {@code adapter_model.safetensors}: bit for bit the model's numbers,
   * under PyTorch's names and in its layout. {@link #withAdapter} reads it again.
   *
   * @param replace whether files that exist are replaced
   * @throws LoraGraphException if the model has no adapters, a parameter that was trained has no
   *     place in PEFT's files, or they cannot be written
   */
  public ExportedAdapter exportAdapter(Path folder, PeftExportConfig config, boolean replace) {
    AtomicFile.checkTarget(folder.resolve(PeftConfig.FILE), replace);
    AtomicFile.checkTarget(folder.resolve(PeftAdapter.TENSORS_FILE), replace);
    PeftAdapter adapter = PeftFiles.of(this, config, state.notes);
    try (StagedFiles staged = new StagedFiles(folder, replace)) {
      adapter.stage(folder, staged);
      staged.commit();
    }
    return new ExportedAdapter(
        folder,
        adapter.config().targetModuleNames(),
        adapter.config().modulesToSave(),
        adapter.tensors().size(),
        adapter.parameterCount());
  }

  /**
   * The model without its adapters, which takes them, and others of the same layers, as inputs that
   * may be left out: {@code lora_A} and {@code lora_B} of any rank, the scale in {@code lora_B},
   * and what else was trained, a head above all, whose default stays. It is what ONNX Runtime
   * switches adapters on ({@code OrtLoraAdapter}).
   *
   * @throws LoraGraphException if the model has no adapters, or of a kind that cannot be switched
   *     (DoRA)
   */
  public Model withAdapterInputs(AdapterNaming naming) {
    OnnxModel base = AdapterInputs.base(onnx, naming.internal());
    return new Model(base, files, state.changed(null, false));
  }

  /**
   * Writes the adapters, and what else was trained, as a file of ONNX Runtime's for a model that
   * {@link #withAdapterInputs} or another tool has made; beside {@code x.onnx_adapter} what its
   * answers mean, {@code x.config.json}.
   *
   * @param file whose name ends with {@code .onnx_adapter}
   * @param replace whether a file that exists is replaced
   * @return how many inputs it is for
   * @throws LoraGraphException if the model has no adapters, or of a kind that cannot be switched
   *     (DoRA), or a file exists and may not be replaced, or cannot be written
   */
  public int saveOnnxAdapter(Path file, AdapterNaming naming, boolean replace) {
    return saveOnnxAdapter(file, AdapterInputs.of(onnx).named(naming.internal()), replace);
  }

  /**
   * The same for a model that is there, as whose inputs the parameters are named.
   *
   * @param base takes adapters as inputs
   * @throws LoraGraphException as {@link #saveOnnxAdapter(Path, AdapterNaming, boolean)} does, or
   *     if the base has no such inputs, or of other sizes
   */
  public int saveOnnxAdapter(Path file, Model base, boolean replace) {
    OnnxAdapter adapter = AdapterInputs.of(onnx);
    OnnxAdapter fitting =
        LoraGraphException.in(base.shown(), () -> AdapterInputs.fitting(base.onnx, adapter));
    return saveOnnxAdapter(file, fitting, replace);
  }

  private int saveOnnxAdapter(Path file, OnnxAdapter adapter, boolean replace) {
    Path config = OnnxAdapter.configOf(file);
    AtomicFile.checkTarget(file, replace);
    AtomicFile.checkTarget(config, replace);
    try (StagedFiles staged = new StagedFiles(AtomicFile.folderOf(file), replace)) {
      OnnxAdapterFile.stage(adapter, file, staged);
      ModelConfig.empty().answering(files.config()).stage(config, staged);
      staged.commit();
    }
    return adapter.parameters().size();
  }

  @Override
  public String toString() {
    return shown() + (state.asRead != null ? "" : " (changed)");
  }
}
