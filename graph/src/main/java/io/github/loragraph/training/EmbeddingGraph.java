package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Writes pooling and normalization at the end of an encoder, in the operator set that it has, with
 * the formulas of sentence-transformers.
 */
final class EmbeddingGraph {
  private static final int SUM_AXES_ARE_INPUT_SINCE = 13;
  private static final int AXES_ARE_INPUT_SINCE = 18;

  /** {@code torch.clamp(sum_mask, min=1e-9)} of sentence-transformers: a row without tokens. */
  private static final double LEAST_COUNT = 1e-9;

  /** What it puts in the place of tokens that do not count, before the largest is taken. */
  private static final double BELOW_ALL = -1e9;

  /** The square of what {@code torch.nn.functional.normalize} divides by at least, 1e-12. */
  private static final double LEAST_SQUARED_LENGTH = 1e-24;

  private final GraphBuilder b;
  private final int opset;

  /** The attention mask's name; null where the model has none. */
  private final @Nullable String mask;

  /**
   * @param mask names the input (batch, sequence) that is 1 for tokens and 0 for padding
   */
  EmbeddingGraph(Graph graph, int opset, @Nullable String mask) {
    this.b = new GraphBuilder(graph, "/pooling");
    this.opset = opset;
    this.mask = mask;
  }

  /**
   * @param tokens names FLOAT (batch, sequence, dimension)
   * @return the name of FLOAT (batch, dimension)
   */
  String pooled(String tokens, Pooling pooling) {
    return switch (pooling) {
      case MEAN -> mean(tokens);
      case CLS -> b.gather(tokens, b.scalar(ElementType.INT64, 0), 1);
      case LASTTOKEN -> last(tokens);
      case MAX -> largest(tokens);
    };
  }

  private String mean(String tokens) {
    if (mask == null) {
      return reduced("ReduceMean", tokens, 1, false);
    }
    String counted = b.cast(mask, ElementType.FLOAT);
    String sum = reduced("ReduceSum", b.mul(tokens, column(counted)), 1, false);
    String count = reduced("ReduceSum", counted, 1, true);
    return b.div(sum, b.op("Max", count, b.scalar(ElementType.FLOAT, LEAST_COUNT)));
  }

  /** The row of a matrix product that has a 1 at the last place that counts, and else zeros. */
  private String last(String tokens) {
    if (mask == null) {
      return b.gather(tokens, b.scalar(ElementType.INT64, -1), 1);
    }
    String counted = b.cast(mask, ElementType.FLOAT);
    String length = b.gather(b.shape(mask), b.scalar(ElementType.INT64, 1), 0);
    String one = b.scalar(ElementType.INT64, 1);
    // From 1 on, so that a place that does not count, 0, is none of them.
    String places = b.cast(b.op("Range", one, b.add(length, one), one), ElementType.FLOAT);
    String kept = b.mul(counted, places);
    String furthest = reduced("ReduceMax", kept, 1, true);
    String isLast = b.cast(b.op("Equal", kept, furthest), ElementType.FLOAT);
    String row = b.mul(isLast, counted);
    return b.reshape(b.matMul(b.reshape(row, 0, 1, -1), tokens), 0, -1);
  }

  private String largest(String tokens) {
    if (mask == null) {
      return reduced("ReduceMax", tokens, 1, false);
    }
    String counts = b.cast(mask, ElementType.BOOL);
    String kept = b.where(column(counts), tokens, b.scalar(ElementType.FLOAT, BELOW_ALL));
    return reduced("ReduceMax", kept, 1, false);
  }

  /** For each token one number, as wide as the token's vector is. */
  private String column(String value) {
    return b.reshape(value, 0, 0, 1);
  }

  /**
   * x / max(||x||, 1e-12), with the bound below the root, where the derivative is finite for zero.
   *
   * @param embedding names FLOAT (batch, dimension)
   */
  String normalized(String embedding) {
    b.setScope("/normalize");
    String squares = reduced("ReduceSum", b.mul(embedding, embedding), 1, true);
    String bounded = b.op("Max", squares, b.scalar(ElementType.FLOAT, LEAST_SQUARED_LENGTH));
    return b.div(embedding, b.sqrt(bounded));
  }

  /** The same numbers as FLOAT. */
  String inSingle(String value) {
    return b.cast(value, ElementType.FLOAT);
  }

  /** The axis is an attribute or an input, by the model's operator set. */
  private String reduced(String op, String x, long axis, boolean keepDims) {
    int since = op.equals("ReduceSum") ? SUM_AXES_ARE_INPUT_SINCE : AXES_ARE_INPUT_SINCE;
    if (opset >= since) {
      return b.reduce(op, x, b.longs(axis), keepDims);
    }
    return b.op(
        op, node -> node.with("axes", new long[] {axis}).with("keepdims", keepDims ? 1 : 0), x);
  }
}
