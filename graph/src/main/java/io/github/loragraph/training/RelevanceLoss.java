package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The losses of a reranker, which reads a query and a document as one pair and answers one logit,
 * its relevance. Logits are (batch, 1), a pair in each row; labels (batch, 2), of the type of the
 * logits: the number of the pair's query, and how relevant the document is to it, from 0 to 1.
 *
 * <p>The pairs of one query need not stand together, and queries may have different numbers of
 * them: which rows belong together is seen from the numbers of the queries, so that no row is there
 * for padding.
 *
 * @param kind what is computed of them
 * @param ignoredLabel the relevance of pairs that count nothing, or null if there are none
 */
public record RelevanceLoss(Kind kind, @Nullable Long ignoredLabel) implements Loss {
  /** A logit that is not the query's own: its exponential is 0. */
  private static final double ELSEWHERE = -1e9;

  /** What is computed of the logits. */
  public enum Kind {
    /**
     * Binary cross-entropy of each pair by itself, the mean over all pairs: {@code
     * torch.nn.BCEWithLogitsLoss}, and BinaryCrossEntropyLoss of sentence-transformers'
     * cross-encoders. The query plays no part.
     */
    BINARY_CROSS_ENTROPY,

    /**
     * Cross-entropy of the softmax over a query's candidates with their relevance as the target, as
     * shares of its sum: with one relevant document the plain softmax cross-entropy. The mean over
     * the queries that have a relevant document; others count nothing.
     */
    LISTWISE_SOFTMAX,

    /**
     * The same with the softmax of the relevance as the target, as ListNetLoss of
     * sentence-transformers: ListNet's top-one probabilities (Cao et al., Learning to Rank: From
     * Pairwise Approach to Listwise Approach, ICML 2007). The mean over all queries.
     */
    LIST_NET
  }

  /** Without pairs that count nothing. */
  public RelevanceLoss(Kind kind) {
    this(kind, null);
  }

  @Override
  public List<Logits.Form> forms() {
    return List.of(Logits.Form.RELEVANCE);
  }

  @Override
  public boolean comparesRows() {
    return kind != Kind.BINARY_CROSS_ENTROPY;
  }

  @Override
  public Optional<Loss> ignoring(long label) {
    return comparesRows() ? Optional.empty() : Optional.of(new RelevanceLoss(kind, label));
  }

  /** The pairs, or the queries, that its mean goes over. */
  @Override
  public double weight(List<double[]> rows) {
    if (!comparesRows()) {
      return rows.stream().filter(row -> ignoredLabel == null || row[1] != ignoredLabel).count();
    }
    return rows.stream()
        .filter(row -> kind == Kind.LIST_NET || row[1] > 0)
        .mapToDouble(row -> row[0])
        .distinct()
        .count();
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
              + " are not (batch, 1): a reranker is a model with one output");
    }
    return ValueInfo.of(
        LABELS,
        new TensorType(
            logits.elementType(), new Shape(List.of(shape.dimension(0), Shape.Dimension.of(2)))));
  }

  @Override
  public String emit(GraphBuilder b, String logits, TensorType type) {
    ElementType real = type.elementType();
    String scores = b.squeeze(logits, 1);
    String relevance = b.gather(LABELS, b.scalar(ElementType.INT64, 1), 1);
    return comparesRows()
        ? listwise(b, scores, relevance, real)
        : binaryCrossEntropy(b, scores, relevance, real);
  }

  /** As {@link BinaryCrossEntropyLoss}, without those that count nothing. */
  private String binaryCrossEntropy(
      GraphBuilder b, String scores, String relevance, ElementType real) {
    if (ignoredLabel == null) {
      return b.reduce("ReduceMean", entropy(b, scores, relevance), "", false);
    }
    String ignored = b.op("Equal", relevance, b.scalar(real, ignoredLabel));
    String counted = b.cast(b.op("Not", ignored), real);
    String target = b.where(ignored, b.scalar(real, 0), relevance);
    String sum = b.reduce("ReduceSum", b.mul(entropy(b, scores, target), counted), "", false);
    return b.div(sum, positive(b, b.reduce("ReduceSum", counted, "", false), real));
  }

  private static String entropy(GraphBuilder b, String scores, String relevance) {
    return b.sub(b.op("Softplus", scores), b.mul(scores, relevance));
  }

  /**
   * Row i of the square holds the scores of the candidates of pair i's query, where they stand in
   * the batch: each query has as many equal rows as candidates, and each counts that share of it.
   */
  private String listwise(GraphBuilder b, String scores, String relevance, ElementType real) {
    String query = b.gather(LABELS, b.scalar(ElementType.INT64, 0), 1);
    String together = b.op("Equal", b.unsqueeze(query, 1), b.unsqueeze(query, 0));
    String own = b.cast(together, real);
    String elsewhere = b.scalar(real, ELSEWHERE);
    String logits = b.where(together, b.unsqueeze(scores, 0), elsewhere);
    String logProbabilities = b.op("LogSoftmax", n -> n.with("axis", 1), logits);
    String ofQuery = b.div(b.scalar(real, 1), b.reduceSum(own, false, 1));
    String targets;
    String weights;
    if (kind == Kind.LIST_NET) {
      String labels = b.where(together, b.unsqueeze(relevance, 0), elsewhere);
      targets = b.op("Softmax", n -> n.with("axis", 1), labels);
      weights = ofQuery;
    } else {
      String relevant = b.mul(own, b.unsqueeze(relevance, 0));
      String sum = b.reduceSum(relevant, true, 1);
      targets = b.div(relevant, positive(b, sum, real));
      String some = b.cast(b.op("Greater", b.squeeze(sum, 1), b.scalar(real, 0)), real);
      weights = b.mul(ofQuery, some);
    }
    String entropies = b.neg(b.reduceSum(b.mul(targets, logProbabilities), false, 1));
    String sum = b.reduce("ReduceSum", b.mul(entropies, weights), "", false);
    return b.div(sum, positive(b, b.reduce("ReduceSum", weights, "", false), real));
  }

  /**
   * A batch in which nothing counts has the loss 0 and no gradient, where 0/0 would end the run.
   */
  private static String positive(GraphBuilder b, String sum, ElementType real) {
    String none = b.op("Equal", sum, b.scalar(real, 0));
    return b.where(none, b.scalar(real, 1), sum);
  }
}
