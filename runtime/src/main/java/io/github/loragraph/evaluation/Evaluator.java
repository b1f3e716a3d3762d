package io.github.loragraph.evaluation;

import io.github.loragraph.data.Batch;
import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.InputSizes;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.task.Report;
import io.github.loragraph.task.Task;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;

/** Runs a classifier over many examples, in batches of about equal length. */
public final class Evaluator {
  private static final int BATCH_SIZE = 32;

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

  /** The logits of each example, in the order of the examples. */
  public float[][] logits(Classifier classifier, List<Example> examples) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < examples.size(); i++) {
      order.add(i);
    }
    order.sort(Comparator.comparingInt(i -> -examples.get(i).length()));
    InputSizes sizes = InputSizes.of(inputs);
    List<Example> sorted = order.stream().map(examples::get).toList();
    // Where batches are of a fixed size, the last one is filled up; those answers are left out.
    List<Example> filled = examples.isEmpty() ? sorted : sizes.filled(sorted, sorted.get(0));
    BatchSource batches =
        BatchSource.of(filled, inputs)
            .batchSize(sizes.batchSize(BATCH_SIZE))
            .padId(padId)
            .shuffle(false)
            .build();
    float[][] logits = new float[examples.size()][];
    Iterator<Integer> place = order.iterator();
    for (Iterator<Batch> i = batches.epoch(0); i.hasNext(); ) {
      try (Batch batch = i.next()) {
        for (float[] row : classifier.logits(batch.inputs())) {
          if (place.hasNext()) {
            logits[place.next()] = row;
          }
        }
      }
    }
    return logits;
  }

  /**
   * How well the classifier does on labelled examples.
   *
   * @param outputs the size of the logits' last axis
   */
  public Report evaluate(Classifier classifier, List<Example> examples, Task task, int outputs) {
    return task.report(logits(classifier, examples), examples, outputs);
  }
}
