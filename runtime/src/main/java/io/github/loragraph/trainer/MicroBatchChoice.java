package io.github.loragraph.trainer;

import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.InputSizes;
import io.github.loragraph.data.StoredExamples;
import io.github.loragraph.onnx.ValueInfo;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Settles how much of a batch a training computes at once. */
final class MicroBatchChoice {
  /**
   * What is taken where nobody says anything: so many tokens keep the cores busy, and what their
   * layers leave for the way back stays in the caches. Found by measuring (docs/training.md).
   */
  static final MicroBatch RULE = MicroBatch.ofTokens(1024);

  private final TrainingJob job;
  private final BatchSource batches;
  private final InputSizes sizes;

  /**
   * @param inputs of what is trained
   */
  MicroBatchChoice(TrainingJob job, List<ValueInfo> inputs) {
    this.job = job;
    this.batches = job.batches(inputs, null);
    this.sizes = InputSizes.of(inputs);
  }

  /**
   * What the training has: {@link MicroBatch#WHOLE} where no batch is cut.
   *
   * @param before what the run had before it was stopped, which it keeps; empty where it begins
   * @param log takes a line where what is asked for is not possible, and where nothing was asked
   *     for
   */
  MicroBatch settled(Optional<MicroBatch> before, Consumer<String> log) {
    if (before.isPresent()) {
      return before.get();
    }
    MicroBatch asked = job.settings().microBatch();
    MicroBatch wanted = asked.isAuto() ? rule() : asked;
    if (!cuts(wanted)) {
      return MicroBatch.WHOLE;
    }
    @Nullable String obstacle = obstacle();
    if (obstacle != null) {
      if (!asked.isAuto()) {
        log.accept("micro-batches (%s) are not possible: %s".formatted(asked, obstacle));
      }
      return MicroBatch.WHOLE;
    }
    if (asked.isAuto()) {
      log.accept(
          "micro-batches of at most %,d tokens: a larger batch goes through the model in pieces, with the numbers of the whole but for rounding"
              .formatted(wanted.most()));
    }
    return wanted;
  }

  /**
   * A device that computes thousands of rows at once, and inputs that are no texts, are left be.
   */
  private MicroBatch rule() {
    return job.sessions().device().isGpu() ? MicroBatch.WHOLE : RULE;
  }

  /** Whether some batch may be cut; of rows that are still to be encoded nobody knows. */
  private boolean cuts(MicroBatch wanted) {
    int most = Math.min(job.settings().batchSize(), batches.size());
    if (!wanted.ofTokens()) {
      return wanted.most() < most;
    }
    return !StoredExamples.areReady(job.data().training())
        || most * batches.mostTokens() > wanted.most();
  }

  /** Why batches have to be whole; null where they have not. */
  private @Nullable String obstacle() {
    int batchSize = job.settings().batchSize();
    TrainedGraph graph = job.graph();
    if (graph != null && graph.divides(batchSize)) {
      return "batches go through the model in parts of %,d by cached gradients"
          .formatted(graph.partSize());
    }
    if (job.loss().comparesExamples()) {
      return "the loss compares all examples of a batch with each other, so each batch is computed in one piece";
    }
    if (sizes.rows() > 0) {
      return "the model takes batches of %,d, no more and no fewer".formatted(sizes.rows());
    }
    return null;
  }
}
