package io.github.loragraph.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.evaluation.Classifier;
import io.github.loragraph.evaluation.ModelSession;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.OrtFailure;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.training.EvaluationGraph;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * An engine whose evaluations are another model's, which has the same parameters. They are copied
 * into that model's session when they have changed since the last evaluation.
 */
final class AnsweringEngine implements Engine {
  private final Engine engine;
  private final Sessions sessions;
  private final ModelSession session;
  private final Map<String, OnnxTensor> parameters = new HashMap<>();

  /** Of the parameters in the session; -1 where there are none. */
  private long stepsThen = -1;

  /**
   * @param engine is closed with this one, also where this one cannot be made
   * @param answers makes the other model's graph for the names of the trained values
   */
  AnsweringEngine(
      Engine engine,
      Function<Set<String>, EvaluationGraph> answers,
      Sessions sessions,
      Weights weights) {
    this.engine = engine;
    this.sessions = sessions;
    try {
      EvaluationGraph graph = answers.apply(engine.parameters().keySet());
      this.session = new ModelSession(graph, sessions, weights, () -> parameters);
    } catch (RuntimeException | Error e) {
      engine.close();
      throw e;
    }
  }

  @Override
  public Classifier classifier() {
    return batch -> {
      if (stepsThen != engine.steps()) {
        closeParameters();
        for (Tensor tensor : engine.parameters().values()) {
          parameters.put(tensor.name(), copied(tensor));
        }
        stepsThen = engine.steps();
      }
      return session.logits(batch);
    };
  }

  private OnnxTensor copied(Tensor tensor) {
    try {
      return sessions.runtime().tensor(tensor);
    } catch (OrtException e) {
      throw OrtFailure.of("cannot copy '%s'".formatted(tensor.name()), e);
    }
  }

  private void closeParameters() {
    parameters.values().forEach(OnnxTensor::close);
    parameters.clear();
  }

  @Override
  public String name() {
    return engine.name();
  }

  @Override
  public int batchesPerCall() {
    return engine.batchesPerCall();
  }

  @Override
  public List<StepResult> steps(List<StepInput> inputs) {
    return engine.steps(inputs);
  }

  @Override
  public void forget() {
    engine.forget();
  }

  @Override
  public long steps() {
    return engine.steps();
  }

  @Override
  public long skippedSteps() {
    return engine.skippedSteps();
  }

  @Override
  public double lossScale() {
    return engine.lossScale();
  }

  @Override
  public Map<String, Tensor> parameters() {
    return engine.parameters();
  }

  @Override
  public Checkpoint checkpoint() {
    return engine.checkpoint();
  }

  @Override
  public void close() {
    try {
      session.close();
    } finally {
      closeParameters();
      engine.close();
    }
  }
}
