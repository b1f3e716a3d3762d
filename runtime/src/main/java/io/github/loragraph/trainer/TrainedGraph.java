package io.github.loragraph.trainer;

import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.onnx.OnnxModel;
import java.util.function.Consumer;

/**
 * What is trained where that is not the model as it answers: towers that embed groups of texts.
 *
 * @param answer of the model, by which evaluations embed single texts
 * @param model takes groups, and has the parameters of the other under the same names
 * @param partSize the most groups that are carried through the model at once, by cached gradients;
 *     0 for whole batches
 */
public record TrainedGraph(Answer answer, OnnxModel model, int partSize) {
  /**
   * @throws LoraGraphException if the part size is negative
   */
  public TrainedGraph {
    if (partSize < 0) {
      throw new LoraGraphException(
          "parts of %d examples are not possible: give 1 or more".formatted(partSize));
    }
  }

  /** Whether batches of some size go through the model in parts. */
  boolean divides(int batchSize) {
    return partSize > 0 && partSize < batchSize;
  }

  /**
   * The engine that can run it: parameters are asked for in the midst of a step.
   *
   * @throws LoraGraphException if another one is asked for
   */
  EngineKind engine(EngineKind kind, int batchSize, Consumer<String> log) {
    if (!divides(batchSize) || kind == EngineKind.GRAPH) {
      return kind;
    }
    if (kind == EngineKind.TRAINING_API) {
      throw new LoraGraphException(
          "batches in parts need the graph engine", Remedy.OMIT_ENGINE.with(kind));
    }
    log.accept("engine graph: only that one takes batches in parts");
    return EngineKind.GRAPH;
  }
}
