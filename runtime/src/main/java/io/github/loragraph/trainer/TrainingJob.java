package io.github.loragraph.trainer;

import io.github.loragraph.data.BatchSource;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.GraphEngine;
import io.github.loragraph.evaluation.Evaluator;
import io.github.loragraph.evaluation.Report;
import io.github.loragraph.lora.SharedTensors;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.training.EvaluationGraph;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.Optimization;
import io.github.loragraph.training.StepGraph;
import io.github.loragraph.training.TrainingGraph;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * One training from a model to a trained model.
 *
 * @param trainable the values of the parameters to train
 * @param threads that compute one operator; 0 for one for each core
 */
public record TrainingJob(
    OnnxModel model,
    Set<String> trainable,
    Loss loss,
    Optimization optimization,
    TrainerSettings settings,
    TrainingData data,
    int threads) {

  /**
   * What came out.
   *
   * @param model the given model with the trained parameters
   * @param unreached trainable values that the loss does not depend on: unchanged
   */
  public record Result(
      Trainer.Summary summary, OnnxModel model, String engine, List<String> unreached) {}

  /**
   * Trains.
   *
   * @throws io.github.loragraph.LoraGraphException if the model cannot be trained, or the loss
   *     stops being a number
   */
  public Result run(List<TrainingListener> listeners) {
    TrainingGraph graph =
        TrainingGraph.build(
            model, trainable, loss, optimization.dropout(), new SessionShapeInference());
    StepGraph step = StepGraph.of(graph, optimization.optimizer(), optimization.maxGradientNorm());
    EvaluationGraph answers = EvaluationGraph.of(model, graph.gradients().keySet());
    BatchSource batches =
        new BatchSource(
            data.training(),
            graph.inputs(),
            graph.labels(),
            settings.batchSize(),
            data.padId(),
            settings.shuffle(),
            settings.seed());
    try (Weights weights = new Weights();
        Engine engine =
            new GraphEngine(step, answers, new Sessions(threads), weights, settings.seed())) {
      Evaluator evaluator = new Evaluator(graph.inputs(), data.padId());
      int outputs = Logits.count(model.graph());
      Supplier<Report> measure =
          data.heldOut().isEmpty()
              ? null
              : () -> evaluator.evaluate(engine.classifier(), data.heldOut(), data.task(), outputs);
      Trainer.Summary summary = new Trainer(engine, batches, settings, measure, listeners).run();
      return new Result(
          summary, withParameters(engine.parameters()), engine.name(), graph.unreached());
    }
  }

  private OnnxModel withParameters(Map<String, Tensor> values) {
    OnnxModel trained = SharedTensors.unshare(model, values.keySet());
    values.values().forEach(trained.graph()::putInitializer);
    return trained;
  }
}
