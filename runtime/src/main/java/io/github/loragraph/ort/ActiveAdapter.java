package io.github.loragraph.ort;

import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoraAdapter;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.adapter.OnnxAdapter;
import io.github.loragraph.adapter.OnnxAdapterFile;
import io.github.loragraph.error.LoraGraphException;
import java.nio.ByteBuffer;
import java.util.Map;

/**
 * An adapter in ONNX Runtime's own memory, which it gives to each run that is made with it: nothing
 * of it is handed over again. Any number of threads may run with it at once; its maker closes it
 * when they are done.
 */
public final class ActiveAdapter implements AutoCloseable {
  private final OrtLoraAdapter adapter;
  private final OrtSession.RunOptions options;
  private final long bytes;
  private volatile boolean closed;

  /**
   * @param runtime of any build
   * @throws LoraGraphException if ONNX Runtime refuses it
   */
  public ActiveAdapter(OrtRuntime runtime, OnnxAdapter content) {
    runtime.environment();
    ByteBuffer file = OnnxAdapterFile.bytes(content);
    bytes = file.remaining();
    OrtLoraAdapter made = null;
    OrtSession.RunOptions with = null;
    try {
      // Copied: the buffer is free for the garbage collector again.
      made = OrtLoraAdapter.create(file);
      adapter = made;
      with = new OrtSession.RunOptions();
      options = with;
      with.addActiveLoraAdapter(made);
    } catch (OrtException e) {
      if (with != null) {
        with.close();
      }
      if (made != null) {
        made.close();
      }
      throw OrtFailure.of("ONNX Runtime refuses the adapter", e);
    }
    NativeOwners.made("adapter", () -> closed);
  }

  /** The bytes that it takes in memory. */
  public long bytes() {
    return bytes;
  }

  /**
   * Runs a model, as it takes this adapter.
   *
   * @param feeds its other inputs
   * @return to be closed by whoever asks
   */
  public OrtSession.Result run(OrtSession session, Map<String, ? extends OnnxTensorLike> feeds)
      throws OrtException {
    return session.run(feeds, options);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      try {
        options.close();
      } finally {
        adapter.close();
      }
    }
  }
}
