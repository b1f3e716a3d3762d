package io.github.loragraph.training;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;

/**
 * Binary cross-entropy on logits, as {@code torch.nn.BCEWithLogitsLoss}: for several labels at
 * once. Logits are (batch, labels), labels numbers in [0, 1] of the same shape. Written as {@code
 * softplus(x) - x z}, which overflows nowhere.
 */
public record BinaryCrossEntropyLoss() implements Loss {
  @Override
  public ValueInfo labels(TensorType logits) {
    if (logits.shape() == null || logits.shape().rank() != 2) {
      throw new LoraGraphException(
          "logits of shape "
              + logits.shape()
              + " are not (batch, labels): multilabel training needs a classification head");
    }
    return ValueInfo.of(LABELS, logits);
  }

  @Override
  public String emit(GraphBuilder b, String logits, TensorType type) {
    String each = b.sub(b.op("Softplus", logits), b.mul(logits, LABELS));
    return b.reduce("ReduceMean", each, "", false);
  }
}
