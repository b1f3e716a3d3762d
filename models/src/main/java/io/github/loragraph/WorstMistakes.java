package io.github.loragraph;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.Row;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.task.Report;
import io.github.loragraph.task.Task;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.Function;

/**
 * Keeps the worst of what was answered wrongly in the last evaluation of a training. It hears the
 * answers as they come, and holds a few: no evaluation is made for it.
 */
final class WorstMistakes implements io.github.loragraph.trainer.TrainingListener {
  private static final int MOST = 50;

  private final ModelData data;
  private final List<Example> examples;
  private final Function<List<io.github.loragraph.task.Mistake>, List<Mistake>> words;
  private final Comparator<io.github.loragraph.task.Mistake> byLoss =
      Comparator.comparingDouble(io.github.loragraph.task.Mistake::loss);

  /** Those of the evaluation that is at work, the least bad first. */
  private PriorityQueue<io.github.loragraph.task.Mistake> worst = new PriorityQueue<>(byLoss);

  private long count;
  private Found last = new Found(0, List.of());

  /** Those of the evaluation that is the best so far, and its step. */
  private Found best = last;

  private long bestStep;

  /** Whether the last ones are of another judge, and stay. */
  private boolean isJudged;

  /** What was said last, and of which: a record of the run asks again and again. */
  private Found saidOf = last;

  private List<Mistake> said = List.of();

  /**
   * What was answered wrongly in one evaluation.
   *
   * @param count of all
   * @param worst the largest loss first
   */
  private record Found(long count, List<io.github.loragraph.task.Mistake> worst) {}

  /**
   * @param examples that are measured with
   * @param words says mistakes in the words of the data
   */
  WorstMistakes(
      ModelData data,
      List<Example> examples,
      Function<List<io.github.loragraph.task.Mistake>, List<Mistake>> words) {
    this.data = data;
    this.examples = examples;
    this.words = words;
  }

  /**
   * Those of rows that are held in memory.
   *
   * @param encoded the rows as the model takes them
   */
  static WorstMistakes of(ModelData data, List<Row> rows, ModelData.Encoded encoded) {
    MistakeList list = new MistakeList(data);
    return new WorstMistakes(data, encoded.examples(), found -> list.of(rows, encoded, found));
  }

  /** What was answered before the training began is not of it. */
  @Override
  public void started(long totalSteps) {
    forget();
  }

  private void forget() {
    worst = new PriorityQueue<>(byLoss);
    count = 0;
  }

  @Override
  public void answered(int number, float[] logits) {
    if (!data.task().listsMistakes()) {
      return;
    }
    take(data.task(), number, logits);
  }

  private void take(Task judge, int number, float[] logits) {
    Example example = examples.get(number);
    for (var mistake :
        judge.mistakes(new float[][] {logits}, List.of(example), data.labels().names())) {
      count++;
      if (worst.size() < MOST || byLoss.compare(mistake, worst.element()) > 0) {
        worst.add(
            new io.github.loragraph.task.Mistake(
                number, mistake.token(), mistake.label(), mistake.answer(), mistake.loss()));
      }
      if (worst.size() > MOST) {
        worst.poll();
      }
    }
  }

  @Override
  public void evaluated(long step, Report report) {
    last = taken();
  }

  private Found taken() {
    List<io.github.loragraph.task.Mistake> sorted = new ArrayList<>(worst);
    // Of two that are as bad the first in the data, in whatever order they were answered.
    sorted.sort(
        byLoss
            .reversed()
            .thenComparingInt(io.github.loragraph.task.Mistake::example)
            .thenComparingInt(io.github.loragraph.task.Mistake::token));
    Found found = new Found(count, sorted);
    forget();
    return found;
  }

  @Override
  public void best(long step, String metric, double value) {
    best = last;
    bestStep = step;
  }

  /**
   * The training ends with the parameters of an evaluation, so with its mistakes; one of an earlier
   * part of the run was made again, and what was answered since the last one is of it.
   */
  void ends(long step) {
    if (isJudged) {
      return;
    }
    last = bestStep == step ? best : taken();
  }

  /**
   * The answers of the model that the training ends with, as another judge takes them: they take
   * the place of what was heard of evaluations.
   *
   * @param logits a row for each example
   */
  void judged(Task judge, float[][] logits) {
    forget();
    for (int i = 0; i < logits.length; i++) {
      take(judge, i, logits[i]);
    }
    last = taken();
    isJudged = true;
  }

  /** All that were made in the last evaluation. */
  long count() {
    return last.count;
  }

  /** The worst of them, the largest loss first. */
  List<Mistake> list() {
    if (saidOf != last) {
      said = words.apply(last.worst);
      saidOf = last;
    }
    return said;
  }
}
