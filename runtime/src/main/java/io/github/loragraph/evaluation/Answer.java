package io.github.loragraph.evaluation;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.task.Task;
import io.github.loragraph.task.Tasks;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.SentenceEmbedding;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a model is taken to answer: its task, and the output that the logits for it are read from.
 *
 * @param embedding how its texts become vectors; null where it answers with logits
 * @param model the given one; where it has several outputs, the chosen one is noted in its metadata
 * @param logits of the task's form
 */
public record Answer(
    OnnxModel model, Task task, Logits logits, @Nullable SentenceEmbedding embedding) {
  private Answer(OnnxModel model, Task task, Logits logits) {
    this(model, task, logits, null);
  }

  /**
   * The answer of an encoder that embeds texts.
   *
   * @param model the encoder
   * @param embedding was made of it
   */
  public static Answer ofEmbedding(OnnxModel model, SentenceEmbedding embedding) {
    Logits logits = Logits.of(embedding.model(), List.of(), Logits.DECLARED);
    return new Answer(model, Tasks.EMBEDDING, logits, embedding);
  }

  /**
   * The answer of a model: for the given task, else for what is stated, else by the shapes of its
   * outputs and what they end in.
   *
   * @param given null where nobody names a task
   * @param problemType {@code problem_type} of {@code config.json}
   * @param inference asked only where the model does not declare enough
   * @throws LoraGraphException if no output or more than one fits, or the statement is none that
   *     transformers know
   */
  public static Answer of(
      OnnxModel model,
      @Nullable Task given,
      Optional<String> problemType,
      ShapeInference inference) {
    return model.namingFile(
        () -> found(model, given == null ? Tasks.stated(problemType) : List.of(given), inference));
  }

  /**
   * The answer of a model to one of some tasks.
   *
   * @param tasks the likeliest first; none for any
   * @param inference asked only where the model does not declare enough
   * @throws LoraGraphException if no output or more than one fits
   */
  public static Answer of(OnnxModel model, List<Task> tasks, ShapeInference inference) {
    return model.namingFile(() -> found(model, tasks, inference));
  }

  private static Answer found(OnnxModel model, List<Task> tasks, ShapeInference inference) {
    Logits logits = Logits.of(model, tasks.stream().map(Task::form).toList(), inference);
    Task task =
        (tasks.isEmpty() ? Tasks.ALL : tasks)
            .stream().filter(t -> t.form() == logits.form()).findFirst().orElseThrow();
    return new Answer(logits.noteIn(model), task, logits);
  }

  /** The model with its logits as the only output, for engines and sessions. */
  public OnnxModel answering() {
    return embedding == null ? logits.applyTo(model) : embedding.model();
  }

  /** The number of classes, or 1 for a number. */
  public int outputs() {
    return embedding == null ? logits.outputs() : embedding.dimension();
  }

  /** What is worth saying of the choice, a line each. */
  public List<String> notes() {
    return embedding == null ? logits.notes() : embedding.notes();
  }
}
