package io.github.loragraph.trainer;

import io.github.loragraph.data.Batch;
import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.InputSizes;
import io.github.loragraph.data.StoredExamples;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.Engines;
import io.github.loragraph.engine.FastestCall;
import io.github.loragraph.engine.StepInput;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.training.LoraDropout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Settles how much of a batch a training computes at once. */
final class MicroBatchChoice {
  /**
   * The rule where little of a model is trained: so many tokens keep the cores busy, and what their
   * layers leave for the way back stays in the caches. Found by measuring (docs/training.md).
   */
  private static final MicroBatch OF_ADAPTERS = MicroBatch.ofTokens(512);

  /**
   * The rule where much is: after each piece its gradients are added up, of all that is trained,
   * which has to be small beside the piece.
   */
  private static final MicroBatch OF_MUCH = MicroBatch.ofTokens(1024);

  /** From this share of the parameters on much is trained. */
  private static final double MUCH = 0.1;

  /** Times of one size differ by less from moment to moment, as a rule. */
  private static final double CLEARLY = 0.9;

  private static final int MEASURED = 2;

  /** Batches among which one is looked for that is cut. */
  private static final int LOOKED_AT = 20;

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
    MicroBatch wanted = asked.isOpen() ? rule() : asked;
    if (!cuts(wanted)) {
      if (!asked.isOpen() && asked.ofTokens() && !takesTokens()) {
        log.accept(
            "micro-batches (%s) are not possible: what is trained takes no tokens, so each batch is computed in one piece"
                .formatted(asked));
      }
      return MicroBatch.WHOLE;
    }
    @Nullable String obstacle = obstacle();
    if (obstacle != null) {
      if (!asked.equals(MicroBatch.RULE)) {
        log.accept("micro-batches (%s) are not possible: %s".formatted(asked, obstacle));
      }
      return MicroBatch.WHOLE;
    }
    if (asked.equals(MicroBatch.RULE)) {
      log.accept(
          "micro-batches of at most %,d tokens: a larger batch goes through the model in pieces, with the numbers of the whole but for rounding%s"
              .formatted(
                  wanted.most(),
                  job.optimization().dropout().equals(LoraDropout.NONE)
                      ? ""
                      : ", and dropout is drawn for each piece"));
    }
    return wanted;
  }

  /** Whether a smaller size may be taken than what is settled: nobody asked for one. */
  boolean isFree() {
    return job.settings().microBatch().equals(MicroBatch.RULE) && obstacle() == null;
  }

  /** A GPU computes thousands of rows at once. */
  private MicroBatch rule() {
    if (job.sessions().device().isGpu()) {
      return MicroBatch.WHOLE;
    }
    return trainedShare() < MUCH ? OF_ADAPTERS : OF_MUCH;
  }

  private double trainedShare() {
    OnnxModel model = job.model();
    long trained = 0;
    long all = 0;
    for (Tensor tensor : model.graph().initializers().values()) {
      all += tensor.elementCount();
      trained += job.trainable().contains(tensor.name()) ? tensor.elementCount() : 0;
    }
    return all == 0 ? 0 : (double) trained / all;
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

  private boolean takesTokens() {
    return !StoredExamples.areReady(job.data().training()) || batches.mostTokens() > 0;
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

  /**
   * What takes the least time for a token on this machine at this moment, of the rule and what is
   * half, a quarter or twice as much of it: the rule's own unless another one is clearly faster. So
   * no more memory is asked for than that of twice the rule.
   *
   * @param engine is left as it was
   * @param source makes batches with labels
   * @param rule what was settled
   * @param log takes a line on what was measured, or on why nothing was
   */
  MicroBatch measured(Engine engine, BatchSource source, MicroBatch rule, Consumer<String> log) {
    if (!Engines.isWorthMeasuring(job.ownSteps())) {
      log.accept(
          "micro-batches of %s: a run of %,d steps is too short to measure others"
              .formatted(rule, job.ownSteps()));
      return rule;
    }
    @Nullable List<Example> batch = cut(source, rule);
    if (batch == null) {
      log.accept(
          "micro-batches of %s: the first batches have no more, so that others are not measured"
              .formatted(rule));
      return rule;
    }
    List<String> times = new ArrayList<>();
    MicroBatch best = rule;
    double least = secondsForToken(engine, source, batch, rule, times);
    for (double factor = 0.5; factor > 0.2; factor /= 2) {
      double seconds = secondsForToken(engine, source, batch, rule.times(factor), times);
      if (seconds >= CLEARLY * least) {
        break;
      }
      least = seconds;
      best = rule.times(factor);
    }
    if (best.equals(rule)) {
      double seconds = secondsForToken(engine, source, batch, rule.times(2), times);
      best = seconds < CLEARLY * least ? rule.times(2) : rule;
    }
    log.accept(
        "micro-batches of %s: a token takes %s; another than the first is taken if it is more than a tenth faster"
            .formatted(best, String.join(", ", times)));
    return best;
  }

  /** One of the first batches that is larger than a piece may be; null where there is none. */
  private @Nullable List<Example> cut(BatchSource source, MicroBatch rule) {
    List<List<Example>> order = source.order(0);
    int looked = StoredExamples.areReady(job.data().training()) ? LOOKED_AT : 1;
    for (List<Example> batch : order.subList(0, Math.min(looked, order.size()))) {
      if (batch.size() * source.tokensPerExample(batch) > rule.most()) {
        return batch;
      }
    }
    return null;
  }

  /** The fastest of a few passes, as other processes can only slow one down. */
  private static double secondsForToken(
      Engine engine, BatchSource source, List<Example> whole, MicroBatch size, List<String> times) {
    List<List<Example>> pieces = size.pieces(whole, source);
    List<Example> piece = pieces.get(pieces.size() - 1);
    double best;
    try (Batch batch = source.batch(piece, whole)) {
      best =
          FastestCall.seconds(
              MEASURED,
              () -> engine.steps(List.of(new StepInput(batch.withLabels(), 0, 1, false))));
    } finally {
      engine.forget();
    }
    double ofToken = best / (piece.size() * source.tokensPerExample(piece, whole));
    times.add(String.format(Locale.ROOT, "%.0f µs in %s", 1e6 * ofToken, size));
    return ofToken;
  }
}
