package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;

/**
 * Distillation of margins (Hofstätter et al. 2020, arXiv 2010.02666; {@code MarginMSELoss}): how
 * much higher the positive's product with the anchor is than a negative's is to be what it is by a
 * teacher's scores. The squared error, the mean over the rows of the mean over the negatives of a
 * row. Labels are the teacher's scores of the positive and of each negative, (batch, texts): a
 * negative with the score {@link CrossEntropyLoss#IGNORE_INDEX}, which no teacher may have given
 * then, is none.
 */
public record MarginMseLoss() implements EmbeddingLoss {
  @Override
  public ValueInfo labels(TensorType logits) {
    return EmbeddingLoss.scores(logits);
  }

  @Override
  public String emit(GraphBuilder b, String logits, TensorType type) {
    ElementType real = type.elementType();
    String counts =
        EmbeddingLoss.there(b, EmbeddingLoss.slice(b, LABELS, 1, 1, Long.MAX_VALUE), real);
    String error = b.sub(margins(b, EmbeddingLoss.products(b, logits)), margins(b, LABELS));
    return EmbeddingLoss.meanOfRows(b, b.mul(error, error), counts, type);
  }

  private static String margins(GraphBuilder b, String scores) {
    return b.sub(
        EmbeddingLoss.slice(b, scores, 1, 0, 1),
        EmbeddingLoss.slice(b, scores, 1, 1, Long.MAX_VALUE));
  }
}
