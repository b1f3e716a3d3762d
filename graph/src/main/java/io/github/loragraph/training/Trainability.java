package io.github.loragraph.training;

import io.github.loragraph.autodiff.Autodiff;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.InitializerUntying;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.passes.Pass;
import io.github.loragraph.passes.TrainingNormalizer;
import io.github.loragraph.passes.TypedModel;
import io.github.loragraph.shape.ShapeInference;
import java.util.Map;
import java.util.Set;

/**
 * Whether a model can be trained, as far as that is known before there are data and a task: its
 * operator set can be brought to the one that is differentiated, and the operators between the
 * parameters and some output have gradients.
 */
public final class Trainability {
  private Trainability() {}

  /**
   * Refuses a model that no output of can be trained.
   *
   * @param trainable values of parameters
   * @return how many times each pattern was found in the graph, by name
   * @throws LoraGraphException if the model cannot be trained: it says what to do
   */
  public static Map<String, Integer> check(
      OnnxModel model, Set<String> trainable, ShapeInference shapes) {
    Pass.Result normal =
        Pass.inTurn(new InitializerUntying(), new TrainingNormalizer())
            .apply(TypedModel.of(model, shapes), trainable);
    TypedModel form = normal.model();
    Autodiff autodiff = new Autodiff(Kernels.STANDARD, LoraMetadata.detachedIn(model));
    LoraGraphException refusal = null;
    for (ValueInfo output : form.graph().outputs()) {
      try {
        autodiff.check(form.graph(), form.types(), output.name(), trainable);
        return normal.recognised();
      } catch (LoraGraphException e) {
        refusal = refusal == null ? e : refusal;
      }
    }
    if (refusal != null) {
      throw refusal;
    }
    return normal.recognised();
  }
}
