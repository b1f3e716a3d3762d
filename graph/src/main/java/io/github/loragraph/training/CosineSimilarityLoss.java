package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;

/**
 * The mean of the squared differences of cosines and labels ({@code CosineSimilarityLoss}). A row
 * has one text beside its anchor; labels are numbers (batch).
 */
public record CosineSimilarityLoss() implements EmbeddingLoss {
  @Override
  public ValueInfo labels(TensorType logits) {
    checkPairs(logits);
    return EmbeddingLoss.scoresOfRows(logits);
  }

  /** Refuses groups of more than two texts where that is known. */
  static void checkPairs(TensorType logits) {
    Dimension texts = EmbeddingLoss.shape(logits).dimension(1);
    if (texts.isKnown() && texts.size() != 2) {
      throw new LoraGraphException(
          "rows of %d texts are no pairs, which this loss is of".formatted(texts.size()));
    }
  }

  /** (batch): of a batch of pairs. */
  static String cosines(GraphBuilder b, String logits, TensorType type) {
    return b.squeeze(EmbeddingLoss.cosines(b, logits, type), 1);
  }

  @Override
  public String emit(GraphBuilder b, String logits, TensorType type) {
    String error = b.sub(cosines(b, logits, type), LABELS);
    return EmbeddingLoss.mean(b, b.mul(error, error));
  }
}
