package io.github.loragraph;

import io.github.loragraph.adapter.OnnxAdapter;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.evaluation.AdapterSession;
import io.github.loragraph.models.ModelConfig;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.ActiveAdapter;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.Logits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One model that answers with many adapters: one session of ONNX Runtime, one copy of the weights,
 * one tokenizer, and of each adapter only what it has learned. Adapters are loaded, replaced and
 * dropped under names while texts are answered: a call ends with the adapter that it began with,
 * and the memory of one that was dropped is given back when its last call is done.
 *
 * <p>An adapter brings its own head, if it was trained with one, of any number of classes, and its
 * own labels. Its layers may be others than those of the adapters before; the first that adapts
 * further layers makes the session anew, over the same weights, which calls at work do not wait
 * for. What is no product of two matrices (DoRA) cannot be switched, and is refused.
 *
 * <p>Any number of threads may use it at once. It holds native memory until it is closed, by
 * whoever opened it; closing waits for the calls that are at work.
 *
 * <p>Long because what may be asked of one adapter may be asked of many.
 */
public final class MultiAdapterPredictor implements AutoCloseable {
  /** The name that means the model without an adapter. */
  public static final String BASE = "";

  private final Model model;
  private final InferenceArguments arguments;
  private final ModelData data;
  private final AdapterSession session;
  private final OrtRuntime runtime;
  private final HeldNotes notes;

  /** The model with its logits for its output. */
  private final OnnxModel answering;

  private final List<ValueInfo> inputs;
  private final Predictor base;
  private final AdapterShelf shelf;

  /**
   * Shared by all that answers: nothing of the program's is called while it is held, and whoever
   * has borrowed an adapter may close this.
   */
  private final UseUntilClosed use = new UseUntilClosed("the predictor");

  /**
   * A text for an adapter.
   *
   * @param adapter its name, or {@link #BASE}
   */
  public record Request(String adapter, Example example) {
    public Request {
      Objects.requireNonNull(adapter, "adapter");
      Objects.requireNonNull(example, "example");
    }
  }

  private MultiAdapterPredictor(
      Model model,
      InferenceArguments arguments,
      ModelData data,
      Sessions sessions,
      HeldNotes notes,
      RunDefaults run,
      long adapterBytes) {
    this.model = model;
    this.arguments = arguments;
    this.data = data;
    this.notes = notes;
    this.runtime = sessions.runtime();
    this.answering = data.answer().answering();
    this.inputs = answering.graph().requiredInputs();
    this.session = new AdapterSession(answering, sessions);
    this.shelf = new AdapterShelf(adapterBytes);
    this.base =
        new Predictor(
            data,
            new io.github.loragraph.evaluation.Predictor(
                batch -> session.logits(batch, null), inputs, data.padId()),
            run,
            notes,
            use);
  }

  /**
   * Opens a model for adapters, all of which may stay in memory.
   *
   * @param model has no adapters itself
   * @throws LoraGraphException if the model has adapters, answers with vectors, or cannot be opened
   */
  public static MultiAdapterPredictor open(Model model, InferenceArguments arguments) {
    return open(model, arguments, Long.MAX_VALUE);
  }

  /**
   * Opens a model for adapters.
   *
   * @param model has no adapters itself
   * @param adapterBytes how much memory all adapters together may have. The one that was least
   *     recently used makes room: it is read again from its file when it is asked for, and one that
   *     came of no file has to be loaded again
   * @throws LoraGraphException if the model has adapters, answers with vectors, or cannot be opened
   */
  public static MultiAdapterPredictor open(
      Model model, InferenceArguments arguments, long adapterBytes) {
    if (model.hasAdapters()) {
      throw new LoraGraphException(
          "%s has adapters itself, and others would come on top of them".formatted(model.shown()),
          Remedy.REMOVE_OR_MERGE);
    }
    if (adapterBytes < 1) {
      throw new LoraGraphException(
          "adapters cannot share %d bytes: give a positive number".formatted(adapterBytes));
    }
    RunDefaults run = model.defaults();
    HeldNotes notes = new HeldNotes(model.notes());
    ModelData data = Predictor.data(model, arguments, run, notes);
    try {
      return new MultiAdapterPredictor(
          model, arguments, data, arguments.sessions(model.notes()), notes, run, adapterBytes);
    } catch (RuntimeException | Error e) {
      data.close();
      throw e;
    }
  }

