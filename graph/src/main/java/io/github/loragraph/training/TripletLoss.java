package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.Locale;

/**
 * A positive, the first text of a row, has to be nearer to the anchor than each negative by a
 * margin ({@code TripletLoss}): {@code max(0, d(anchor, positive) - d(anchor, negative) + margin)},
 * the mean over the rows of the mean over the negatives of a row. Labels are INT64 (batch,
 * columns), the ids of the row's texts, the anchor's first: a negative whose id is {@link
 * CrossEntropyLoss#IGNORE_INDEX} is none.
 *
 * @param margin 5 as a rule with euclidean distances
 */
public record TripletLoss(double margin, Distance distance) implements EmbeddingLoss {
  /** {@code eps} of {@code torch.nn.functional.pairwise_distance}. */
  private static final double ADDED = 1e-6;

  /** How far apart two embeddings are. */
  public enum Distance {
    /** 1 - cosine. */
    COSINE,
    /** The length of the difference. */
    EUCLIDEAN;

    /** The name by which it is chosen. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public TripletLoss {
    if (!(margin >= 0 && Double.isFinite(margin))) {
      throw new LoraGraphException(
          "a margin of %s is not possible: it is 0 or more, 5 as a rule".formatted(margin));
    }
  }

  @Override
  public ValueInfo labels(TensorType logits) {
    return EmbeddingLoss.ids(logits);
  }

  @Override
  public String emit(GraphBuilder b, String logits, TensorType type) {
    ElementType real = type.elementType();
    String distances =
        distance == Distance.COSINE
            ? b.sub(b.scalar(real, 1), EmbeddingLoss.cosines(b, logits, type))
            : euclidean(b, logits, real);
    String ofPositive = EmbeddingLoss.slice(b, distances, 1, 0, 1);
    String ofNegatives = EmbeddingLoss.slice(b, distances, 1, 1, Long.MAX_VALUE);
    String above = b.add(b.sub(ofPositive, ofNegatives), b.scalar(real, margin));
    String width = EmbeddingLoss.slice(b, b.shape(logits), 0, 1, 2);
    String ids = b.op("Slice", LABELS, b.longs(2), width, b.longs(1));
    String counts = EmbeddingLoss.there(b, ids, ElementType.INT64);
    return EmbeddingLoss.meanOfRows(b, b.op("Relu", above), counts, type);
  }

  /**
   * With a little added to each difference, so that the root has a gradient where both are equal.
   */
  private static String euclidean(GraphBuilder b, String logits, ElementType real) {
    String difference = b.sub(EmbeddingLoss.anchors(b, logits), EmbeddingLoss.texts(b, logits));
    String moved = b.add(difference, b.scalar(real, ADDED));
    return b.sqrt(b.reduceSum(b.mul(moved, moved), false, -1));
  }
}
