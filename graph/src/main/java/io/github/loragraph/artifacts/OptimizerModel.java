package io.github.loragraph.artifacts;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.StepGraph;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The model that ONNX Runtime's training API calls to update parameters in place: {@code
 * learning_rate} (FLOAT [1]) and {@code step} (INT64 [1]), then sequences of tensors.
 *
 * @param adamW empty for plain stochastic gradient descent
 * @param maxGradientNorm gradients are scaled down to this norm over all of them together; 0 turns
 *     it off
 */
public record OptimizerModel(Optional<AdamW> adamW, double maxGradientNorm) {
  private static final String GRADIENTS = "gradients";
  private static final String UPDATED = "updated_flag";

  public OptimizerModel {
    if (!(maxGradientNorm >= 0) || Double.isInfinite(maxGradientNorm)) {
      throw new LoraGraphException(
          "a maximum gradient norm of " + maxGradientNorm + " is not possible: 0 turns it off");
    }
  }

  /** The same where parameters decay elsewhere. */
  OptimizerModel withoutDecay() {
    return new OptimizerModel(
        adamW.map(a -> new AdamW(a.beta1(), a.beta2(), a.epsilon(), 0, a.decays())),
        maxGradientNorm);
  }

  /**
   * The model; the optimizers are operators of ONNX Runtime's own domain.
   *
   * @param parameters the number of trainable parameters
   */
  OnnxModel model(int parameters) {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("learning_rate", TensorType.of(ElementType.FLOAT, 1)));
    graph.addInput(ValueInfo.of("step", TensorType.of(ElementType.INT64, 1)));
    graph.addInput(ValueInfo.sequenceOf("params", ElementType.FLOAT));
    graph.addInput(ValueInfo.sequenceOf(GRADIENTS, ElementType.FLOAT));
    String gradients = GRADIENTS;
    if (maxGradientNorm > 0) {
      gradients = clipped(graph, parameters);
    }
    // The training API passes these to plain gradient descent, too, which leaves them alone.
    graph.addInput(ValueInfo.sequenceOf("first_order_moments", ElementType.FLOAT));
    if (adamW.isPresent()) {
      addAdamW(graph, adamW.get(), gradients);
    } else {
      graph.add(
          Node.of(
                  "/optimizer/SGD",
                  "SGDOptimizerV2",
                  List.of("learning_rate", "params", gradients),
                  List.of(UPDATED))
              .withDomain(TrainingArtifacts.DOMAIN));
    }
    // As the operators' schemas have it: declared otherwise, WebAssembly refuses the model.
    graph.addOutput(
        ValueInfo.of(
            UPDATED,
            adamW.isPresent()
                ? TensorType.of(ElementType.BOOL, 1)
                : TensorType.of(ElementType.BOOL)));
    return OnnxModel.of(
            "optimizer", graph, TrainingArtifacts.IR_VERSION, TrainingArtifacts.OPTIMIZER_OPSET)
        .withOpset(TrainingArtifacts.DOMAIN, 1);
  }

  /**
   * The training API passes the parameters in another order in each process, so that ONNX Runtime's
   * own operator for this, InplaceClipGradNorm, does not give the same digits twice. Here the
   * squares are sorted before they are added.
   */
  private String clipped(Graph graph, int parameters) {
    GraphBuilder b = new GraphBuilder(graph, "/optimizer/clip");
    String[] tensors = new String[parameters];
    String[] squares = new String[parameters];
    for (int i = 0; i < parameters; i++) {
      tensors[i] = b.op("SequenceAt", GRADIENTS, b.scalar(ElementType.INT64, i));
      squares[i] = b.unsqueeze(b.reduce("ReduceSumSquare", tensors[i], "", false), 0);
    }
    String sorted =
        b.ops("TopK", 2, UnaryOperator.identity(), b.concat(0, squares), b.longs(parameters))
            .get(0);
    String norm = b.sqrt(b.reduce("ReduceSum", sorted, "", false));
    String scale = StepGraph.clipScale(b, norm, maxGradientNorm);
    String[] scaled = new String[parameters];
    for (int i = 0; i < parameters; i++) {
      scaled[i] = b.mul(tensors[i], scale);
    }
    return b.op("SequenceConstruct", scaled);
  }

  private static void addAdamW(Graph graph, AdamW adamW, String gradients) {
    graph.addInput(ValueInfo.sequenceOf("second_order_moments", ElementType.FLOAT));
    graph.add(
        Node.of(
                "/optimizer/AdamW",
                "AdamWOptimizer",
                List.of(
                    "learning_rate",
                    "step",
                    "params",
                    gradients,
                    "first_order_moments",
                    "second_order_moments"),
                List.of(UPDATED))
            .withDomain(TrainingArtifacts.DOMAIN)
            .with("alpha", (float) adamW.beta1())
            .with("beta", (float) adamW.beta2())
            .with("epsilon", (float) adamW.epsilon())
            .with("weight_decay", (float) adamW.weightDecay())
            .with("correct_bias", 1)
            .with("adam_mode", 0));
  }
}
