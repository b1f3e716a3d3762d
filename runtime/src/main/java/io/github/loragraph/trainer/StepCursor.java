package io.github.loragraph.trainer;

import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Example;
import io.github.loragraph.training.Loss;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Walks over the steps of all epochs: none has batches of two of them. */
final class StepCursor {
  /**
   * What goes through the model at once.
   *
   * @param batch that it is of, or is
   * @param piece which one of the batch, from 0
   * @param share how much of the step's loss it is: by the labels that count in it, so that the
   *     step is that of one batch of all its examples. 0 for all of a step where none counts
   */
  record Part(List<Example> examples, List<Example> batch, int piece, double share) {}

  /**
   * One step.
   *
   * @param parts of all its batches, in turn
   * @param epochsAfter passes over the data when the step is done
   */
  record Step(List<Part> parts, int examples, double epochsAfter) {
    /** Whether no label of it counts. */
    boolean countsNothing() {
      return parts.stream().allMatch(part -> part.share() == 0);
    }
  }

  private final BatchSource batches;
  private final Loss loss;
  private final int accumulation;
  private final MicroBatch microBatch;
  private long epoch;
  private int next;
  private List<List<Example>> order;

  /** What {@link #peek} told of; null where it is still to be made. */
  private @Nullable Step ahead;

  /**
   * @param loss says how much each label counts
   * @param passed the steps before the first that is asked for
   */
  StepCursor(BatchSource batches, Loss loss, TrainerSettings settings, long passed) {
    this.batches = batches;
    this.loss = loss;
    this.accumulation = settings.accumulation();
    this.microBatch = settings.microBatch();
    long perEpoch = settings.stepsPerEpoch(batches.batchesPerEpoch());
    this.epoch = passed / perEpoch;
    this.next = (int) (passed % perEpoch) * accumulation;
    this.order = batches.order(epoch, next);
  }

  /** The step that {@link #next} gives. */
  Step peek() {
    if (ahead == null) {
      ahead = made();
    }
    return ahead;
  }

  Step next() {
    Step step = peek();
    ahead = null;
    return step;
  }

  private Step made() {
    if (next >= order.size()) {
      order = batches.order(++epoch);
      next = 0;
    }
    int end = Math.min(order.size(), next + accumulation);
    // Copied: each batch is made only once.
    List<List<Example>> group = List.copyOf(order.subList(next, end));
    next = end;
    List<Part> parts = new ArrayList<>();
    for (List<Example> batch : group) {
      List<List<Example>> pieces = microBatch.pieces(batch, batches);
      for (int i = 0; i < pieces.size(); i++) {
        parts.add(new Part(pieces.get(i), batch, i, weight(pieces.get(i))));
      }
    }
    double sum = parts.stream().mapToDouble(Part::share).sum();
    if (sum > 0) {
      parts.replaceAll(p -> new Part(p.examples(), p.batch(), p.piece(), p.share() / sum));
    }
    int examples = group.stream().mapToInt(List::size).sum();
    return new Step(List.copyOf(parts), examples, epoch + (double) end / order.size());
  }

  private double weight(List<Example> batch) {
    return loss.weight(batch.stream().map(e -> e.requireTarget().toDoubles()).toList());
  }
}
