package io.github.loragraph.training;

import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;

/**
 * The sum of embeddings times labels of the same shape, (batch, texts, dimension). Its gradient by
 * the embeddings is the labels, so it goes on with a gradient that was worked out elsewhere: by
 * {@link LossGradient} over the embeddings of a batch that is too large to be trained at once (Gao
 * et al. 2021, arXiv 2101.06983). It is a sum and not a mean: the losses of the parts of a batch
 * add up, so none of them is to be weighted by its share of it.
 */
public record GradientLoss() implements EmbeddingLoss {
  @Override
  public ValueInfo labels(TensorType logits) {
    return ValueInfo.of(LABELS, new TensorType(logits.elementType(), EmbeddingLoss.shape(logits)));
  }

  @Override
  public String emit(GraphBuilder b, String logits, TensorType type) {
    return b.reduce("ReduceSum", b.mul(logits, LABELS), "", false);
  }
}
