package io.github.loragraph.trainer;

import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.InputSizes;
import io.github.loragraph.data.StoredExamples;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * Measures what the steps of a training take, so that it can be chosen what they keep below a
 * limit: from the frugal end, on pieces that are doubled for as long as the next one is expected to
 * stay below the limit, too.
 */
final class MemoryMeasurement {
  /** Batches in which the longest examples are looked for where they are still to be encoded. */
  private static final int LOOKED_AT = 20;

  /** Tokens of the first piece: of fewer it shows nothing. */
  private static final long FIRST = 32;

  /**
   * What is measured has no more tokens than this, or than two of the longest examples: lines go on
   * from there.
   */
  private static final long MOST_MEASURED = 1024;

  private final TrainingJob job;
  private final long limit;
  private final BatchSource batches;

  /**
   * What goes through the model together in any case, by its tokens: of each size one. Data may be
   * larger than memory.
   */
  private final NavigableMap<Long, List<Example>> units;

  /**
   * @param job with the size of pieces that is settled so far
   * @param inputs of what is trained
   */
  MemoryMeasurement(TrainingJob job, List<ValueInfo> inputs) {
    this.job = job;
    this.limit = job.settings().memory().bytes();
    this.batches = job.batches(inputs, null);
    this.units = units();
  }

  /**
   * @throws LoraGraphException if the model takes batches of one size alone, so that no smaller one
   *     can be measured
   */
  static void requireMeasurable(List<ValueInfo> inputs) {
    int rows = InputSizes.of(inputs).rows();
    if (rows > 0) {
      throw new LoraGraphException(
          "memory cannot be limited for this model: it takes batches of %,d, no more and no fewer, so what less would take is not measured"
              .formatted(rows));
    }
  }

  private static long resident() {
    return ThisProcess.residentBytes().orElseThrow();
  }

  /** The most that the process has had at once, in bytes. */
  static long peak() {
    return ThisProcess.peakBytes().orElseThrow();
  }

  private NavigableMap<Long, List<Example>> units() {
    List<List<Example>> order = batches.order(0);
    int looked =
        StoredExamples.areReady(job.data().training())
            ? order.size()
            : Math.min(LOOKED_AT, order.size());
    NavigableMap<Long, List<Example>> all = new TreeMap<>();
    for (List<Example> batch : order.subList(0, looked)) {
      for (List<Example> unit : batches.unitsOf(batch)) {
        all.putIfAbsent(batches.tokens(unit), unit);
      }
    }
    return all;
  }

  /** The tokens of the longest. */
  private long longest() {
    return units.lastKey();
  }

  /**
   * The sizes that may be chosen, the largest first: what is settled, and, where nobody fixed it,
   * halves of it down to a single example.
   *
   * @param fixed whether the size that is settled is to be kept
   */
  List<MemoryPlan.Size> sizes(boolean fixed) {
    MicroBatch settled = job.settings().microBatch();
    long one = longest();
    int together = Math.min(job.settings().batchSize(), batches.size());
    long whole = job.partsOfBatches() > 0 ? job.partsOfBatches() * one : together * one;
    long most =
        Math.min(
            whole,
            settled.ofTokens()
                ? Math.max(one, settled.most())
                : Math.max(one, (long) Math.min(settled.most(), together) * one));
    List<MemoryPlan.Size> sizes = new ArrayList<>();
    sizes.add(new MemoryPlan.Size(settled, most, 0));
    if (fixed) {
      return sizes;
    }
    boolean gathers = job.settings().accumulation() > 1 || !settled.equals(MicroBatch.WHOLE);
    long more = gathers ? 0 : bytesOfTrained();
    boolean takesTokens = batches.tokensPerExample(units.lastEntry().getValue()) > 0;
    for (long tokens = most / 2; 2 * tokens > one && most > one; tokens /= 2) {
      long size = Math.max(one, tokens);
      MicroBatch smaller =
          takesTokens ? MicroBatch.ofTokens((int) size) : MicroBatch.ofExamples((int) (size / one));
      sizes.add(new MemoryPlan.Size(smaller, size, more));
    }
    return sizes;
  }

  private long bytesOfTrained() {
    long bytes = 0;
    for (Tensor tensor : job.model().graph().initializers().values()) {
      if (job.trainable().contains(tensor.name())) {
        bytes += tensor.elementCount() * tensor.elementType().bytes();
      }
    }
    return bytes;
  }

  /**
   * What was measured of an engine.
   *
   * @param tokens of the largest piece
   * @param ofToken bytes that a further token takes
   */
  record Growth(long tokens, double ofToken) {}

  /**
   * Runs pieces of more and more tokens through an engine, which is not to be trained with after.
   * Each is twice the one before: of others ONNX Runtime uses its free memory in part only.
   *
   * @param most the tokens of a piece that may be needed
   * @param ofToken bytes that a further token takes at least; empty where nothing is known
   * @param after is called after each piece, and may throw
   * @return of a token the limit where not even a second piece would have stayed below that
   */
  Growth growth(BatchRunner runner, long most, OptionalDouble ofToken, Runnable after) {
    long end = Math.max(Math.min(most, MOST_MEASURED), 2 * longest());
    List<Example> piece = piece(Math.min(FIRST, longest()));
    run(runner, piece, after);
    long tokens = batches.tokens(piece);
    long fewest = tokens;
    long first = resident();
    long bytes = first;
    // What is refused in any case is told what it takes, which few tokens do not show.
    boolean refused = bytes > limit && ofToken.isEmpty();
    Growth growth = new Growth(tokens, limit);
    double expected = ofToken.orElse(0);
    while (2 * tokens <= end) {
      List<Example> next = piece(2 * tokens);
      long more = batches.tokens(next) - tokens;
      if (!refused && bytes + expected * more > limit) {
        break;
      }
      run(runner, next, after);
      long then = resident();
      expected = Math.max(0, (double) (then - bytes) / more);
      tokens += more;
      bytes = then;
      // The heap and what is compiled grow, too: the last two may differ by less than they will.
      double overall = (double) (then - first) / (tokens - fewest);
      growth = new Growth(tokens, Math.max(expected, overall));
    }
    return growth;
  }

  /** One example of about so many tokens, or, where none has as many, some of the longest. */
  private List<Example> piece(long tokens) {
    if (longest() > tokens) {
      return units.ceilingEntry(tokens).getValue();
    }
    int count = (int) ((tokens - 1) / longest() + 1);
    return Collections.nCopies(count, units.lastEntry().getValue()).stream()
        .flatMap(List::stream)
        .toList();
  }

  private static void run(BatchRunner runner, List<Example> piece, Runnable after) {
    StepCursor.Part whole = new StepCursor.Part(piece, piece, 0, 1);
    runner.run(List.of(new BatchRunner.Part(whole, 0, true)), after);
  }
}
