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
import io.github.loragraph.engine.StepInput;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.task.LossOptions;
import io.github.loragraph.task.Tasks;
import io.github.loragraph.trainer.LearningRateSchedule;
import io.github.loragraph.trainer.MicroBatch;
import io.github.loragraph.trainer.Trainer;
import io.github.loragraph.trainer.TrainerSettings;
import io.github.loragraph.trainer.TrainingListener;
import io.github.loragraph.trainer.TrainingStopped;
import io.github.loragraph.trainer.WarmUp;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.Optimization;
import io.github.loragraph.training.WeightDecay;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/**
 * A training whose settings are drawn at random, through all of its parts: data file, batches,
 * loop, engine, and a stop with a new start from its checkpoint. It is held to two references: to
 * the last bit to a plain loop over rows that are padded here, one batch at a time, each in memory
 * of its own, each in a call of its own; and to {@link PlainTraining}, in which a step is one
 * batch.
 *
 * @param microBatch into which pieces batches are cut
 * @param steps null to go by epochs
 * @param stopAfter the step after which the run is stopped and gone on with
 */
record RandomTraining(
    PlainTraining.Data data,
    PlainTraining.Optimizer optimizer,
    int batchSize,
    int accumulation,
    MicroBatch microBatch,
    int batchesPerCall,
    Long steps,
    Double epochs,
    LearningRateSchedule.Decay decay,
    WarmUp warmUp,
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
    boolean ignores = random.nextInt(3) == 0;
    int length = 1 + random.nextInt(7);
    List<int[]> rows = new ArrayList<>();
    int[] labels = new int[count];
    for (int i = 0; i < count; i++) {
      int own = equal ? length : 1 + random.nextInt(9);
      rows.add(random.ints(own, 1, TinyClassifier.VOCABULARY).toArray());
      labels[i] = ignores && random.nextInt(3) == 0 ? -100 : random.nextInt(TinyClassifier.CLASSES);
    }
    double[] classWeights =
        random.nextBoolean() ? new double[0] : random.doubles(3, 0.1, 3).toArray();
    double smoothing = random.nextInt(3) == 0 ? 0.2 : 0;
    boolean bySteps = random.nextBoolean();
    LearningRateSchedule.Decay[] decays = LearningRateSchedule.Decay.values();
    return new RandomTraining(
        new PlainTraining.Data(rows, labels, classWeights, smoothing),
        new PlainTraining.Optimizer(
            random.nextInt(3) == 0 ? 0 : 0.5,
            random.nextInt(3) == 0,
            random.nextInt(3) == 0 ? 0 : 0.3),
        1 + random.nextInt(5),
        1 + random.nextInt(4),
        microBatch(random),
        1 + random.nextInt(mostPerCall),
        bySteps ? (Long) (long) (1 + random.nextInt(12)) : null,
        bySteps ? null : (Double) (0.3 + random.nextInt(5) / 2.0),
        decays[random.nextInt(decays.length)],
        random.nextBoolean() ? WarmUp.ofSteps(random.nextInt(6)) : WarmUp.ofShare(0.35),
        random.nextInt(6),
        random.nextBoolean(),
        random.nextLong());
  }

  private static MicroBatch microBatch(Random random) {
    return switch (random.nextInt(3)) {
      case 0 -> MicroBatch.ofExamples(1 + random.nextInt(4));
      case 1 -> MicroBatch.ofTokens(1 + random.nextInt(25));
      default -> MicroBatch.WHOLE;
    };
  }

  /**
   * Compares it with its references.
   *
   * @param bits whether to the last bit, too, which costs as much again
   */
  void check(EngineKind kind, Path folder, boolean bits) {
    Outcome trained = trained(kind, folder);
    comparePlain(trained);
    if (bits) {
      reference(kind, folder).assertSame(trained, this + ": ");
    }
  }

  private Loss loss(List<Example> examples) {
    List<Double> weights = Arrays.stream(data.classWeights()).boxed().toList();
    return Tasks.CLASSIFICATION.loss(new LossOptions(data.labelSmoothing(), weights), examples);
  }

  private Engines engines(List<Example> examples, int perCall) {
    WeightDecay on = optimizer.decaysAll() ? WeightDecay.ALL : WeightDecay.WEIGHTS;
    return new Engines(
        MODEL,
        null,
        TinyClassifier.PARAMETERS,
        loss(examples),
        new Optimization(
            new AdamW(0.9, 0.999, 1e-8, optimizer.weightDecay(), on),
            optimizer.maxNorm(),
            LoraDropout.NONE),
        accumulation,
        !microBatch.equals(MicroBatch.WHOLE),
        perCall,
        seed,
        SESSIONS);
  }

  private TrainerSettings settings() {
    return TrainerSettings.builder()
        .steps(steps)
        .epochs(epochs)
        .learningRate(RATE)
        .decay(decay)
        .warmUp(warmUp)
        .logEvery(0)
        .checkpointEvery(0)
        .batchSize(batchSize)
        .accumulation(accumulation)
        .microBatch(microBatch)
        .shuffle(shuffle)
        .seed(seed)
        .build();
  }

  private Outcome trained(EngineKind kind, Path folder) {
    List<Example> examples = examples(folder);
    List<Double> losses = new ArrayList<>();
    Checkpoint start = stopAfter == 0 ? null : part(kind, examples, null, losses);
    try (Engines.Opened opened =
        engines(examples, batchesPerCall).open(kind, start, 1, null, l -> {})) {
      listen(opened, examples, start, losses, new boolean[1], new Checkpoint[1]).run();
      return new Outcome(losses, opened.engine().parameters());
    }
  }

  /** Up to the first place after {@code stopAfter} where a run can be stopped. */
  private Checkpoint part(
      EngineKind kind, List<Example> examples, Checkpoint start, List<Double> losses) {
    Checkpoint[] saved = new Checkpoint[1];
    try (Engines.Opened opened =
        engines(examples, batchesPerCall).open(kind, start, 1, null, l -> {})) {
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
        BatchSource.of(examples, opened.inputs())
            .labels(opened.labels())
            .batchSize(batchSize)
            .shuffle(shuffle)
            .seed(seed)
            .build();
    TrainingListener listener =
        new TrainingListener() {
          private long totalSteps;

          @Override
          public void started(long totalSteps) {
            this.totalSteps = totalSteps;
          }

          @Override
          public void step(StepRecord record) {
            losses.add(record.loss());
          }

          // After the last step there is nothing to go on with.
          @Override
          public boolean wantsToStop() {
            return stops[0] && losses.size() >= stopAfter && losses.size() < totalSteps;
          }

          @Override
          public void checkpoint(long step, Checkpoint state) {
            saved[0] = state;
          }
        };
    return new Trainer(
        opened.engine(), batches, loss(examples), settings(), null, List.of(listener), start);
  }

  private List<Example> examples(Path folder) {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < data.labels().length; i++) {
      lines.append(
          "{\"input_ids\":%s,\"label\":%d}\n"
              .formatted(Arrays.toString(data.rows().get(i)), data.labels()[i]));
    }
    try {
      Path file = Files.writeString(folder.resolve("train.jsonl"), lines);
      return Tasks.CLASSIFICATION.encode(
          new ExampleEncoder(MODEL.graph().requiredInputs(), () -> null, 100),
          DataFile.readLabelled(file, Columns.USUAL),
          LabelSet.numbered(TinyClassifier.CLASSES));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Outcome reference(EngineKind kind, Path folder) {
    List<Double> losses = new ArrayList<>();
    List<List<List<Integer>>> order = order();
    try (Engines.Opened opened =
        engines(examples(folder), 1).open(kind, null, 1, null, line -> {})) {
      Engine engine = opened.engine();
      for (int step = 0; step < order.size(); step++) {
        List<List<Integer>> batches = order.get(step).stream().flatMap(this::pieces).toList();
        double[] weights = new double[batches.size()];
        for (int i = 0; i < weights.length; i++) {
          for (int row : batches.get(i)) {
            weights[i] += data.weight(row);
          }
        }
        double sum = Arrays.stream(weights).sum();
        double loss = 0;
        for (int i = 0; i < weights.length; i++) {
          double share = sum > 0 ? weights[i] / sum : 0;
          boolean last = i == weights.length - 1;
          StepInput input =
              new StepInput(padded(batches.get(i)), RATE * rate(step, order.size()), share, last);
          loss += share * engine.steps(List.of(input)).get(0).loss();
        }
        losses.add(loss);
      }
      return new Outcome(losses, engine.parameters());
    }
  }

  private void comparePlain(Outcome trained) {
    PlainTraining plain = new PlainTraining(data, optimizer);
    List<List<List<Integer>>> order = order();
    for (int step = 0; step < order.size(); step++) {
      double loss =
          plain.step(PlainTraining.together(order.get(step)), RATE * rate(step, order.size()));
      assertEquals(loss, trained.losses.get(step), 2e-5, this + ": loss of step " + (step + 1));
    }
    plain
        .parameters()
        .forEach(
            (name, expected) -> {
              double[] actual = trained.parameters.get(name).toDoubles();
              assertArrayEquals(expected, actual, 1e-4, this + ": " + name);
            });
  }

  /** Of the peak, for a step counted from 0. */
  private double rate(long step, long total) {
    long rise = warmUp.steps() > 0 ? warmUp.steps() : (long) Math.ceil(total * warmUp.share());
    return switch (decay) {
      case CONSTANT -> 1;
      case CONSTANT_WITH_WARMUP -> step < rise ? (double) step / rise : 1;
      case LINEAR -> PlainTraining.linear(step, rise, total);
      case COSINE -> PlainTraining.cosine(step, rise, total);
    };
  }

  /** The batches of each step of the run: no step goes on into another epoch. */
  private List<List<List<Integer>>> order() {
    List<List<List<Integer>>> order = new ArrayList<>();
    int perEpoch = 0;
    for (long epoch = 0; epoch == 0 || order.size() < total(perEpoch); epoch++) {
      List<List<Integer>> batches = epoch(epoch);
      for (int i = 0; i < batches.size(); i += accumulation) {
        order.add(batches.subList(i, Math.min(batches.size(), i + accumulation)));
      }
      perEpoch = epoch == 0 ? order.size() : perEpoch;
    }
    return order.subList(0, total(perEpoch));
  }

  private int total(int perEpoch) {
    return steps != null ? steps.intValue() : (int) Math.ceil(epochs * perEpoch);
  }

  /** The rows of each batch of an epoch, as the documentation of {@link BatchSource} has them. */
  private List<List<Integer>> epoch(long epoch) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < data.labels().length; i++) {
      order.add(i);
    }
    Random seeds = new Random(seed);
    for (long i = 0; i < epoch; i++) {
      seeds.nextLong();
    }
    Random random = new Random(seeds.nextLong());
    if (shuffle) {
      Collections.shuffle(order, random);
      order.sort(Comparator.comparingInt(i -> data.rows().get(i).length));
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

  /**
   * Those of about one length together: of about the same number of rows, or, where tokens are
   * counted, with the fewest of them, 64 for each piece among them; of equal ones with the longest
   * last piece.
   */
  private Stream<List<Integer>> pieces(List<Integer> batch) {
    List<Integer> sorted = new ArrayList<>(batch);
    sorted.sort(Comparator.comparingInt(i -> data.rows().get(i).length));
    List<List<Integer>> pieces = new ArrayList<>();
    if (microBatch.ofTokens()) {
      cheapest(sorted, sorted.size(), new HashMap<>()).cut().forEach(pieces::add);
    } else {
      int most = Math.max(1, Math.min(microBatch.most(), batch.size()));
      int count = (batch.size() + most - 1) / most;
      for (int i = 0; i < count; i++) {
        pieces.add(sorted.subList(i * batch.size() / count, (i + 1) * batch.size() / count));
      }
    }
    return pieces.size() == 1 ? Stream.of(batch) : pieces.stream();
  }

  private record Cut(long cost, List<List<Integer>> cut) {}

  private Cut cheapest(List<Integer> sorted, int end, Map<Integer, Cut> known) {
    if (end == 0) {
      return new Cut(0, List.of());
    }
    if (known.containsKey(end)) {
      return known.get(end);
    }
    Cut best = null;
    for (int begin = end - 1; begin >= 0; begin--) {
      long tokens = (long) (end - begin) * data.rows().get(sorted.get(end - 1)).length;
      if (tokens > microBatch.most() && begin < end - 1) {
        break;
      }
      Cut before = cheapest(sorted, begin, known);
      if (best == null || before.cost() + tokens + 64 <= best.cost()) {
        List<List<Integer>> cut = new ArrayList<>(before.cut());
        cut.add(sorted.subList(begin, end));
        best = new Cut(before.cost() + tokens + 64, cut);
      }
    }
    known.put(end, best);
    return best;
  }

  private List<HostTensor> padded(List<Integer> batch) {
    int longest = batch.stream().mapToInt(i -> data.rows().get(i).length).max().orElseThrow();
    long[] ids = new long[batch.size() * longest];
    long[] mask = new long[ids.length];
    long[] targets = new long[batch.size()];
    for (int row = 0; row < targets.length; row++) {
      int[] tokens = data.rows().get(batch.get(row));
      for (int i = 0; i < tokens.length; i++) {
        ids[row * longest + i] = tokens[i];
        mask[row * longest + i] = 1;
      }
      targets[row] = data.labels()[batch.get(row)];
    }
    return List.of(
        Gradients.longs("input_ids", ids, targets.length, longest),
        Gradients.longs("attention_mask", mask, targets.length, longest),
        Gradients.longs("labels", targets, targets.length));
  }

  @Override
  public String toString() {
    return "labels %s of rows of %s, weights %s, %s, batches of %d, %d of them in a step, in pieces of %s, %d in a call, %s steps, %s epochs, %s after %s, stopped after %d, %s"
        .formatted(
            Arrays.toString(data.labels()),
            data.rows().stream().map(row -> row.length).toList(),
            Arrays.toString(data.classWeights()),
            optimizer,
            batchSize,
            accumulation,
            microBatch,
            batchesPerCall,
            steps,
            epochs,
            decay,
            warmUp,
            stopAfter,
            shuffle ? "shuffled by " + seed : "in order");
  }
}
