package io.github.loragraph.trainer;

import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Example;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.GraphEngine;
import io.github.loragraph.evaluation.ClassificationReport;
import io.github.loragraph.evaluation.Evaluator;
import io.github.loragraph.lora.SharedTensors;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.EvaluationGraph;
import io.github.loragraph.training.Loss;
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
 * @param maxGradientNorm 0 for no clipping
 * @param evaluation held-out examples; empty for none
 * @param padId fills up {@code input_ids}
 * @param threads that compute one operator; 0 for one for each core
 */
public record TrainingJob(
    OnnxModel model,
    Set<String> trainable,
    Loss loss,
    AdamW optimizer,
    double maxGradientNorm,
    TrainerSettings settings,
    List<Example> training,
    List<Example> evaluation,
    int batchSize,
    long padId,
    boolean shuffle,
    long seed,
    int threads) {
  public TrainingJob {
    BatchSource.requireBatchSize(batchSize);
  }

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
    TrainingGraph graph = TrainingGraph.build(model, trainable, loss, new SessionShapeInference());
    StepGraph step = StepGraph.of(graph, optimizer, maxGradientNorm);
    Set<String> trained = graph.gradients().keySet();
    EvaluationGraph answers = EvaluationGraph.of(model, trained);
    BatchSource batches =
        new BatchSource(training, graph.inputs(), graph.labels(), batchSize, padId, shuffle, seed);
    try (Weights weights = new Weights();
        Engine engine = new GraphEngine(step, answers, new Sessions(threads), weights)) {
      Evaluator evaluator = new Evaluator(graph.inputs(), padId);
      Supplier<ClassificationReport> measure =
          evaluation.isEmpty() ? null : () -> evaluator.evaluate(engine.classifier(), evaluation);
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
