package io.github.loragraph.evaluation;

import io.github.loragraph.data.Example;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.task.Report;
import io.github.loragraph.task.Task;
import io.github.loragraph.training.EvaluationGraph;
import io.github.loragraph.training.Logits;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A model that answers as its file stands. Its maker closes it; the sessions' runtime stays. */
public final class Predictor implements AutoCloseable {
  private final Classifier classifier;
  private final Evaluator evaluator;
  private final Runnable closing;

  /**
   * @param model one that {@link Answer#answering} made, or any with one output that can be an
   *     answer
   * @param padId fills up {@code input_ids}
   * @throws io.github.loragraph.error.LoraGraphException if none of its outputs or several can be
   *     its answer
   */
  public Predictor(OnnxModel model, long padId, Sessions sessions) {
    List<ValueInfo> inputs = model.graph().requiredInputs();
    OnnxModel answering =
        Logits.of(model, List.of(), new SessionShapeInference(sessions.runtime())).applyTo(model);
    Weights weights = new Weights();
    try {
      ModelSession session =
          new ModelSession(EvaluationGraph.of(answering, Set.of()), sessions, weights, Map::of);
      classifier = session;
      closing =
          () -> {
            session.close();
            weights.close();
          };
    } catch (RuntimeException | Error e) {
      weights.close();
      throw e;
    }
    evaluator = new Evaluator(inputs, padId);
  }

  /**
   * What a session that is another's answers; closing it closes nothing.
   *
   * @param inputs the model's
   * @param padId fills up {@code input_ids}
   */
  public Predictor(Classifier classifier, List<ValueInfo> inputs, long padId) {
    this.classifier = classifier;
    this.evaluator = new Evaluator(inputs, padId);
    this.closing = () -> {};
  }

  /** Answers a batch. */
  public Classifier classifier() {
    return classifier;
  }

  /** The logits of each example. */
  public float[][] logits(List<Example> examples) {
    return evaluator.logits(classifier, examples);
  }

  /**
   * Hands over the logits of one example after the other, in any order.
   *
   * @param perToken how many logits each token has; 0 where only the example has some
   */
  public void each(List<Example> examples, int perToken, Evaluator.Taker taker) {
    evaluator.each(classifier, examples, perToken, taker);
  }

  /** How well the model does on labelled examples. */
  public Report evaluate(List<Example> examples, Task task, int outputs) {
    return evaluator.evaluate(classifier, examples, task, outputs);
  }

  @Override
  public void close() {
    closing.run();
  }
}
