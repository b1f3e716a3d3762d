package io.github.loragraph.experiment;

import io.github.loragraph.Dataset;
import io.github.loragraph.Model;
import io.github.loragraph.error.Advice;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.error.Spelling;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.task.Task;
import io.github.loragraph.task.Tasks;
import io.github.loragraph.trainer.BestEvaluation;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Whether models and data have what runs want, before the first of them begins: adapters and a
 * head, the layers that get adapters, figures that are measured, rows as a training takes them.
 * What their files do not say, the runs find out. Used by one thread.
 */
public final class ModelNeeds {
  private static final String SAVE_BEST = "save-best";
  private static final String NONE = "none";
  private static final String DATA = "data";
  private static final String NO_HEAD =
      "has no head: put one on with head: {}, or name its answer with output-name";
  private static final List<String> CLASSIFICATION = List.of(Tasks.CLASSIFICATION.name());

  /** Settings that say which rows there are. */
  private static final Set<String> OF_DATA =
      Set.of(
          DATA,
          "eval",
          "eval-corpus",
          "eval-queries",
          "eval-qrels",
          "data-format",
          "text-column",
          "text-pair-column",
          "label-column");

  private static final ShapeInference NOT_DECLARED =
      model -> {
        throw new LoraGraphException("the model does not declare what it answers");
      };

  private final RunProgram program;

  /** What was found, by all that it depends on: many runs differ by other things alone. */
  private final Map<List<Object>, Optional<String>> known = new HashMap<>();

  /** What runs are trained for: the model is read for it once, where nothing else says it. */
  private final Map<List<Object>, Optional<Task>> tasks = new HashMap<>();

  /** The model that was asked about last: mostly all runs have one. */
  private @Nullable Model opened;

  private List<Object> openedBy = List.of();

  public ModelNeeds(RunProgram program) {
    this.program = program;
  }

  /**
   * Refuses a run whose model or data lack something.
   *
   * @param file what the message begins with
   * @throws LoraGraphException if they do, or the model cannot be read
   */
  public void require(String file, RunSettings run) {
    if (run.ofSource().containsKey("adapter") || run.isModelElsewhere()) {
      return;
    }
    String name = "%s: %s".formatted(file, run.place());
    List<Object> model = model(run);
    List<Object> asked =
        List.of(
            model,
            run.method(),
            run.task(),
            run.head().isPresent(),
            !run.adapters().isEmpty(),
            run.namesAnswer());
    refuse(name + run.model() + " ", asked, () -> lacking(run));
    if (!run.adapters().isEmpty()) {
      refuse(
          name,
          List.of(model, run.adapters()),
          () -> program.refusal(opened(run, model), run.adapters()));
    }
    if (!run.isMeasured()) {
      String metric = String.join("", run.training().getOrDefault(SAVE_BEST, List.of()));
      if (!metric.isEmpty() && !metric.equals(BestEvaluation.SCORE) && !metric.equals(NONE)) {
        requireFigure(name + SAVE_BEST, run, metric.replaceFirst("^eval_", ""));
      }
      refuse(
          name,
          List.of(task(run), run.training()),
          () -> publicTask(run).flatMap(task -> program.refusal(task, run.training())));
    }
    Map<String, List<String>> ofData = new LinkedHashMap<>(run.training());
    ofData.keySet().retainAll(OF_DATA);
    // What is measured alone is named as data; of embeddings it may have forms that none trains on.
    if (!run.isMeasured()
        || (ofData.containsKey(DATA) && task(run).filter(Tasks.EMBEDDING::equals).isEmpty())) {
      refuse(name, List.of(task(run), ofData), () -> unreadable(run, ofData));
    }
  }

  /**
   * Refuses a figure that a run is not measured by.
   *
   * @param place what the message begins with
   */
  public void requireFigure(String place, RunSettings run, String figure) {
    (run.isModelElsewhere() ? Optional.<Task>empty() : task(run))
        .filter(task -> !task.figureNames().contains(figure))
        .ifPresent(
            task -> {
              throw new LoraGraphException(
                  "%s: '%s' is no figure of %s: %s"
                      .formatted(
                          place, figure, task, Spelling.proposal(figure, task.figureNames())));
            });
  }

  /**
   * Whether a run needs a head on its model, and puts none on.
   *
   * @throws LoraGraphException if the model cannot be read
   */
  public static boolean lacksHead(RunSettings run) {
    return lacking(run).filter(NO_HEAD::equals).isPresent();
  }

