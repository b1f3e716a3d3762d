package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.List;

/**
 * The loss of a language model that predicts each token from those before it, as Hugging Face's
 * {@code ForCausalLM} models have it: the cross-entropy of {@code logits[:, :-1]} and {@code
 * labels[:, 1:]}, the mean over all labels that are not {@link CrossEntropyLoss#IGNORE_INDEX}.
 * Logits are (batch, sequence, vocabulary); labels (batch, sequence), INT64, are given as the input
 * ids are, not shifted.
 */
public record CausalLanguageModelLoss() implements Loss {
  private static final CrossEntropyLoss OF_NEXT =
      new CrossEntropyLoss(0, List.of(), CrossEntropyLoss.IGNORE_INDEX);

  @Override
  public List<Logits.Form> forms() {
    return List.of(Logits.Form.TOKEN_CLASSES);
  }

  @Override
  public ValueInfo labels(TensorType logits) {
    Shape shape = logits.shape();
    if (shape == null || shape.rank() != 3) {
      throw new LoraGraphException(
          "logits of shape "
              + shape
              + " are not (batch, sequence, vocabulary): this loss is a language model's");
    }
    return OF_NEXT.labels(logits);
  }

  /** The last place of each row has nothing to predict, so its label is one that is ignored. */
  @Override
  public String emit(GraphBuilder b, String logits, TensorType type) {
    String axis = b.longs(1);
    String next = b.op("Slice", LABELS, b.longs(1), b.longs(Long.MAX_VALUE), axis);
    String first = b.op("Slice", LABELS, b.longs(0), b.longs(1), axis);
    String ignored =
        b.add(
            b.mul(first, b.scalar(ElementType.INT64, 0)),
            b.scalar(ElementType.INT64, CrossEntropyLoss.IGNORE_INDEX));
    String shifted = b.concat(1, next, ignored);
    return OF_NEXT.emit(b, logits, shifted, type);
  }
}
