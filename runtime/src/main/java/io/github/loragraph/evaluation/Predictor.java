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
  private final Weights weights = new Weights();
  private final ModelSession session;
  private final Evaluator evaluator;

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
    try {
      session =
          new ModelSession(EvaluationGraph.of(answering, Set.of()), sessions, weights, Map::of);
    } catch (RuntimeException | Error e) {
      weights.close();
      throw e;
    }
    evaluator = new Evaluator(inputs, padId);
  }

  /** Answers a batch. */
  public Classifier classifier() {
    return session;
  }

  /** The logits of each example. */
  public float[][] logits(List<Example> examples) {
    return evaluator.logits(session, examples);
  }

  /**
   * Hands over the logits of one example after the other, in any order.
   *
   * @param perToken how many logits each token has; 0 where only the example has some
   */
  public void each(List<Example> examples, int perToken, Evaluator.Taker taker) {
    evaluator.each(session, examples, perToken, taker);
  }

  /** How well the model does on labelled examples. */
  public Report evaluate(List<Example> examples, Task task, int outputs) {
    return evaluator.evaluate(session, examples, task, outputs);
  }

  @Override
  public void close() {
    session.close();
    weights.close();
  }
}
