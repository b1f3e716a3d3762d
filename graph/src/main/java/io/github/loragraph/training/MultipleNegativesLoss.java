package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;

/**
 * Multiple negatives ranking (Henderson et al. 2017, arXiv 1705.00652; {@code
 * MultipleNegativesRankingLoss}): each anchor has to find its positive, the first text of its row,
 * among the texts of all rows, by the cross-entropy of {@code scale * cosine}.
 *
 * <p>Labels are INT64 (batch, columns): the ids of the row's texts, the anchor's first, where equal
 * ids are equal texts; then, in as many columns as the batch needs, ids of further texts that are
 * right for the anchor. {@link CrossEntropyLoss#IGNORE_INDEX} fills up: a text of this id is none.
 * What is right for an anchor is never a negative of it: its own text, what a row with the same
 * anchor says is right, and the same texts wherever else they stand in the batch.
 *
 * @param scale what cosines are multiplied by, 20 as a rule; the inverse of a temperature
 * @param symmetric whether positives have to find their anchors, too; the loss is the mean of both
 *     ({@code MultipleNegativesSymmetricRankingLoss})
 */
public record MultipleNegativesLoss(double scale, boolean symmetric) implements EmbeddingLoss {
  public MultipleNegativesLoss {
    checkScale(scale);
  }

  static void checkScale(double scale) {
    if (!(scale > 0 && Double.isFinite(scale))) {
      throw new LoraGraphException(
          "a scale of %s is not possible: it is above 0, 20 as a rule".formatted(scale));
    }
  }

  @Override
  public boolean comparesExamples() {
    return true;
  }

  @Override
  public ValueInfo labels(TensorType logits) {
    return EmbeddingLoss.ids(logits);
  }

  @Override
  public String emit(GraphBuilder b, String logits, TensorType type) {
    ElementType real = type.elementType();
    String unit = EmbeddingLoss.unit(b, logits, type);
    String anchors = b.squeeze(EmbeddingLoss.anchors(b, unit), 1);
    // The positives of all rows come first, then all second texts, and so on.
    String texts = b.transpose(EmbeddingLoss.texts(b, unit), 1, 0, 2);
    String candidates = b.reshape(texts, b.concat(0, b.longs(-1), size(b, logits, 2)));
    String scores = b.gemm(anchors, false, candidates, true, "", (float) scale);

    String batch = b.squeeze(size(b, logits, 0), 0);
    String rows = b.op("Range", zero(b), batch, b.scalar(ElementType.INT64, 1));
    String own = b.unsqueeze(rows, 1);
    String excluded = excluded(b, logits, own);
    String least = b.scalar(real, Double.NEGATIVE_INFINITY);
    String kept = b.where(excluded, least, scores);
    String loss = crossEntropy(b, kept, own);
    if (!symmetric) {
      return loss;
    }
    String ofPositives =
        b.op("Slice", kept, b.longs(0), size(b, logits, 0), b.longs(1)); // (batch, batch)
    return b.mul(
        b.add(loss, crossEntropy(b, b.transpose(ofPositives, 1, 0), own)), b.scalar(real, 0.5));
  }

  private static String zero(GraphBuilder b) {
    return b.scalar(ElementType.INT64, 0);
  }

  /** One size of the embeddings, as a vector of one number. */
  private static String size(GraphBuilder b, String logits, long axis) {
    return EmbeddingLoss.slice(b, b.shape(logits), 0, axis, axis + 1);
  }

  /**
   * BOOL (batch, candidates): what is no negative of an anchor, and not its own positive either.
   *
   * @param own (batch, 1): the place of each row's positive
   */
  private static String excluded(GraphBuilder b, String logits, String own) {
    ElementType real = ElementType.FLOAT;
    String width = size(b, logits, 1);
    String axis = b.longs(1);
    String textIds = b.op("Slice", LABELS, b.longs(1), width, axis);
    String ids = b.reshape(b.transpose(textIds, 1, 0), 1, 1, -1);
    String positives = EmbeddingLoss.slice(b, LABELS, 1, 0, 2);
    String further = b.op("Slice", LABELS, width, b.longs(Long.MAX_VALUE), axis);
    String right = b.unsqueeze(b.concat(1, positives, further), 2);
    String same = b.cast(b.op("Equal", right, ids), real);
    String known = b.reduce("ReduceMax", same, b.longs(1), false);
    // What rows with the same anchor know is known here, too.
    String anchorIds = EmbeddingLoss.slice(b, LABELS, 1, 0, 1);
    String sameAnchor = b.cast(b.op("Equal", anchorIds, b.transpose(anchorIds, 1, 0)), real);
    String byAny = b.op("Greater", b.matMul(sameAnchor, known), b.scalar(real, 0));
    String flat = b.reshape(ids, 1, -1);
    String missing = b.op("Equal", flat, b.scalar(ElementType.INT64, NONE));
    String count = b.squeeze(EmbeddingLoss.slice(b, b.shape(flat), 0, 1, 2), 0);
    String places = b.op("Range", zero(b), count, b.scalar(ElementType.INT64, 1));
    String others = b.op("Not", b.op("Equal", own, places));
    return b.op("And", b.op("Or", byAny, missing), others);
  }

  /**
   * The mean over the rows.
   *
   * @param scores (rows, candidates)
   * @param right (rows, 1): the place of the right one
   */
  static String crossEntropy(GraphBuilder b, String scores, String right) {
    String logProbabilities = b.op("LogSoftmax", n -> n.with("axis", 1), scores);
    String picked = b.op("GatherElements", n -> n.with("axis", 1), logProbabilities, right);
    return b.neg(EmbeddingLoss.mean(b, picked));
  }
}
