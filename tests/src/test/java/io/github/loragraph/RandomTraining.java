package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Columns;
import io.github.loragraph.data.DataFile;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.ExampleEncoder;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.engine.Engines;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.trainer.LearningRateSchedule;
import io.github.loragraph.trainer.Trainer;
import io.github.loragraph.trainer.TrainerSettings;
import io.github.loragraph.trainer.TrainingListener;
import io.github.loragraph.trainer.TrainingStopped;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Optimization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A training whose settings are drawn at random, through all of its parts: data file, batches,
 * loop, engine, and a stop with a new start from its checkpoint. Its reference is a plain loop over
 * rows that are padded here: one batch at a time, each in memory of its own, each in a call of its
 * own.
 *
 * @param stopAfter the step after which the run is stopped and gone on with
 */
record RandomTraining(
    List<int[]> rows,
    int[] labels,
    int batchSize,
    int accumulation,
    int batchesPerCall,
    long steps,
    long stopAfter,
    boolean shuffle,
    long seed) {
  private static final OnnxModel MODEL = TinyClassifier.model();
  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 1);
  private static final double RATE = 1e-2;

  /** What came out: the loss of each step, and the parameters at the end. */
  record Outcome(List<Double> losses, Map<String, Tensor> parameters) {
    void assertSame(Outcome other, String message) {
      assertEquals(losses, other.losses, message);
      parameters.forEach(
          (name, tensor) ->
              assertArrayEquals(
                  tensor.toFloats(), other.parameters.get(name).toFloats(), message + name));
    }
  }

  static RandomTraining draw(Random random, int mostPerCall) {
    int count = 1 + random.nextInt(20);
    boolean equal = random.nextBoolean();
    int length = 1 + random.nextInt(7);
    List<int[]> rows = new ArrayList<>();
    int[] labels = new int[count];
    for (int i = 0; i < count; i++) {
      int own = equal ? length : 1 + random.nextInt(9);
      rows.add(random.ints(own, 1, TinyClassifier.VOCABULARY).toArray());
      labels[i] = random.nextInt(TinyClassifier.CLASSES);
    }
    int batchSize = 1 + random.nextInt(5);
    long steps = 1 + random.nextInt(12);
    return new RandomTraining(
        rows,
        labels,
        batchSize,
        1 + random.nextInt(4),
        1 + random.nextInt(mostPerCall),
        steps,
        random.nextInt((int) steps),
        random.nextBoolean(),
        random.nextLong());
  }

  /** Whether it says the same as the plain loop, to the last bit. */
  void check(EngineKind kind, Path folder) {
    reference(kind).assertSame(trained(kind, folder), this + ": ");
  }

  private Engines engines(int perCall) {
    return new Engines(
        MODEL,
        TinyClassifier.PARAMETERS,
        CrossEntropyLoss.plain(),
        new Optimization(AdamW.defaults(), 1, LoraDropout.NONE),
        accumulation,
        perCall,
        seed,
        SESSIONS);
  }

  private TrainerSettings settings() {
    return new TrainerSettings(
        steps,
        1,
        RATE,
        LearningRateSchedule.Decay.LINEAR,
        0,
        0,
        0,
        0,
        batchSize,
        accumulation,
        shuffle,
        seed);
  }

  private Outcome trained(EngineKind kind, Path folder) {
    List<Example> examples = examples(folder);
    List<Double> losses = new ArrayList<>();
    Checkpoint start = stopAfter == 0 ? null : part(kind, examples, null, losses);
    try (Engines.Opened opened = engines(batchesPerCall).open(kind, start, 1, null, l -> {})) {
      listen(opened, examples, start, losses, new boolean[1], new Checkpoint[1]).run();
      return new Outcome(losses, opened.engine().parameters());
    }
  }

  /** Up to the first place after {@code stopAfter} where a run can be stopped. */
  private Checkpoint part(
      EngineKind kind, List<Example> examples, Checkpoint start, List<Double> losses) {
    Checkpoint[] saved = new Checkpoint[1];
    try (Engines.Opened opened = engines(batchesPerCall).open(kind, start, 1, null, l -> {})) {
      listen(opened, examples, start, losses, new boolean[] {true}, saved).run();
      losses.clear();
      return null;
    } catch (TrainingStopped e) {
      return saved[0];
    }
  }

  private Trainer listen(
      Engines.Opened opened,
      List<Example> examples,
      Checkpoint start,
      List<Double> losses,
      boolean[] stops,
      Checkpoint[] saved) {
    BatchSource batches =
        new BatchSource(examples, opened.inputs(), opened.labels(), batchSize, 0, shuffle, seed);
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void step(StepRecord record) {
            losses.add(record.loss());
          }

          @Override
          public boolean wantsToStop() {
            return stops[0] && losses.size() >= stopAfter;
          }

          @Override
          public void checkpoint(long step, Checkpoint state) {
            saved[0] = state;
          }
        };
    return new Trainer(opened.engine(), batches, settings(), null, List.of(listener), start);
  }

  private List<Example> examples(Path folder) {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < labels.length; i++) {
      lines.append(
          "{\"input_ids\":%s,\"label\":%d}\n".formatted(Arrays.toString(rows.get(i)), labels[i]));
    }
    try {
      Path file = Files.writeString(folder.resolve("train.jsonl"), lines);
      return new ExampleEncoder(MODEL.graph().requiredInputs(), () -> null, 100)
          .withClasses(
              DataFile.readLabelled(file, Columns.USUAL),
              LabelSet.numbered(TinyClassifier.CLASSES));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Outcome reference(EngineKind kind) {
    List<Double> losses = new ArrayList<>();
    List<List<Integer>> order = new ArrayList<>();
    for (long epoch = 0; order.size() < steps * accumulation; epoch++) {
      order.addAll(epoch(epoch));
    }
    LearningRateSchedule schedule = settings().schedule(steps);
    try (Engines.Opened opened = engines(1).open(kind, null, 1, null, line -> {})) {
      Engine engine = opened.engine();
      for (int step = 0; step < steps; step++) {
        double sum = 0;
        for (int i = 0; i < accumulation; i++) {
          List<HostTensor> batch = padded(order.get(step * accumulation + i));
          sum += engine.step(batch, schedule.at(step + 1), i == accumulation - 1).loss();
        }
        losses.add(sum / accumulation);
      }
      return new Outcome(losses, engine.parameters());
    }
  }

  /** The rows of each batch of an epoch, as the documentation of {@link BatchSource} has them. */
  private List<List<Integer>> epoch(long epoch) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < labels.length; i++) {
      order.add(i);
    }
    Random seeds = new Random(seed);
    for (long i = 0; i < epoch; i++) {
      seeds.nextLong();
    }
    Random random = new Random(seeds.nextLong());
    if (shuffle) {
      Collections.shuffle(order, random);
      order.sort(Comparator.comparingInt(i -> rows.get(i).length));
    }
    List<List<Integer>> batches = new ArrayList<>();
    for (int i = 0; i < order.size(); i += batchSize) {
      batches.add(order.subList(i, Math.min(order.size(), i + batchSize)));
    }
    if (shuffle) {
      Collections.shuffle(batches, random);
    }
    return batches;
  }

  private List<HostTensor> padded(List<Integer> batch) {
    int longest = batch.stream().mapToInt(i -> rows.get(i).length).max().orElseThrow();
    long[] ids = new long[batch.size() * longest];
    long[] mask = new long[ids.length];
    long[] targets = new long[batch.size()];
    for (int row = 0; row < targets.length; row++) {
      int[] tokens = rows.get(batch.get(row));
      for (int i = 0; i < tokens.length; i++) {
        ids[row * longest + i] = tokens[i];
        mask[row * longest + i] = 1;
      }
      targets[row] = labels[batch.get(row)];
    }
    return List.of(
        Gradients.longs("input_ids", ids, targets.length, longest),
        Gradients.longs("attention_mask", mask, targets.length, longest),
        Gradients.longs("labels", targets, targets.length));
  }

  @Override
  public String toString() {
    return "%d rows, batches of %d, %d of them in a step, %d in a call, %d steps, stopped after %d, %s"
        .formatted(
            labels.length,
            batchSize,
            accumulation,
            batchesPerCall,
            steps,
            stopAfter,
            shuffle ? "shuffled by " + seed : "in order");
  }
}
