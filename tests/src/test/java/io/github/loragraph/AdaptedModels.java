package io.github.loragraph;

import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.lora.InitializerUntying;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.LoraVariant;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.regex.Pattern;

/** Models with adapters that are no longer what they were at first, without a training. */
final class AdaptedModels {
  private AdaptedModels() {}

  static OnnxModel tiny() {
    return OnnxFile.read(Fixtures.file("tiny-roberta/model.onnx"));
  }

  /** A model as a training leaves it: no number of adapter and head is what it was. */
  static OnnxModel trained(OnnxModel model, String match, int rank, double alpha) {
    return trained(model, match, rank, alpha, LoraVariant.PLAIN);
  }

  /** The same with adapters of another kind. */
  static OnnxModel trained(
      OnnxModel model, String match, int rank, double alpha, LoraVariant variant) {
    OnnxModel injected =
        LoraInjector.inject(
            model,
            new InjectionOptions(
                    Pattern.compile(match), rank, alpha, InjectionOptions.DEFAULT_HEAD, rank)
                .withVariant(variant));
    Random random = new Random(rank);
    Map<String, Tensor> values = new HashMap<>();
    for (Parameter parameter : Parameters.of(injected)) {
      if (parameter.trainable()) {
        Tensor old = Objects.requireNonNull(injected.graph().constant(parameter.value()));
        float[] numbers = old.toFloats();
        for (int i = 0; i < numbers.length; i++) {
          numbers[i] += (float) (0.3 * random.nextGaussian());
        }
        values.put(parameter.value(), Tensor.ofFloats(parameter.value(), numbers, old.dims()));
      }
    }
    return InitializerUntying.withValues(injected, values);
  }
}
