package io.github.loragraph.fewshot;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.Values;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.evaluation.Classifier;
import io.github.loragraph.evaluation.Evaluator;
import io.github.loragraph.evaluation.ModelSession;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.task.Report;
import io.github.loragraph.task.Task;
import io.github.loragraph.trainer.LearningRateSchedule;
import io.github.loragraph.trainer.TrainerSettings;
import io.github.loragraph.trainer.TrainingData;
import io.github.loragraph.trainer.TrainingJob;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.EncoderHead;
import io.github.loragraph.training.EvaluationGraph;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.Optimization;
import io.github.loragraph.training.WeightDecay;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Fits the head of a classifier to the vectors that its encoder makes of the training examples. The
 * encoder stays as it is, so each example is embedded once and the head alone, a few small layers,
 * is trained on what came out: by the ordinary engine, all examples in a step, until it has long
 * converged. It begins with the parameters that it has, and the same vectors give the same head.
 */
public final class HeadFit {
  /** More than a head of two layers needs on vectors that are apart, in about a second. */
  public static final long STEPS = 200;

  private static final double LEARNING_RATE = 1e-3;

  /**
   * Few examples are always separable, and weights that grow without end would be sure of
   * everything. Held-out losses of MiniLM on SST-2 in one draw of 8 of a class, which shows the
   * direction and no more: 0.93 with it, 1.33 with a fiftieth.
   */
  private static final double WEIGHT_DECAY = 5;

  /** All examples are one batch up to here: the vectors of so many are small. */
  private static final int MOST_IN_BATCH = 512;

  private final EncoderHead parts;
  private final Set<String> trainable;
  private final Task task;
  private final Loss loss;
  private final Sessions sessions;
  private final Evaluator encoder;
  private final Evaluator head;

  /**
   * @param trainable the values of the head's parameters that are trained
   * @param loss over the head's logits
   * @param padId fills up {@code input_ids}
   */
  public HeadFit(
      EncoderHead parts,
      Set<String> trainable,
      Task task,
      Loss loss,
      long padId,
      Sessions sessions) {
    this.parts = parts;
    this.trainable = trainable;
    this.task = task;
    this.loss = loss;
    this.sessions = sessions;
    this.encoder = new Evaluator(parts.encoder().graph().requiredInputs(), padId);
    this.head = new Evaluator(parts.head().graph().requiredInputs(), padId);
  }

  /**
   * A head that was fitted.
   *
   * @param model takes vectors and answers with logits
   * @param values its trained parameters
   * @param loss on the examples that it was fitted to, in the last step
   */
  public record Fitted(OnnxModel model, Map<String, Tensor> values, double loss) {}

  /**
   * Fits the head.
   *
   * @param classifier answers with the encoder's vectors
   * @param examples the training examples, as the encoder takes them
   */
  public Fitted fit(Classifier classifier, List<Example> examples) {
    List<Example> vectors = vectors(classifier, examples);
    TrainerSettings settings =
        TrainerSettings.builder()
            .steps(STEPS)
            .learningRate(LEARNING_RATE)
            .decay(LearningRateSchedule.Decay.LINEAR)
            .batchSize(Math.min(MOST_IN_BATCH, vectors.size()))
            .shuffle(vectors.size() > MOST_IN_BATCH)
            .checkpointEvery(0)
            .logEvery(0)
            .build();
    AdamW usual = AdamW.ofTrainer();
    TrainingJob.Result result =
        TrainingJob.builder(parts.head(), new TrainingData(task, vectors, List.of(), 0))
            .trainable(trainable)
            .loss(loss)
            .optimization(
                new Optimization(
                    new AdamW(
                        usual.beta1(),
                        usual.beta2(),
                        usual.epsilon(),
                        WEIGHT_DECAY,
                        WeightDecay.WEIGHTS),
                    TrainingJob.MAX_GRADIENT_NORM,
                    LoraDropout.NONE))
            .settings(settings)
            .engine(EngineKind.GRAPH)
            .sessions(sessions)
            .build()
            .run(List.of(), null);
    Map<String, Tensor> values = new LinkedHashMap<>();
    for (String value : trainable) {
      values.put(value, Objects.requireNonNull(result.model().graph().initializer(value)));
    }
    return new Fitted(result.model(), values, result.summary().finalTrainLoss());
  }

  /**
   * How well a head does on top of an encoder.
   *
   * @param classifier answers with the encoder's vectors
   * @param examples labelled, as the encoder takes them
   * @param outputs the number of classes
   * @param also hears each answer
   */
  public Report evaluate(
      Fitted fitted,
      Classifier classifier,
      List<Example> examples,
      int outputs,
      Evaluator.Taker also) {
    List<Example> vectors = vectors(classifier, examples);
    try (Weights weights = new Weights();
        ModelSession session =
            new ModelSession(
                EvaluationGraph.of(fitted.model(), Set.of()), sessions, weights, Map::of)) {
      return head.evaluate(session, vectors, task, outputs, List.of(), also);
    }
  }

  private List<Example> vectors(Classifier classifier, List<Example> examples) {
    float[][] rows = encoder.logits(classifier, examples);
    List<Example> vectors = new ArrayList<>(rows.length);
    for (int i = 0; i < rows.length; i++) {
      vectors.add(new Example(Map.of(parts.value(), Values.of(rows[i])), examples.get(i).target()));
    }
    return vectors;
  }
}
