package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;

/**
 * CoSENT (Su 2022; {@code CoSENTLoss}): where one pair has a higher label than another, its cosine
 * has to be higher, too: the logarithm of 1 and the sum of {@code exp(scale * (cos_i - cos_j))}
 * over all pairs of rows with label i below label j. A row has one text beside its anchor; labels
 * are numbers (batch), of which only the order counts.
 *
 * @param scale what cosines are multiplied by, 20 as a rule
 */
public record CoSentLoss(double scale) implements EmbeddingLoss {
  /** Of which nothing is left in the exponential. */
  private static final double LEAST = -1e12;

  public CoSentLoss {
    MultipleNegativesLoss.checkScale(scale);
  }

  @Override
  public boolean comparesExamples() {
    return true;
  }

  @Override
  public ValueInfo labels(TensorType logits) {
    CosineSimilarityLoss.checkPairs(logits);
    return EmbeddingLoss.scoresOfRows(logits);
  }

  @Override
  public String emit(GraphBuilder b, String logits, TensorType type) {
    ElementType real = type.elementType();
    String scores = b.mul(CosineSimilarityLoss.cosines(b, logits, type), b.scalar(real, scale));
    String differences = b.sub(b.unsqueeze(scores, 1), b.unsqueeze(scores, 0));
    String below = b.op("Less", b.unsqueeze(LABELS, 1), b.unsqueeze(LABELS, 0));
    String wrong = b.where(below, differences, b.scalar(real, LEAST));
    String one = b.reshape(b.scalar(real, 0), 1);
    return b.reduce("ReduceLogSumExp", b.concat(0, one, b.reshape(wrong, -1)), "", false);
  }
}
