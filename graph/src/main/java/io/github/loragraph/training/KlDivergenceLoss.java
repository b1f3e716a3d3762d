package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;

/**
 * Distillation of a ranking ({@code DistillKLDivLoss}): the divergence of the softmax over a row's
 * products with its anchor from that over a teacher's scores, both divided by the temperature
 * first; the mean over the rows, times the temperature squared. Labels are the teacher's scores of
 * each text, (batch, texts): a text with the score {@link CrossEntropyLoss#IGNORE_INDEX}, which no
 * teacher may have given then, is none.
 *
 * @param temperature 1 as a rule
 */
public record KlDivergenceLoss(double temperature) implements EmbeddingLoss {
  /** Of which nothing is left in the exponential, and which stays finite in a product with 0. */
  private static final double LEAST = -1e9;

  public KlDivergenceLoss {
    if (!(temperature > 0 && Double.isFinite(temperature))) {
      throw new LoraGraphException(
          "a temperature of %s is not possible: it is above 0, 1 as a rule".formatted(temperature));
    }
  }

  @Override
  public ValueInfo labels(TensorType logits) {
    return EmbeddingLoss.scores(logits);
  }

  @Override
  public String emit(GraphBuilder b, String logits, TensorType type) {
    ElementType real = type.elementType();
    String counts = EmbeddingLoss.there(b, LABELS, real);
    String student = logProbabilities(b, EmbeddingLoss.products(b, logits), counts, real);
    String teacher = logProbabilities(b, LABELS, counts, real);
    String divergences = b.mul(b.exp(teacher), b.sub(teacher, student));
    return b.mul(
        EmbeddingLoss.mean(b, b.reduceSum(divergences, false, 1)),
        b.scalar(real, temperature * temperature));
  }

  private String logProbabilities(GraphBuilder b, String scores, String counts, ElementType real) {
    String scaled = b.mul(scores, b.scalar(real, 1 / temperature));
    String kept = b.where(counts, scaled, b.scalar(real, LEAST));
    return b.op("LogSoftmax", n -> n.with("axis", 1), kept);
  }
}
