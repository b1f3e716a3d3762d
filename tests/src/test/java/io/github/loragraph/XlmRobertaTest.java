package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.check.OrtRun;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.lora.InitializerUntying;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.MeanSquaredErrorLoss;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * An export by PyTorch 2.7.1 that shares equal tensors: gradients of a regression against finite
 * differences of its logits, the loss worked out in double precision.
 */
class XlmRobertaTest {
  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 2);
  private static final double STEP = 0.02;
  private static final List<HostTensor> INPUTS =
      List.of(
          Gradients.longs(
              "input_ids", new long[] {0, 7, 21, 50, 2, 0, 9, 33, 2, 1, 0, 88, 2, 1, 1}, 3, 5),
          Gradients.longs(
              "attention_mask", new long[] {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 0}, 3, 5));
  private static final float[] LABELS = {1.5f, -0.5f, 0.25f};

  @ParameterizedTest
  @EnumSource(Method.class)
  void gradientsEqualFiniteDifferences(Method method) {
    OnnxModel model = injected();
    Set<String> trainable = TrainableSelection.of(method).values(model);
    List<HostTensor> batch = new ArrayList<>(INPUTS);
    batch.add(Gradients.floats("labels", LABELS, 3));
    Gradients gradients = Gradients.of(model, trainable, new MeanSquaredErrorLoss(), batch);

    OnnxModel own = InitializerUntying.unshare(model, trainable);
    assertEquals(loss(own), gradients.loss(), 1e-6);
    for (Map.Entry<String, float[]> entry : gradients.byValue().entrySet()) {
      checkAlongGradient(own, entry.getKey(), entry.getValue());
    }
  }

  /** Adapters whose lora_B is not zero, so that lora_A has a gradient. */
  private static OnnxModel injected() {
    OnnxModel model =
        LoraInjector.inject(
            OnnxFile.read(Fixtures.file("tiny-xlm-roberta/model.onnx")),
            new InjectionOptions(
                Pattern.compile("query|output"), 4, 8, InjectionOptions.DEFAULT_HEAD, 0));
    Random random = new Random(1);
    for (Tensor tensor : List.copyOf(model.graph().initializers().values())) {
      if (tensor.name().endsWith(".lora_B")) {
        float[] values = new float[(int) tensor.elementCount()];
        for (int i = 0; i < values.length; i++) {
          values[i] = (float) (0.1 * random.nextGaussian());
        }
        model.graph().putInitializer(Tensor.ofFloats(tensor.name(), values, tensor.dims()));
      }
    }
    return model;
  }

  /** Along its direction a gradient's derivative is its norm; along a random one the projection. */
  private static void checkAlongGradient(OnnxModel model, String value, float[] gradient) {
    double norm = 0;
    for (float g : gradient) {
      norm += (double) g * g;
    }
    norm = Math.sqrt(norm);
    double[] direction = new double[gradient.length];
    Random random = new Random(gradient.length);
    double length = 0;
    for (int i = 0; i < direction.length; i++) {
      direction[i] = norm > 1e-6 ? gradient[i] / norm : random.nextGaussian();
      direction[i] += 0.3 * random.nextGaussian() / Math.sqrt(direction.length);
      length += direction[i] * direction[i];
    }
    double expected = 0;
    for (int i = 0; i < direction.length; i++) {
      direction[i] /= Math.sqrt(length);
      expected += direction[i] * gradient[i];
    }
    double actual =
        (8 * (at(model, value, direction, STEP) - at(model, value, direction, -STEP))
                - (at(model, value, direction, 2 * STEP) - at(model, value, direction, -2 * STEP)))
            / (12 * STEP);
    double projection = expected;
    assertTrue(
        Math.abs(projection - actual) <= 5e-5 + 2e-4 * Math.abs(projection),
        () -> "%s: gradient %s, finite difference %s".formatted(value, projection, actual));
  }

  private static double at(OnnxModel model, String value, double[] direction, double distance) {
    Tensor tensor = model.graph().initializer(value);
    float[] moved = tensor.toFloats();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += (float) (distance * direction[i]);
    }
    OnnxModel copy = model.withGraph(model.graph().copy());
    copy.graph().putInitializer(Tensor.ofFloats(value, moved, tensor.dims()));
    return loss(copy);
  }

  private static double loss(OnnxModel model) {
    float[] logits = OrtRun.run(model, INPUTS, SESSIONS).get("logits");
    double loss = 0;
    for (int i = 0; i < LABELS.length; i++) {
      loss += Math.pow((double) logits[i] - LABELS[i], 2) / LABELS.length;
    }
    return loss;
  }
}
