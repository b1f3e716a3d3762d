package io.github.loragraph.experiment;

import io.github.loragraph.error.Advice;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.task.Task;
import io.github.loragraph.task.Tasks;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Whether models have what runs want trained or measured, before the first of them begins: adapters
 * and a head. What their files do not say, the runs find out. Used by one thread.
 */
public final class ModelNeeds {
  private static final ShapeInference NOT_DECLARED =
      model -> {
        throw new LoraGraphException("the model does not declare what it answers");
      };

  /** What was found, by all that it depends on: many runs differ by other things alone. */
  private final Map<List<Object>, Optional<String>> known = new HashMap<>();

  /**
   * Refuses a run whose model lacks something.
   *
   * @param file what the message begins with
   * @throws LoraGraphException if it does, or the model cannot be read
   */
  public void require(String file, RunSettings run) {
    if (run.ofSource().containsKey("adapter")) {
      return;
    }
    List<Object> asked =
        List.of(
            run.source().modelFile(),
            run.method(),
            run.task(),
            run.head().isPresent(),
            !run.adapters().isEmpty(),
            run.namesAnswer());
    known
        .computeIfAbsent(asked, key -> lacking(run))
        .ifPresent(
            what -> {
              throw new LoraGraphException(
                  "%s: %s: %s %s".formatted(file, run.name(), run.model(), what));
            });
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
      case ADD_HEAD, ADD_HEAD_OR_NAME_OUTPUT ->
          Optional.of("has no head: put one on with head: {}, or name its answer with output-name");
      default -> Optional.empty();
    };
  }
}
