package io.github.loragraph.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.OrtFailure;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.OrtTensors;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.LossGradient;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

/** Runs a loss alone, from embeddings to their gradient. Who makes it closes it. */
public final class LossSession implements AutoCloseable {
  private final ValueInfo labels;
  private final OrtRuntime runtime;
  private final OrtSession session;
  private final Weights weights = new Weights();

  /**
   * What a loss says of embeddings.
   *
   * @param gradients one row for each example, (texts, dimension) in it
   */
  public record Result(double loss, float[][] gradients) {}

  /**
   * @param model one that {@link LossGradient} made
   */
  public LossSession(OnnxModel model, Sessions sessions) {
    this.labels =
        model.graph().inputs().stream()
            .filter(input -> input.name().equals(Loss.LABELS))
            .findFirst()
            .orElseThrow();
    this.runtime = sessions.runtime();
    try {
      this.session = sessions.create(model, weights);
    } catch (RuntimeException | Error e) {
      weights.close();
      throw e;
    }
  }

  /** Declares the labels. */
  public ValueInfo labels() {
    return labels;
  }

  /**
   * Loss and gradient.
   *
   * @param embeddings (batch, texts, dimension), a row for each example
   * @param shape of them
   */
  public Result of(float[][] embeddings, long[] shape, HostTensor labels) {
    ByteBuffer data =
        ByteBuffer.allocateDirect(
                HostTensor.byteCount(LossGradient.EMBEDDINGS, ElementType.FLOAT, shape))
            .order(ByteOrder.nativeOrder());
    for (float[] row : embeddings) {
      for (float number : row) {
        data.putFloat(number);
      }
    }
    HostTensor given =
        new HostTensor(LossGradient.EMBEDDINGS, ElementType.FLOAT, shape, data.flip());
    Map<String, OnnxTensorLike> feeds = new HashMap<>();
    try {
      feeds.put(given.name(), runtime.tensor(given));
      if (session.getInputNames().contains(labels.name())) {
        feeds.put(labels.name(), runtime.tensor(labels));
      }
      try (OrtSession.Result result = session.run(feeds)) {
        return new Result(
            OrtTensors.scalar(result, LossGradient.LOSS),
            OrtTensors.rows((OnnxTensor) result.get(LossGradient.GRADIENT).orElseThrow()));
      }
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime cannot run the loss", e);
    } finally {
      feeds.values().forEach(OnnxTensorLike::close);
    }
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw OrtFailure.of("cannot close the session", e);
    } finally {
      weights.close();
    }
  }
}
