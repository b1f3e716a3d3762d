package io.github.loragraph.trainer;

import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Example;
import io.github.loragraph.training.Loss;
import java.util.Arrays;
import java.util.List;

/** Walks over the steps of all epochs: none has batches of two of them. */
final class StepCursor {
  /**
   * The batches of one step.
   *
   * @param shares how much of the step's loss each batch is: by the labels that count in it, so
   *     that the step is that of one batch of all their examples. All 0 where none counts
   * @param epochsAfter passes over the data when the step is done
   */
  record Step(List<List<Example>> batches, double[] shares, int examples, double epochsAfter) {}

  private final BatchSource batches;
  private final Loss loss;
  private final int accumulation;
  private long epoch;
  private int next;
  private List<List<Example>> order;

  /**
   * @param loss says how much each label counts
   * @param passed the steps before the first that is asked for
   */
  StepCursor(BatchSource batches, Loss loss, TrainerSettings settings, long passed) {
    this.batches = batches;
    this.loss = loss;
    this.accumulation = settings.accumulation();
    long perEpoch = settings.stepsPerEpoch(batches.batchesPerEpoch());
    this.epoch = passed / perEpoch;
    this.next = (int) (passed % perEpoch) * accumulation;
    this.order = batches.order(epoch, next);
  }

  Step next() {
    if (next >= order.size()) {
      order = batches.order(++epoch);
      next = 0;
    }
    int end = Math.min(order.size(), next + accumulation);
    // Copied: each batch is made only once.
    List<List<Example>> group = List.copyOf(order.subList(next, end));
    next = end;
    double[] shares = group.stream().mapToDouble(this::weight).toArray();
    double sum = Arrays.stream(shares).sum();
    for (int i = 0; sum > 0 && i < shares.length; i++) {
      shares[i] /= sum;
    }
    int examples = group.stream().mapToInt(List::size).sum();
    return new Step(group, shares, examples, epoch + (double) end / order.size());
  }

  private double weight(List<Example> batch) {
    return loss.weight(batch.stream().map(e -> e.requireTarget().toDoubles()).toList());
  }
}
