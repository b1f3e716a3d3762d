package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.CheckpointFile;
import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.StoredExamples;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.training.Loss;
import java.lang.ref.Reference;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Makes a few steps of a training, and of all else one piece, to tell what the whole will take. */
final class EstimatedRun {
  /** Steps that are measured, spread over an epoch. */
  private static final int MEASURED = 5;

  /**
   * Steps in which the longest is looked for, where examples are encoded only as they are asked
   * for.
   */
  private static final int LOOKED_AT = 20;

  /** Held-out examples that are answered: the longest ones, and as many of all. */
  private static final int ANSWERED = 64;

  private final Engine engine;
  private final BatchRunner runner;
  private final BatchSource batches;
  private final Loss loss;
  private final TrainerSettings settings;
  private final TrainingData data;
  private final Consumer<List<Example>> evaluation;
  private final boolean measuresWhole;

  /**
   * @param evaluation measures on some of the held-out examples
   * @param measuresWhole whether it measures as a whole, whatever it is given
   */
  EstimatedRun(
      Engine engine,
      BatchRunner runner,
      BatchSource batches,
      Loss loss,
      TrainerSettings settings,
      TrainingData data,
      Consumer<List<Example>> evaluation,
      boolean measuresWhole) {
    this.engine = engine;
    this.runner = runner;
    this.batches = batches;
    this.loss = loss;
    this.settings = settings;
    this.data = data;
    this.evaluation = evaluation;
    this.measuresWhole = measuresWhole;
  }

  /** A step, and how many tokens it has: of all its pieces, and of the largest. */
  private record Size(StepCursor.Step step, long tokens, long largest) {}

  RunEstimate measured() {
    double before = secondsOfProcess();
    long perEpoch = settings.stepsPerEpoch(batches.batchesPerEpoch());
    boolean ready = StoredExamples.areReady(data.training());
    StepCursor cursor = new StepCursor(batches, loss, settings, 0);
    List<Size> sizes = new ArrayList<>();
    for (long i = 0; i < (ready ? perEpoch : Math.min(perEpoch, LOOKED_AT)); i++) {
      sizes.add(size(cursor.next()));
    }
    double mean = sizes.stream().mapToLong(Size::tokens).average().orElse(1);
    Size longest = sizes.stream().max(Comparator.comparingLong(Size::largest)).orElseThrow();
    double first = seconds(longest.step());
    double seconds = 0;
    double tokens = 0;
    int measured = Math.min(MEASURED, sizes.size());
    for (int i = 0; i < measured; i++) {
      Size one = sizes.get((int) ((long) i * sizes.size() / measured));
      seconds += seconds(one.step());
      tokens += one.tokens();
    }
    double perStep = seconds / tokens * mean;
    long steps = settings.stepsToMake(batches.batchesPerEpoch());
    long evaluations = 0;
    double perEvaluation = 0;
    if (measuresWhole || !data.heldOut().isEmpty()) {
      long every = settings.evalEvery(batches.batchesPerEpoch());
      evaluations = 1 + (every > 0 ? (steps - 1) / every : 0);
      perEvaluation = secondsPerEvaluation();
    }
    long begin = System.nanoTime();
    boolean keeps = isCheckpointed(steps);
    @Nullable Checkpoint state = writesState(steps) ? engine.checkpoint() : null;
    Map<String, Tensor> parameters = engine.parameters();
    double kept = since(begin) * (keeps ? (double) steps / settings.checkpointEvery() : 1);
    try {
      return new RunEstimate(
          peak(state, parameters),
          before
              + Math.max(0, first - longest.tokens() * seconds / tokens)
              + steps * perStep
              + evaluations * perEvaluation
              + kept,
          steps,
          perStep,
          evaluations,
          perEvaluation,
          settings.microBatch(),
          settings.memory());
    } finally {
      // Held until here, as a training holds them while they are written.
      Reference.reachabilityFence(state);
      Reference.reachabilityFence(parameters);
    }
  }

  private Size size(StepCursor.Step step) {
    long tokens = 0;
    long largest = 0;
    for (StepCursor.Part part : step.parts()) {
      long size = batches.tokens(part.examples());
      tokens += size;
      largest = Math.max(largest, size);
    }
    return new Size(step, tokens, largest);
  }

