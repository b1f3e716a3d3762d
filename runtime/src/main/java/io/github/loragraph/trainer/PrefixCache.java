package io.github.loragraph.trainer;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.data.Batch;
import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.data.StatedExamples;
import io.github.loragraph.data.StoredExamples;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.OrtFailure;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.training.FrozenPrefix;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What the frozen layers of a model, up to the first that is trained, make of examples is computed
 * once and kept in a file.
 *
 * @param file is written anew; who asks for the training deletes it after it
 * @param half whether the numbers are kept in 16 bits (FLOAT16), half as large and rounded
 */
public record PrefixCache(Path file, boolean half) {
  /** So many tokens are computed at once. */
  private static final int TOKENS = 2048;

  /**
   * The examples with the states that the rest of the model takes.
   *
   * @param padId fills up {@code input_ids}
   * @param betweenBatches is called between batches, and may throw
   * @throws io.github.loragraph.error.LoraGraphException if the disk has no room
   */
  StatedExamples of(
      List<Example> examples,
      FrozenPrefix parts,
      long padId,
      Sessions sessions,
      Runnable betweenBatches) {
    List<String> names = parts.states().stream().map(ValueInfo::name).toList();
    StatedExamples stated = new StatedExamples(examples, names, half, file);
    BatchSource batches =
        BatchSource.of(List.of(), parts.prefix().graph().requiredInputs())
            .padId(padId)
            .shuffle(false)
            .build();
    int[] order = StoredExamples.longestFirst(examples);
    try (Weights weights = new Weights();
        OrtSession session = sessions.create(parts.prefix(), weights)) {
      for (int begin = 0; begin < order.length; ) {
        betweenBatches.run();
        int length = Math.max(1, StoredExamples.length(examples, order[begin]));
        int end = Math.min(order.length, begin + Math.max(1, TOKENS / length));
        List<Example> group = new ArrayList<>();
        for (int i = begin; i < end; i++) {
          group.add(examples.get(order[i]));
        }
        try (Batch batch = batches.batch(group)) {
          keep(session, sessions, batch.inputs(), parts, stated, order, begin);
        }
        begin = end;
      }
    } catch (OrtException e) {
      throw OrtFailure.of("cannot compute the frozen part of the model", e);
    }
    return stated;
  }

  private static void keep(
      OrtSession session,
      Sessions sessions,
      List<HostTensor> inputs,
      FrozenPrefix parts,
      StatedExamples stated,
      int[] order,
      int begin)
      throws OrtException {
    Map<String, OnnxTensorLike> feeds = new HashMap<>();
    List<OnnxTensor> owned = new ArrayList<>();
    try {
      for (HostTensor tensor : inputs) {
        OnnxTensor value = sessions.runtime().tensor(tensor);
        owned.add(value);
        feeds.put(tensor.name(), value);
      }
      try (OrtSession.Result result = session.run(feeds)) {
        for (int k = 0; k < parts.states().size(); k++) {
          ValueInfo state = parts.states().get(k);
          OnnxTensor tensor = (OnnxTensor) result.get(state.name()).orElseThrow();
          long[] shape = tensor.getInfo().getShape();
          FloatBuffer all = tensor.getFloatBuffer();
          int each = all.remaining() / Math.toIntExact(shape[0]);
          for (int i = 0; i < shape[0]; i++) {
            int index = order[begin + i];
            int[] own = new int[shape.length - 1];
            for (int axis = 0; axis < own.length; axis++) {
              own[axis] = Math.toIntExact(shape[axis + 1]);
            }
            int count = each;
            if (FrozenPrefix.hasTokens(state)) {
              int length = Math.min(own[0], StoredExamples.length(stated, index));
              count = each / own[0] * length;
              own[0] = length;
            }
            stated.put(index, k, all.slice(i * each, count), own);
          }
        }
      }
    } finally {
      owned.forEach(OnnxTensor::close);
    }
  }
}