  /**
   * Loads an adapter from a file, in place of one of the same name.
   *
   * @param source an adapter's folder in PEFT's layout, the run folder of a training, an {@code
   *     .onnx_adapter} file, or a model with adapters or its folder. Labels and task are those of
   *     its {@code config.json}; of a file {@code x.onnx_adapter} those of {@code x.config.json},
   *     else of the {@code config.json} beside it where that fits; where nothing says them, the
   *     model's if it has as many classes, else they are numbered
   * @throws LoraGraphException if there is no adapter, or it does not fit the model; it names the
   *     source
   * @throws IllegalStateException if this is closed
   */
  public void load(String name, Path source) {
    requireName(name);
    whileOpen(
        () -> {
          shelf.put(name, () -> whileOpen(() -> served(source)), served(source));
          return null;
        });
  }

  /**
   * Loads the adapters of a model, as a training has made them, in place of those of the same name.
   *
   * @param adapted the model that this is of, with adapters
   * @throws LoraGraphException if it has none, or they do not fit the model
   * @throws IllegalStateException if this is closed
   */
  public void load(String name, Model adapted) {
    requireName(name);
    whileOpen(
        () -> {
          shelf.put(name, null, served(AdapterSource.of(adapted)));
          return null;
        });
  }

  /**
   * Loads an adapter that is in memory, as one that was combined of others, in place of one of the
   * same name. Its texts are read as the model's are.
   *
   * @throws LoraGraphException if it does not fit the model
   * @throws IllegalStateException if this is closed
   */
  public void load(String name, Adapter adapter) {
    requireName(name);
    whileOpen(
        () -> {
          shelf.put(name, null, served(AdapterSource.of(adapter, answering, notes)));
          return null;
        });
  }

  private static void requireName(String name) {
    if (name.isEmpty()) {
      throw new LoraGraphException("an adapter needs a name: the empty one means the model itself");
    }
  }

  private ServedAdapter served(Path source) {
    return LoraGraphException.in(
        source, () -> served(AdapterSource.read(source, answering, notes)));
  }

  private ServedAdapter served(AdapterSource source) {
    OnnxAdapter values = source.values();
    OptionalInt classes = session.allow(values);
    OnnxModel declared = session.withClasses(classes.orElse(data.answer().logits().width()));
    RunDefaults run = source.defaults();
    ModelData own =
        data.adapted(
            config(source, classes),
            declared,
            arguments.maxLength().orElse(run.maxLength()),
            arguments.task().map(Task::internal).orElse(run.task()));
    ActiveAdapter active = new ActiveAdapter(runtime, values);
    return new ServedAdapter(
        new Predictor(
            own,
            new io.github.loragraph.evaluation.Predictor(
                batch -> logits(batch, active, own), inputs, data.padId()),
            run,
            notes,
            use),
        active);
  }

  /** What the answers of an adapter mean: its own labels, where it has some. */
  private ModelConfig config(AdapterSource source, OptionalInt classes) {
    ModelConfig ofModel = model.files().config();
    ModelConfig own = source.config();
    boolean others = classes.isPresent() && classes.getAsInt() != data.answer().logits().width();
    if (own != null && !source.isOwn()) {
      int fitting = classes.orElse(data.answer().logits().width());
      if (own.labels().map(names -> names.size() != fitting).orElse(false)) {
        notes.accept(
            "%s beside an adapter names other classes than its %d: they are numbered"
                .formatted(ModelConfig.FILE, fitting));
        own = null;
      }
    }
    if (own == null) {
      // Thresholds that were fitted to other answers say nothing of these.
      return others ? ofModel.answering(ModelConfig.empty()) : ofModel.withThresholds(Map.of());
    }
    return own.labels().isEmpty() && own.problemType().isEmpty() && !others
        ? ofModel.withThresholds(own.thresholds())
        : ofModel.answering(own);
  }

  /** One logit that decides between two classes is that of the second, as in the model's graph. */
  private float[][] logits(List<HostTensor> batch, ActiveAdapter active, ModelData own) {
    float[][] rows = session.logits(batch, active);
    Logits logits = own.answer().logits();
    return logits.form() == Logits.Form.CLASSES && logits.width() == 1
        ? Arrays.stream(rows).map(row -> new float[] {0, row[0]}).toArray(float[][]::new)
        : rows;
  }

  /**
   * Takes an adapter away; calls that are at work with it go on.
   *
   * @return whether there was one
   * @throws IllegalStateException if this is closed
   */
  public boolean drop(String name) {
    return whileOpen(() -> shelf.drop(name));
  }

  /** The names of all adapters, those that had to make room among them. */
  public Set<String> adapters() {
    return shelf.names();
  }

  /** The names of the adapters that are in memory. */
  public Set<String> adaptersInMemory() {
    return shelf.inMemory();
  }

  /** The bytes of the adapters that are in memory. */
  public long adapterBytes() {
    return shelf.bytes();
  }

  /** What an adapter, or {@link #BASE}, answers; as {@link Predictor#task}. */
  public Task task(String adapter) {
    return with(adapter, Predictor::task);
  }

