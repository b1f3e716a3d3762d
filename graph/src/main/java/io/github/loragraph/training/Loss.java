package io.github.loragraph.training;

import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.List;
import java.util.Optional;
import java.util.function.IntToDoubleFunction;

/** A loss function: the labels that it takes, and its graph over the logits. */
public interface Loss {
  /** The name of the graph input that takes the labels. */
  String LABELS = "labels";

  /** What it takes: one of these. */
  List<Logits.Form> forms();

  /**
   * Declares the labels for logits of a type: element type and shape of one batch.
   *
   * @throws io.github.loragraph.error.LoraGraphException if logits of this type do not fit the loss
   */
  ValueInfo labels(TensorType logits);

  /**
   * Emits the loss of a batch, averaged as PyTorch does.
   *
   * @param logits names the model's output
   * @param type the type of the logits
   * @return the name of a scalar
   */
  String emit(GraphBuilder b, String logits, TensorType type);

  /**
   * The same loss with a label of positions that count nothing; empty where it cannot leave any
   * out.
   */
  default Optional<Loss> ignoring(long label) {
    return Optional.empty();
  }

  /**
   * How much one label counts in the mean that {@link #emit} makes over those of a batch: 1 for
   * all, unless some count less, or nothing. Batches of one step share it by the sums of these, so
   * that they teach what one batch of all their examples would.
   */
  default double weight(double label) {
    return 1;
  }

  /**
   * How much one example counts in that mean: the sum over its labels, unless they belong together
   * and only the example counts.
   *
   * @param count of its labels
   * @param labels the label at each place
   */
  default double weight(int count, IntToDoubleFunction labels) {
    double weight = 0;
    for (int i = 0; i < count; i++) {
      weight += weight(labels.applyAsDouble(i));
    }
    return weight;
  }

  /**
   * How much the examples of a batch count together.
   *
   * @param rows the labels of each
   */
  default double weight(List<double[]> rows) {
    double weight = 0;
    for (double[] row : rows) {
      weight += weight(row.length, i -> row[i]);
    }
    return weight;
  }

  /**
   * The same loss over the first numbers of each embedding, where it has embeddings of its own to
   * cut; itself where it has none.
   */
  default Loss ofFirst(int dimensions) {
    return this;
  }

  /**
   * Whether rows of a batch are compared with each other, those whose labels begin with the same
   * number: they have to be in one batch, and each such group counts as one.
   */
  default boolean comparesRows() {
    return false;
  }

  /**
   * Whether an example is compared with all others of its batch, so that the loss of a batch is not
   * the mean of those of its parts: batches are what they are, and not computed in pieces.
   */
  default boolean comparesExamples() {
    return false;
  }
}
