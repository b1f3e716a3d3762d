package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.List;
import java.util.function.IntToDoubleFunction;

/**
 * A loss over embeddings (batch, texts, dimension), of which the first of each row is the anchor
 * and the others are texts that it is compared with. Each row is one example and counts as much as
 * any other, whatever its labels are. The formulas are those of sentence-transformers.
 */
interface EmbeddingLoss extends Loss {
  /** The square of what {@code torch.nn.functional.normalize} divides by at least, 1e-12. */
  double LEAST_SQUARED_LENGTH = 1e-24;

  /**
   * What a place is filled up with that has no label: rows of a batch have as many as the widest.
   */
  long NONE = CrossEntropyLoss.IGNORE_INDEX;

  @Override
  default List<Logits.Form> forms() {
    return List.of(Logits.Form.EMBEDDINGS);
  }

  @Override
  default double weight(int count, IntToDoubleFunction labels) {
    return 1;
  }

  /**
   * The shape of embeddings.
   *
   * @throws LoraGraphException if they are none
   */
  static Shape shape(TensorType logits) {
    Shape shape = logits.shape();
    if (shape == null || shape.rank() != 3) {
      throw new LoraGraphException(
          "logits of shape "
              + shape
              + " are not (batch, texts, dimension): this loss is of embeddings");
    }
    return shape;
  }

  /** Whole numbers, as many for each row as the widest has. */
  static ValueInfo ids(TensorType logits) {
    Shape shape = new Shape(List.of(shape(logits).dimension(0), Dimension.unknown()));
    return ValueInfo.of(LABELS, new TensorType(ElementType.INT64, shape));
  }

  /** A number for each text but the anchor. */
  static ValueInfo scores(TensorType logits) {
    Dimension all = shape(logits).dimension(1);
    Dimension texts = all.isKnown() ? Dimension.of(all.size() - 1) : Dimension.unknown();
    return ValueInfo.of(
        LABELS,
        new TensorType(
            logits.elementType(), new Shape(List.of(shape(logits).dimension(0), texts))));
  }

  /** A number for each row. */
  static ValueInfo scoresOfRows(TensorType logits) {
    return ValueInfo.of(
        LABELS,
        new TensorType(logits.elementType(), new Shape(List.of(shape(logits).dimension(0)))));
  }

  /** Entries along an axis, from one to before another. */
  static String slice(GraphBuilder b, String x, long axis, long from, long to) {
    return b.op("Slice", x, b.longs(from), b.longs(to), b.longs(axis));
  }

  /** (batch, 1, dimension): the anchors. */
  static String anchors(GraphBuilder b, String logits) {
    return slice(b, logits, 1, 0, 1);
  }

  /** (batch, texts, dimension): what they are compared with. */
  static String texts(GraphBuilder b, String logits) {
    return slice(b, logits, 1, 1, Long.MAX_VALUE);
  }

  /** x / max(||x||, 1e-12) along the last axis, with a gradient that is finite where x is 0. */
  static String unit(GraphBuilder b, String x, TensorType type) {
    String squares = b.reduceSum(b.mul(x, x), true, -1);
    String least = b.scalar(type.elementType(), LEAST_SQUARED_LENGTH);
    return b.div(x, b.sqrt(b.op("Max", squares, least)));
  }

  /** (batch, texts): the products of anchors and texts. */
  static String products(GraphBuilder b, String logits) {
    return b.reduceSum(b.mul(anchors(b, logits), texts(b, logits)), false, -1);
  }

  /** (batch, texts): the cosines of anchors and texts. */
  static String cosines(GraphBuilder b, String logits, TensorType type) {
    return products(b, unit(b, logits, type));
  }

  /** The mean over all entries. */
  static String mean(GraphBuilder b, String x) {
    return b.reduce("ReduceMean", x, "", false);
  }

  /**
   * The mean over the rows of the mean over those entries of a row that count; a row in which none
   * does is 0.
   *
   * @param counts names BOOL of the shape of {@code x}, (batch, entries)
   */
  static String meanOfRows(GraphBuilder b, String x, String counts, TensorType type) {
    ElementType real = type.elementType();
    String kept = b.where(counts, x, b.scalar(real, 0));
    String count = b.reduceSum(b.cast(counts, real), false, 1);
    String sums = b.reduceSum(kept, false, 1);
    return mean(b, b.div(sums, b.op("Max", count, b.scalar(real, 1))));
  }

  /** BOOL: whether labels are there. */
  static String there(GraphBuilder b, String labels, ElementType type) {
    return b.op("Not", b.op("Equal", labels, b.scalar(type, NONE)));
  }
}
