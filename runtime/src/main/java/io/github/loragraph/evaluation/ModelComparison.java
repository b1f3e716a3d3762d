package io.github.loragraph.evaluation;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtFailure;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.passes.TrainingNormalizer;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs two models on the same random input and finds how far their outputs are apart, on whatever
 * device in single precision: TensorFloat-32 would round away what is looked for.
 */
public final class ModelComparison {
  /** Batch and sequence, the likeliest first: some models have few positions, or one row. */
  private static final int[][] SIZES = {{2, 16}, {2, 4}, {1, 1}};

  private ModelComparison() {}

  /**
   * The largest absolute difference over all floating-point outputs; NaN if one is not finite in
   * only one of the two. Empty where no input can be made up that the first model runs on; then
   * only that the second is one that ONNX Runtime takes has been checked.
   *
   * @param on where both run; TensorFloat-32 is left out there, whatever they say of it
   * @param note hears in one line why the outputs were not compared
   * @throws LoraGraphException if the first model runs and the second does not, or the models'
   *     outputs are not of the same names and sizes
   */
  public static OptionalDouble difference(
      OnnxModel first, OnnxModel second, Sessions on, long seed, Consumer<String> note) {
    Sessions sessions = on.withoutTf32();
    @Nullable LoraGraphException reason = null;
    for (int[] size : SIZES) {
      List<HostTensor> input;
      Map<String, float[]> outputs;
      try {
        input = ProbeInput.of(first.graph(), size[0], size[1], seed);
        outputs = run(first, input, sessions);
      } catch (LoraGraphException e) {
        reason = reason == null ? e : reason;
        continue;
      }
      return first.namingFile(
          () -> OptionalDouble.of(largest(outputs, run(second, input, sessions))));
    }
    if (isTaken(first, sessions)) {
      first.namingFile(
          () -> {
            open(second, sessions);
            return second;
          });
    }
    note.accept(
        "not checked by running it: no input for the original could be made up (%s)"
            .formatted(Objects.requireNonNull(reason).what()));
    return OptionalDouble.empty();
  }

  private static boolean isTaken(OnnxModel model, Sessions sessions) {
    try {
      open(model, sessions);
      return true;
    } catch (LoraGraphException e) {
      return false;
    }
  }

  private static void open(OnnxModel model, Sessions sessions) {
    try (Weights weights = new Weights();
        OrtSession session =
            sessions.sparing(model).create(TrainingNormalizer.withoutDropout(model), weights)) {
      session.getNumInputs();
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime cannot close the model", e);
    }
  }

  /**
   * The largest absolute difference over all floating-point outputs; NaN if one is not finite in
   * only one of the two.
   *
   * @throws LoraGraphException if a model does not run or the models' outputs are not of the same
   *     names and sizes
   */
  public static double maxOutputDifference(
      OnnxModel first, OnnxModel second, Sessions on, long seed) {
    Sessions sessions = on.withoutTf32();
    return first.namingFile(
        () -> {
          List<HostTensor> input = ProbeInput.of(first.graph(), SIZES[0][0], SIZES[0][1], seed);
          return largest(run(first, input, sessions), run(second, input, sessions));
        });
  }

  private static double largest(Map<String, float[]> a, Map<String, float[]> b) {
    if (!a.keySet().equals(b.keySet())) {
      throw new LoraGraphException(
          "the models have different outputs: %s and %s".formatted(a.keySet(), b.keySet()));
    }
    double largest = 0;
    for (Map.Entry<String, float[]> output : a.entrySet()) {
      float[] x = output.getValue();
      float[] y = Objects.requireNonNull(b.get(output.getKey()));
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
        OrtSession session =
            sessions.sparing(model).create(TrainingNormalizer.withoutDropout(model), weights)) {
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
