package io.github.loragraph.evaluation;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.ort.OrtFailure;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.OrtTensors;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A model file in a session with nothing set, as any program would open it: what it answers is what
 * users of the file get. Who makes it closes it.
 */
public final class FileSession implements Classifier, AutoCloseable {
  private static final String LOGITS = "logits";

  private final OrtRuntime runtime;
  private final OrtSession session;

  /**
   * @throws LoraGraphException if ONNX Runtime refuses the file
   */
  public FileSession(OrtRuntime runtime, Path file) {
    this.runtime = runtime;
    try {
      session = runtime.session(file);
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime refuses " + file, e);
    }
  }

  @Override
  public float[][] logits(List<HostTensor> batch) {
    Map<String, OnnxTensorLike> feeds = new HashMap<>();
    try {
      for (HostTensor tensor : batch) {
        feeds.put(tensor.name(), runtime.tensor(tensor));
      }
      try (OrtSession.Result result = session.run(feeds)) {
        return OrtTensors.rows((OnnxTensor) result.get(LOGITS).orElseThrow());
      }
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime cannot run the model", e);
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
    }
  }
}