  private void refuse(String before, List<Object> asked, Supplier<Optional<String>> refusal) {
    known
        .computeIfAbsent(asked, key -> refusal.get())
        .ifPresent(
            what -> {
              throw new LoraGraphException(before + what);
            });
  }

  private Model opened(RunSettings run, List<Object> by) {
    if (opened == null || !openedBy.equals(by)) {
      List<String> chosen = run.ofSource().get("file");
      opened = chosen == null ? Model.open(run.model()) : Model.open(run.model(), chosen.get(0));
      openedBy = by;
    }
    return opened;
  }

  /**
   * What a training or a measurement would refuse of the rows, of whatever model. Data that are
   * streamed are not read through for it.
   */
  private Optional<String> unreadable(RunSettings run, Map<String, List<String>> ofData) {
    if (ofData.values().stream().flatMap(List::stream).anyMatch(program::isElsewhere)) {
      return Optional.empty();
    }
    RunProgram.Examples examples = program.examples(ofData);
    Optional<io.github.loragraph.Task> task = publicTask(run);
    if (task.isEmpty()
        || examples.training().isLarge()
        || examples.heldOut().filter(Dataset::isLarge).isPresent()) {
      return Optional.empty();
    }
    try {
      examples.training().validate(task.get(), examples.heldOut());
      return Optional.empty();
    } catch (LoraGraphException e) {
      return Optional.of(e.getMessage());
    }
  }

  /** What tells the model that a run begins with. */
  private static List<Object> model(RunSettings run) {
    return List.of(run.source().modelFile(), run.ofSource());
  }

  private Optional<io.github.loragraph.Task> publicTask(RunSettings run) {
    return task(run).flatMap(found -> io.github.loragraph.Task.named(found.name()));
  }

  /** What a run is trained for; empty where nobody can tell before it begins. */
  private Optional<Task> task(RunSettings run) {
    return run.task()
        .or(() -> run.head().map(head -> head.getOrDefault("task", CLASSIFICATION).get(0)))
        .flatMap(Tasks::named)
        .or(() -> tasks.computeIfAbsent(model(run), key -> taskOfModel(run)));
  }

  private static Optional<Task> taskOfModel(RunSettings run) {
    Task trained = RunDefaults.of(run.source(), line -> {}).task();
    if (trained != null) {
      return Optional.of(trained);
    }
    try {
      OnnxModel model = run.source().read(line -> {});
      return Optional.of(
          Answer.of(model, null, run.source().config().problemType(), NOT_DECLARED).task());
    } catch (LoraGraphException e) {
      return Optional.empty();
    }
  }

  /** Empty where nothing is. */
  private static Optional<String> lacking(RunSettings run) {
    OnnxModel model = run.source().read(line -> {});
    if (!run.adapters().isEmpty() && LoraMetadata.of(model).isPresent()) {
      return Optional.of(
          "has adapters already: leave out those of the run, or name a model without any");
    }
    try {
      run.method()
          .filter(
              method ->
                  (method == Method.LORA && run.adapters().isEmpty())
                      || (method == Method.HEAD && run.head().isEmpty()))
          .ifPresent(method -> TrainableSelection.of(method).parameters(model));
      if (run.head().isEmpty() && !run.namesAnswer() && !isEmbedding(run)) {
        Optional<Task> task = run.task().flatMap(Tasks::named);
        Answer.of(model, task.orElse(null), run.source().config().problemType(), NOT_DECLARED);
      }
      return Optional.empty();
    } catch (LoraGraphException e) {
      return e.advice().map(Advice::remedy).flatMap(ModelNeeds::words);
    }
  }

  private static boolean isEmbedding(RunSettings run) {
    return run.task()
        .flatMap(Tasks::named)
        .or(() -> Optional.ofNullable(RunDefaults.of(run.source(), line -> {}).task()))
        .filter(Tasks.EMBEDDING::equals)
        .isPresent();
  }

  private static Optional<String> words(Remedy remedy) {
    return switch (remedy) {
      case INJECT ->
          Optional.of(
              "has no adapters: name the layers that get some with match or target-modules, or"
                  + " another method");
      case ADD_HEAD, ADD_HEAD_OR_NAME_OUTPUT -> Optional.of(NO_HEAD);
      default -> Optional.empty();
    };
  }
}
