package io.github.loragraph.evaluation;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.LoraGraphException;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtFailure;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.rewrite.TrainingForm;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs two models on the same random input and finds how far their outputs are apart. */
public final class ModelComparison {
  private static final int BATCH = 2;
  private static final int SEQUENCE = 16;

  private ModelComparison() {}

  /**
   * The largest absolute difference over all floating-point outputs; NaN if one is not finite in
   * only one of the two.
   *
   * @throws LoraGraphException if a model does not run or the models' outputs are not of the same
   *     names and sizes
   */
  public static double maxOutputDifference(
      OnnxModel first, OnnxModel second, Sessions sessions, long seed) {
    return first.namingFile(() -> difference(first, second, sessions, seed));
  }

  private static double difference(
      OnnxModel first, OnnxModel second, Sessions sessions, long seed) {
    List<HostTensor> input = ProbeInput.of(first.graph(), BATCH, SEQUENCE, seed);
    Map<String, float[]> a = run(first, input, sessions);
    Map<String, float[]> b = run(second, input, sessions);
    if (!a.keySet().equals(b.keySet())) {
      throw new LoraGraphException(
          "the models have different outputs: %s and %s".formatted(a.keySet(), b.keySet()));
    }
    double largest = 0;
    for (Map.Entry<String, float[]> output : a.entrySet()) {
      float[] x = output.getValue();
      float[] y = b.get(output.getKey());
      if (x.length != y.length) {
        throw new LoraGraphException(
            "the models differ in the size of output '%s'".formatted(output.getKey()));
      }
      for (int i = 0; i < x.length; i++) {
        if (Float.compare(x[i], y[i]) != 0) {
          largest = Math.max(largest, Math.abs((double) x[i] - y[i]));
        }
      }
    }
    return largest;
  }

  private static Map<String, float[]> run(
      OnnxModel model, List<HostTensor> input, Sessions sessions) {
    Map<String, OnnxTensorLike> feeds = new HashMap<>();
    try (Weights weights = new Weights();
        OrtSession session = sessions.create(TrainingForm.withoutDropout(model), weights)) {
      for (HostTensor tensor : input) {
        feeds.put(tensor.name(), sessions.runtime().tensor(tensor));
      }
      Map<String, float[]> outputs = new LinkedHashMap<>();
      try (OrtSession.Result result = session.run(feeds)) {
        for (Map.Entry<String, OnnxValue> entry : result) {
          if (entry.getValue() instanceof OnnxTensor tensor) {
            FloatBuffer values = tensor.getFloatBuffer();
            if (values != null) {
              float[] copy = new float[values.remaining()];
              values.get(copy);
              outputs.put(entry.getKey(), copy);
            }
          }
        }
      }
      return outputs;
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime cannot run the model", e);
    } finally {
      feeds.values().forEach(OnnxTensorLike::close);
    }
  }
}
