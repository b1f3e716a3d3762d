package io.github.loragraph.training;

import io.github.loragraph.lora.InitializerUntying;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.passes.TrainingNormalizer;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * The model as it answers: dropout off, nothing else rewritten, so that ONNX Runtime's own
 * optimizations for inference apply. What is trained goes in beside the batch, so that one session
 * serves the whole training.
 *
 * @param model inputs: the batch and the trainable values; output: the logits, before a final
 *     Softmax or Sigmoid
 * @param logits names the output
 */
public record EvaluationGraph(OnnxModel model, String logits) {
  /**
   * Builds the graph; the given model is left as it is.
   *
   * @param source whose answer follows from what it declares, or was noted in it by {@link
   *     Logits#applyTo}
   * @param trainable values that become inputs; empty for a model that answers as it stands
   * @throws io.github.loragraph.error.LoraGraphException if the model has no one output of logits
   */
  public static EvaluationGraph of(OnnxModel source, Set<String> trainable) {
    OnnxModel plain =
        Logits.unmarked(Logits.of(source, List.of(), Logits.DECLARED).applyTo(source));
    OnnxModel own = InitializerUntying.unshare(plain, trainable).withConstantInitializers();
    OnnxModel model = TrainingNormalizer.withoutDropout(own);
    Graph graph = model.graph();
    for (String value : trainable) {
      Tensor tensor = Objects.requireNonNull(graph.initializer(value), value);
      graph.removeInitializer(value);
      graph.addInput(ValueInfo.of(value, tensor.type()));
    }
    graph.removeDeadNodes();
    return new EvaluationGraph(model, graph.outputs().iterator().next().name());
  }
}
