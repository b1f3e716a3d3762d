package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.List;

/**
 * Mean squared error, as {@code torch.nn.MSELoss}: for regression with one output (similarity,
 * rating). Logits are (batch, 1), labels numbers of shape (batch).
 */
public record MeanSquaredErrorLoss() implements Loss {
  @Override
  public List<Logits.Form> forms() {
    return List.of(Logits.Form.NUMBER);
  }

  @Override
  public ValueInfo labels(TensorType logits) {
    Shape shape = logits.shape();
    if (shape == null
        || shape.rank() != 2
        || (shape.dimension(1).isKnown() && shape.dimension(1).size() != 1)) {
      throw new LoraGraphException(
          "logits of shape "
              + shape
              + " are not (batch, 1): regression needs a model with one output");
    }
    return ValueInfo.of(
        LABELS, new TensorType(logits.elementType(), new Shape(shape.dimensions().subList(0, 1))));
  }

  @Override
  public String emit(GraphBuilder b, String logits, TensorType type) {
    String error = b.sub(b.squeeze(logits, 1), LABELS);
    return b.reduce("ReduceMean", b.mul(error, error), "", false);
  }
}
