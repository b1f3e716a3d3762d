package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.data.BatchSource;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.engine.Engines;
import io.github.loragraph.evaluation.Evaluator;
import io.github.loragraph.evaluation.Report;
import io.github.loragraph.lora.SharedTensors;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.Device;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.Optimization;
import io.github.loragraph.training.Precision;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * One training from a model to a trained model.
 *
 * @param trainable the values of the parameters to train
 * @param batchesPerCall the most batches that the engine is given at once
 */
public record TrainingJob(
    OnnxModel model,
    Set<String> trainable,
    Loss loss,
    Optimization optimization,
    TrainerSettings settings,
    TrainingData data,
    EngineKind kind,
    Sessions sessions,
    int batchesPerCall) {

  /**
   * What came out.
   *
   * @param model the given model with the trained parameters
   * @param unreached trainable values that got no gradient: unchanged
   */
  public record Result(
      Trainer.Summary summary, OnnxModel model, String engine, List<String> unreached) {}

  /** The engine that made a checkpoint; empty where it does not say. */
  public static Optional<EngineKind> engineOf(Checkpoint checkpoint) {
    return Arrays.stream(EngineKind.values())
        .filter(k -> k.toString().equals(checkpoint.properties().get(Trainer.ENGINE)))
        .findFirst();
  }

  /**
   * Opens the build of ONNX Runtime for a training: the sessions of a job are made with it.
   *
   * @throws io.github.loragraph.LoraGraphException if the build is not to be had here
   */
  public static OrtRuntime runtime(
      EngineKind kind,
      Device device,
      Precision precision,
      TrainerSettings settings,
      TrainingData data) {
    return Engines.runtime(kind, device, precision, steps(settings, data));
  }

  private static long steps(TrainerSettings settings, TrainingData data) {
    return settings.totalSteps(batches(settings, data, List.of(), null).batchesPerEpoch());
  }

  /**
   * Trains.
   *
   * @param start the checkpoint of an earlier run of this very job to go on from; null to begin
   * @throws io.github.loragraph.LoraGraphException if the model cannot be trained, or the loss
   *     stops being a number
   */
  public Result run(List<TrainingListener> listeners, Checkpoint start) {
    Engines engines =
        new Engines(
            model,
            trainable,
            loss,
            optimization,
            settings.accumulation(),
            batchesPerCall,
            settings.seed(),
            sessions);
    try (Engines.Opened opened =
        engines.open(
            kind,
            Trainer.engineStart(start),
            steps(settings, data),
            (inputs, labels) -> batches(settings, data, inputs, labels).epoch(0).next(),
            line -> listeners.forEach(l -> l.note(line)))) {
      opened.unreached().notes().forEach(note -> listeners.forEach(l -> l.note(note)));
      Engine engine = opened.engine();
      Evaluator evaluator = new Evaluator(opened.inputs(), data.padId());
      int outputs = Logits.count(model.graph());
      Supplier<Report> measure =
          data.heldOut().isEmpty()
              ? null
              : () ->
                  evaluator.evaluate(
                      batch -> {
                        Trainer.abandonIfStopped(listeners);
                        return engine.classifier().logits(batch);
                      },
                      data.heldOut(),
                      data.task(),
                      outputs);
      BatchSource batches = batches(settings, data, opened.inputs(), opened.labels());
      Trainer trainer = new Trainer(engine, batches, loss, settings, measure, listeners, start);
      Trainer.Summary summary = trainer.run();
      return new Result(
          summary,
          SharedTensors.withValues(model, trainer.parameters()),
          engine.name(),
          opened.unreached().values());
    }
  }

  private static BatchSource batches(
      TrainerSettings settings, TrainingData data, List<ValueInfo> inputs, ValueInfo labels) {
    return new BatchSource(
        data.training(),
        inputs,
        labels,
        settings.batchSize(),
        data.padId(),
        settings.shuffle(),
        settings.seed());
  }
}
