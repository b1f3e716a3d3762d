package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.List;

/**
 * Binary cross-entropy with logits, as {@code torch.nn.BCEWithLogitsLoss}: any number of classes
 * for each example. Logits are (batch, classes), labels numbers from 0 to 1 of the same shape; the
 * mean goes over all of them.
 */
public record BinaryCrossEntropyLoss() implements Loss {
  @Override
  public List<Logits.Form> forms() {
    return List.of(Logits.Form.CLASS_SET);
  }

  @Override
  public ValueInfo labels(TensorType logits) {
    Shape shape = logits.shape();
    if (shape == null || shape.rank() != 2) {
      throw new LoraGraphException(
          "logits of shape "
              + shape
              + " are not (batch, classes): several labels at once need a model with a head");
    }
    return ValueInfo.of(LABELS, logits);
  }

  /** softplus(x) - x y is -y log(sigmoid(x)) - (1 - y) log(1 - sigmoid(x)) without overflow. */
  @Override
  public String emit(GraphBuilder b, String logits, TensorType type) {
    String entropy = b.sub(b.op("Softplus", logits), b.mul(logits, LABELS));
    return b.reduce("ReduceMean", entropy, "", false);
  }
}
