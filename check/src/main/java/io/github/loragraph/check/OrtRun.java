package io.github.loragraph.check;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtFailure;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Runs a model in a session of its own. */
public final class OrtRun {
  private OrtRun() {}

  /** The floating-point outputs by name. */
  public static Map<String, float[]> run(
      OnnxModel model, Iterable<HostTensor> inputs, Sessions sessions) {
    return runEach(model, List.of(inputs), sessions).get(0);
  }

  /** The same for several batches, one after the other. */
  public static List<Map<String, float[]>> runEach(
      OnnxModel model, List<? extends Iterable<HostTensor>> batches, Sessions sessions) {
    List<Map<String, float[]>> outputs = new ArrayList<>();
    try (Weights weights = new Weights();
        OrtSession session = sessions.create(model, weights)) {
      for (Iterable<HostTensor> batch : batches) {
        outputs.add(run(session, batch, sessions.runtime()));
      }
      return outputs;
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime fails", e);
    }
  }

  private static Map<String, float[]> run(
      OrtSession session, Iterable<HostTensor> inputs, OrtRuntime runtime) throws OrtException {
    Map<String, OnnxTensorLike> feeds = new HashMap<>();
    Map<String, float[]> outputs = new HashMap<>();
    try {
      for (HostTensor input : inputs) {
        feeds.put(input.name(), runtime.tensor(input));
      }
      try (OrtSession.Result result = session.run(feeds)) {
        for (Map.Entry<String, OnnxValue> entry : result) {
          var buffer = ((OnnxTensor) entry.getValue()).getFloatBuffer();
          float[] values = new float[buffer.remaining()];
          buffer.get(values);
          outputs.put(entry.getKey(), values);
        }
      }
      return outputs;
    } finally {
      feeds.values().forEach(OnnxTensorLike::close);
    }
  }
}