  /** Runs a step as a training does, at a rate of 0. */
  private double seconds(StepCursor.Step step) {
    List<BatchRunner.Part> parts = new ArrayList<>();
    for (int i = 0; i < step.parts().size(); i++) {
      parts.add(new BatchRunner.Part(step.parts().get(i), 0, i == step.parts().size() - 1));
    }
    long begin = System.nanoTime();
    for (int i = 0; i < parts.size(); i += runner.batchesPerCall()) {
      int end = Math.min(parts.size(), i + runner.batchesPerCall());
      runner.run(parts.subList(i, end), () -> {});
    }
    return since(begin);
  }

  /**
   * Does what a run does beside its steps, and holds it.
   *
   * @return the memory that the process then has, or would have where it is written, in bytes
   */
  long besideSteps() {
    if (measuresWhole) {
      evaluation.accept(List.of());
    } else if (!data.heldOut().isEmpty()) {
      answerLongest(StoredExamples.longestFirst(data.heldOut()));
    }
    JavaHeap.collect();
    @Nullable Checkpoint state =
        writesState(settings.stepsToMake(batches.batchesPerEpoch())) ? engine.checkpoint() : null;
    Map<String, Tensor> parameters = engine.parameters();
    try {
      return whileWriting(state, parameters).orElseThrow();
    } finally {
      Reference.reachabilityFence(state);
      Reference.reachabilityFence(parameters);
    }
  }

  private boolean isCheckpointed(long steps) {
    return settings.checkpointEvery() > 0 && settings.checkpointEvery() < steps;
  }

  /**
   * Whether the optimizer's state is written at some time; where somebody stops a run it always is.
   */
  private boolean writesState(long steps) {
    return isCheckpointed(steps) || settings.keepsState() || settings.stopAfter() > 0;
  }

  private OptionalLong peak(@Nullable Checkpoint state, Map<String, Tensor> parameters) {
    OptionalLong writing = whileWriting(state, parameters);
    OptionalLong before = ThisProcess.peakBytes();
    return writing.isPresent() && before.isPresent()
        ? OptionalLong.of(Math.max(writing.getAsLong(), before.getAsLong()))
        : before;
  }

  /**
   * The memory of the process when what is held is written, and the parameters of the best
   * evaluation are read again; in bytes.
   */
  private OptionalLong whileWriting(@Nullable Checkpoint state, Map<String, Tensor> parameters) {
    Checkpoint best = CheckpointMarks.finished(0, List.copyOf(parameters.values()));
    long content = CheckpointFile.size(state == null ? best : state);
    boolean choosesBest = settings.keepsBest() && settings.evalEvery(batches.batchesPerEpoch()) > 0;
    long more = content + (choosesBest ? CheckpointFile.size(best) : 0);
    OptionalLong now = ThisProcess.residentBytes();
    return now.isPresent() ? OptionalLong.of(now.getAsLong() + more) : now;
  }

  private int answerLongest(int[] order) {
    int count = Math.min(ANSWERED, order.length);
    evaluation.accept(StoredExamples.selected(data.heldOut(), Arrays.copyOf(order, count)));
    return count;
  }

  private double secondsPerEvaluation() {
    if (measuresWhole) {
      long begin = System.nanoTime();
      evaluation.accept(List.of());
      return since(begin);
    }
    List<Example> all = data.heldOut();
    int[] order = StoredExamples.longestFirst(all);
    int count = answerLongest(order);
    int[] spread = new int[count];
    for (int i = 0; i < count; i++) {
      spread[i] = order[(int) ((long) i * order.length / count)];
    }
    long begin = System.nanoTime();
    evaluation.accept(StoredExamples.selected(all, spread));
    return since(begin) * order.length / count;
  }

  private static double since(long begin) {
    return (System.nanoTime() - begin) / 1e9;
  }

  private static double secondsOfProcess() {
    return ProcessHandle.current()
        .info()
        .startInstant()
        .map(start -> Duration.between(start, Instant.now()).toMillis() / 1e3)
        .orElse(0.0);
  }
}
