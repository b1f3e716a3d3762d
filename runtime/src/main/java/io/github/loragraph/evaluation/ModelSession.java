package io.github.loragraph.evaluation;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.ort.ActiveAdapter;
import io.github.loragraph.ort.OrtFailure;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.OrtTensors;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.training.EvaluationGraph;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A session over an evaluation graph. Who makes it closes it. */
public final class ModelSession implements Classifier, AutoCloseable {
  private final EvaluationGraph graph;
  private final OrtRuntime runtime;
  private final OrtSession session;
  private final Supplier<Map<String, OnnxTensor>> parameters;
  private final boolean onGpu;

  /**
   * @param weights must stay open for as long as the session
   * @param parameters gives the trainable values of the graph at each call
   * @throws LoraGraphException if ONNX Runtime refuses the model
   */
  public ModelSession(
      EvaluationGraph graph,
      Sessions sessions,
      Weights weights,
      Supplier<Map<String, OnnxTensor>> parameters) {
    this.graph = graph;
    this.runtime = sessions.runtime();
    this.session = sessions.create(graph.model(), weights);
    this.parameters = parameters;
    this.onGpu = sessions.device().isGpu();
  }

  @Override
  public float[][] logits(List<HostTensor> batch) {
    return logits(batch, null);
  }

  /** A GPU has no use for pieces. */
  @Override
  public int tokensAtOnce() {
    return onGpu ? Integer.MAX_VALUE : Classifier.super.tokensAtOnce();
  }

  /**
   * The same with an adapter.
   *
   * @param adapter fits the graph; null for none
   */
  float[][] logits(List<HostTensor> batch, @Nullable ActiveAdapter adapter) {
    List<OnnxTensor> owned = new ArrayList<>();
    Map<String, OnnxTensorLike> feeds = new HashMap<>(parameters.get());
    try {
      Set<String> wanted = session.getInputNames();
      for (HostTensor tensor : batch) {
        if (wanted.contains(tensor.name())) {
          OnnxTensor value = runtime.tensor(tensor);
          owned.add(value);
          feeds.put(tensor.name(), value);
        }
      }
      try (OrtSession.Result result =
          adapter == null ? session.run(feeds) : adapter.run(session, feeds)) {
        return OrtTensors.rows((OnnxTensor) result.get(graph.logits()).orElseThrow());
      }
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime cannot run the model", e);
    } finally {
      owned.forEach(OnnxTensor::close);
    }
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw OrtFailure.of("cannot close the session", e);
    }
  }
}
