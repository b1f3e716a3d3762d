package io.github.loragraph.evaluation;

import io.github.loragraph.data.Batch;
import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.InputSizes;
import io.github.loragraph.data.StoredExamples;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.task.Report;
import io.github.loragraph.task.Task;
import java.util.Arrays;
import java.util.List;
import java.util.PrimitiveIterator;

/** Runs a classifier over many examples, in batches of about equal length. */
public final class Evaluator {
  private static final int BATCH_SIZE = 32;

  /** Numbers in the logits of one batch, 256 MB: those of a language model are many. */
  private static final long MOST_LOGITS = 1L << 26;

  private final List<ValueInfo> inputs;
  private final long padId;

  /**
   * @param inputs the model's inputs
   * @param padId fills up {@code input_ids}
   */
  public Evaluator(List<ValueInfo> inputs, long padId) {
    this.inputs = List.copyOf(inputs);
    this.padId = padId;
  }

  /** Takes the answers of a model. */
  @FunctionalInterface
  public interface Taker {
    /**
     * Takes one answer.
     *
     * @param number of the example, from 0
     * @param logits of the example, of all its tokens where they are answered
     */
    void take(int number, float[] logits);
  }

  /** The logits of each example, in the order of the examples. */
  public float[][] logits(Classifier classifier, List<Example> examples) {
    float[][] logits = new float[examples.size()][];
    each(classifier, examples, 0, (number, row) -> logits[number] = row);
    return logits;
  }

  /**
   * Hands over the logits of one example after the other, those of long ones first: no more are
   * held than those of a batch.
   *
   * @param perToken how many logits each token has; 0 where only the example has some
   */
  public void each(Classifier classifier, List<Example> examples, int perToken, Taker taker) {
    int[] order = StoredExamples.longestFirst(examples);
    InputSizes sizes = InputSizes.of(inputs);
    List<Example> sorted = StoredExamples.selected(examples, order);
    // Where batches are of a fixed size, the last one is filled up; those answers are left out.
    List<Example> filled = examples.isEmpty() ? sorted : sizes.filled(sorted, () -> sorted.get(0));
    BatchSource batches = BatchSource.of(filled, inputs).padId(padId).shuffle(false).build();
    PrimitiveIterator.OfInt place = Arrays.stream(order).iterator();
    int begin = 0;
    while (begin < filled.size()) {
      int most = mostExamples(filled, begin, sizes, perToken, classifier.tokensAtOnce());
      int end = Math.min(filled.size(), begin + sizes.batchSize(most));
      List<Example> group = List.copyOf(filled.subList(begin, end));
      begin = end;
      try (Batch batch = batches.batch(group)) {
        for (float[] row : classifier.logits(batch.inputs())) {
          if (place.hasNext()) {
            taker.take(place.nextInt(), row);
          }
        }
      }
    }
  }

  /** So many from one on, the longest of them, as are worth it, and that their logits have room. */
  private static int mostExamples(
      List<Example> examples, int first, InputSizes sizes, int perToken, int tokensAtOnce) {
    long tokens =
        sizes.tokens() > 0 ? sizes.tokens() : Math.max(1, StoredExamples.length(examples, first));
    long most = Math.min(BATCH_SIZE, tokensAtOnce / tokens);
    return (int)
        Math.max(1, perToken == 0 ? most : Math.min(most, MOST_LOGITS / (tokens * perToken)));
  }

  /**
   * How well the classifier does on labelled examples.
   *
   * @param outputs the size of the logits' last axis
   */
  public Report evaluate(Classifier classifier, List<Example> examples, Task task, int outputs) {
    return evaluate(classifier, examples, task, outputs, List.of());
  }

  /**
   * The same where the names of the logits are known.
   *
   * @param names of the logits; none where nobody knows them
   */
  public Report evaluate(
      Classifier classifier, List<Example> examples, Task task, int outputs, List<String> names) {
    return evaluate(classifier, examples, task, outputs, names, (number, logits) -> {});
  }

  /**
   * The same for one who hears each answer, too.
   *
   * @param names of the logits; none where nobody knows them
   * @param also hears each answer, before it is counted
   */
  public Report evaluate(
      Classifier classifier,
      List<Example> examples,
      Task task,
      int outputs,
      List<String> names,
      Taker also) {
    Task.Measure measure = task.measure(StoredExamples.targetsOf(examples), outputs, names);
    each(
        classifier,
        examples,
        task.answersTokens() ? outputs : 0,
        (number, logits) -> {
          also.take(number, logits);
          measure.add(number, logits);
        });
    return measure.report();
  }
}