  /** The labels of an adapter, or of {@link #BASE}; as {@link Predictor#labels}. */
  public List<String> labels(String adapter) {
    return with(adapter, Predictor::labels);
  }

  /**
   * Answers a text.
   *
   * @param adapter a name, or {@link #BASE}
   * @throws LoraGraphException if there is no such adapter, it cannot be read again, or as {@link
   *     Predictor#predict(String)}
   * @throws IllegalStateException if this is closed
   */
  public Prediction predict(String adapter, String text) {
    return with(adapter, predictor -> predictor.predict(text));
  }

  /**
   * Answers a pair of texts.
   *
   * @throws LoraGraphException as {@link #predict(String, String)}
   * @throws IllegalStateException if this is closed
   */
  public Prediction predict(String adapter, String text, String textPair) {
    return with(adapter, predictor -> predictor.predict(text, textPair));
  }

  /**
   * Answers texts, pairs or tokens, all of one kind.
   *
   * @return as many answers, in the same order
   * @throws LoraGraphException as {@link #predict(String, String)}
   * @throws IllegalStateException if this is closed
   */
  public List<Prediction> predict(String adapter, List<Example> examples) {
    return with(adapter, predictor -> predictor.predict(examples));
  }

  /**
   * Answers the examples of some data one after the other, so that a file of any size can be read.
   *
   * @param taker gets each example with its answer
   * @throws LoraGraphException if the data cannot be read, or as {@link #predict(String, String)}
   * @throws IllegalStateException if this is closed
   */
  public void predict(String adapter, Dataset examples, BiConsumer<Example, Prediction> taker) {
    with(
        adapter,
        predictor -> {
          predictor.predict(examples, taker);
          return null;
        });
  }

  /**
   * Answers texts for several adapters, those of one together. All adapters are those of the
   * beginning of the call.
   *
   * @return as many answers, in the same order
   * @throws LoraGraphException as {@link #predict(String, String)}
   * @throws IllegalStateException if this is closed
   */
  public List<Prediction> predict(List<Request> requests) {
    Map<String, List<Integer>> byAdapter = new LinkedHashMap<>();
    for (int i = 0; i < requests.size(); i++) {
      byAdapter.computeIfAbsent(requests.get(i).adapter(), name -> new ArrayList<>()).add(i);
    }
    Map<String, AdapterShelf.Loan> loans = new LinkedHashMap<>();
    try {
      for (String name : byAdapter.keySet()) {
        if (!name.equals(BASE)) {
          loans.put(name, shelf.borrow(name));
        }
      }
      Prediction[] answers = new Prediction[requests.size()];
      byAdapter.forEach(
          (name, places) -> {
            List<Prediction> own =
                predictor(loans.get(name))
                    .predict(places.stream().map(i -> requests.get(i).example()).toList());
            for (int i = 0; i < own.size(); i++) {
              answers[places.get(i)] = own.get(i);
            }
          });
      return List.of(answers);
    } finally {
      loans.values().forEach(shelf::giveBack);
    }
  }

  private Predictor predictor(AdapterShelf.@Nullable Loan loan) {
    return loan == null ? base : loan.adapter().predictor();
  }

  /**
   * Orders documents by how relevant they are to a query; as {@link Predictor#rank(String, List)}.
   *
   * @throws LoraGraphException if the adapter is no reranker, or as {@link #predict(String,
   *     String)}
   * @throws IllegalStateException if this is closed
   */
  public List<RankedDocument> rank(String adapter, String query, List<String> documents) {
    return with(adapter, predictor -> predictor.rank(query, documents));
  }

  /**
   * Measures an adapter on labelled examples.
   *
   * @throws LoraGraphException if the data does not fit the adapter, or as {@link #predict(String,
   *     String)}
   * @throws IllegalStateException if this is closed
   */
  public Evaluation evaluate(String adapter, Dataset labelled) {
    return with(adapter, predictor -> predictor.evaluate(labelled));
  }

  private <T> T with(String adapter, Function<Predictor, T> work) {
    if (adapter.equals(BASE)) {
      return work.apply(base);
    }
    AdapterShelf.Loan loan = shelf.borrow(adapter);
    try {
      return work.apply(loan.adapter().predictor());
    } finally {
      shelf.giveBack(loan);
    }
  }

  private <T> T whileOpen(Supplier<T> work) {
    return notes.during(() -> use.whileOpen(work));
  }

  /** Gives the native memory back; a second time does nothing. */
  @Override
  public void close() {
    use.close(
        () -> {
          try {
            shelf.close();
          } finally {
            try {
              session.close();
            } finally {
              data.close();
            }
          }
        });
  }
}
