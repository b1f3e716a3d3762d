package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Each anchor has to find its document among those of a whole corpus, whose embeddings stay as they
 * are: the cross-entropy of {@code scale * cosine} over all of them. Embeddings are (batch, 1,
 * dimension), the anchors ({@link Towers#anchorAlone}). Labels are INT64 (batch, columns): the
 * place of the right document, then those of others that are right, too, which are no negatives;
 * {@link CrossEntropyLoss#IGNORE_INDEX} fills up.
 *
 * @param documents FLOAT (count, dimension), each of length 1, which is a constant of the graph
 * @param scale what cosines are multiplied by, 20 as a rule
 */
public record CorpusNegativesLoss(Tensor documents, double scale) implements EmbeddingLoss {
  /** How far a sum of squares may be from 1 by rounding. */
  private static final double ROUNDING = 1e-5;

  /**
   * @param documents of any lengths: those of another length than 1 are normalized, in a copy
   * @throws LoraGraphException if they are not FLOAT (count, dimension), or none
   */
  public CorpusNegativesLoss {
    MultipleNegativesLoss.checkScale(scale);
    if (documents.rank() != 2
        || documents.elementType() != ElementType.FLOAT
        || documents.elementCount() == 0) {
      throw new LoraGraphException(
          "documents of type %s are not FLOAT (count, dimension)".formatted(documents.type()));
    }
    documents = unit(documents, Math.toIntExact(documents.dim(1)));
  }

  /** The first numbers of each document, of length 1; the same tensor where it is that already. */
  private static Tensor unit(Tensor documents, int dimension) {
    int count = Math.toIntExact(documents.dim(0));
    int width = Math.toIntExact(documents.dim(1));
    FloatBuffer from = documents.bytes().asFloatBuffer();
    if (dimension == width && isUnit(from, count, width)) {
      return documents;
    }
    // Outside of the heap, where a runtime can read it in place.
    ByteBuffer to =
        ByteBuffer.allocateDirect(Math.multiplyExact(Math.multiplyExact(count, dimension), 4))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int row = 0; row < count; row++) {
      double squares = squares(from, row * width, dimension);
      double length = Math.sqrt(Math.max(squares, LEAST_SQUARED_LENGTH));
      for (int i = 0; i < dimension; i++) {
        to.putFloat((float) (from.get(row * width + i) / length));
      }
    }
    return Tensor.of(documents.name(), ElementType.FLOAT, to.flip(), count, dimension);
  }

  private static boolean isUnit(FloatBuffer values, int count, int width) {
    for (int row = 0; row < count; row++) {
      if (!(Math.abs(squares(values, row * width, width) - 1) <= ROUNDING)) {
        return false;
      }
    }
    return true;
  }

  private static double squares(FloatBuffer values, int start, int count) {
    double sum = 0;
    for (int i = start; i < start + count; i++) {
      sum += (double) values.get(i) * values.get(i);
    }
    return sum;
  }

  @Override
  public Loss ofFirst(int dimensions) {
    return new CorpusNegativesLoss(unit(documents, dimensions), scale);
  }

  @Override
  public ValueInfo labels(TensorType logits) {
    Dimension texts = EmbeddingLoss.shape(logits).dimension(1);
    if (texts.isKnown() && texts.size() != 1) {
      throw new LoraGraphException(
          "rows of %d texts are no anchors alone, which a corpus is searched for"
              .formatted(texts.size()));
    }
    Dimension dimension = EmbeddingLoss.shape(logits).dimension(2);
    if (dimension.isKnown() && dimension.size() != documents.dim(1)) {
      throw new LoraGraphException(
          "the documents' embeddings have %d numbers and the model's %d"
              .formatted(documents.dim(1), dimension.size()));
    }
    return EmbeddingLoss.ids(logits);
  }

  @Override
  public String emit(GraphBuilder b, String logits, TensorType type) {
    ElementType real = type.elementType();
    String name = b.graph().freshName("documents");
    String given = b.initializer(documents.withName(name));
    String corpus = real == ElementType.FLOAT ? given : b.cast(given, real);
    String anchors = b.squeeze(EmbeddingLoss.unit(b, logits, type), 1);
    String scores = b.gemm(anchors, false, corpus, true, "", (float) scale);

    String right = EmbeddingLoss.slice(b, LABELS, 1, 0, 1);
    String missing = b.op("Equal", LABELS, b.scalar(ElementType.INT64, NONE));
    String others = b.where(missing, right, LABELS);
    String none = filled(b, b.shape(scores), 0);
    String ones = filled(b, b.shape(others), 1);
    String marked = b.op("ScatterElements", n -> n.with("axis", 1), none, others, ones);
    String count = b.scalar(ElementType.INT64, documents.dim(0));
    String places = b.op("Range", zero(b), count, b.scalar(ElementType.INT64, 1));
    String notOwn = b.op("Not", b.op("Equal", right, places));
    String excluded = b.op("And", b.op("Greater", marked, b.scalar(ElementType.FLOAT, 0)), notOwn);
    String kept = b.where(excluded, b.scalar(real, Double.NEGATIVE_INFINITY), scores);
    return MultipleNegativesLoss.crossEntropy(b, kept, right);
  }

  private static String filled(GraphBuilder b, String shape, double value) {
    Tensor number = Tensor.filled("value", ElementType.FLOAT, value, 1);
    return b.op("ConstantOfShape", n -> n.with("value", number), shape);
  }

  private static String zero(GraphBuilder b) {
    return b.scalar(ElementType.INT64, 0);
  }
}
