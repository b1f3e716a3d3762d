package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.IntToDoubleFunction;

/**
 * Embeddings of which the first numbers alone are good ones, too (Kusupati et al. 2022, arXiv
 * 2205.13147; {@code MatryoshkaLoss}): the sum of a loss over embeddings that are cut to each of
 * some dimensions and then normalized again.
 *
 * @param inner of embeddings
 * @param dimensions how many numbers are kept, each once, the model's own as a rule among them
 */
public record MatryoshkaLoss(Loss inner, List<Integer> dimensions) implements EmbeddingLoss {
  public MatryoshkaLoss {
    dimensions = List.copyOf(dimensions);
    if (dimensions.isEmpty()
        || new HashSet<>(dimensions).size() < dimensions.size()
        || dimensions.stream().anyMatch(d -> d < 1)) {
      throw new LoraGraphException(
          "the dimensions %s are not possible: give one or more numbers above 0, each once"
              .formatted(dimensions));
    }
  }

  @Override
  public boolean comparesExamples() {
    return inner.comparesExamples();
  }

  @Override
  public ValueInfo labels(TensorType logits) {
    Dimension own = EmbeddingLoss.shape(logits).dimension(-1);
    for (int dimension : dimensions) {
      if (own.isKnown() && dimension > own.size()) {
        throw new LoraGraphException(
            "an embedding of %d numbers cannot be cut to %d: dimensions are at most %d"
                .formatted(own.size(), dimension, own.size()));
      }
    }
    return inner.labels(logits);
  }

  @Override
  public Optional<Loss> ignoring(long label) {
    return inner.ignoring(label).map(loss -> new MatryoshkaLoss(loss, dimensions));
  }

  @Override
  public double weight(int count, IntToDoubleFunction labels) {
    return inner.weight(count, labels);
  }

  @Override
  public String emit(GraphBuilder b, String logits, TensorType type) {
    Shape shape = EmbeddingLoss.shape(type);
    String sum = null;
    for (int dimension : dimensions) {
      Dimension own = shape.dimension(-1);
      String cut =
          own.isKnown() && own.size() == dimension
              ? logits
              : EmbeddingLoss.slice(b, logits, 2, 0, dimension);
      TensorType cutType =
          new TensorType(
              type.elementType(),
              new Shape(List.of(shape.dimension(0), shape.dimension(1), Dimension.of(dimension))));
      String unit = EmbeddingLoss.unit(b, cut, type);
      String loss = inner.ofFirst(dimension).emit(b, unit, cutType);
      sum = sum == null ? loss : b.add(sum, loss);
    }
    return Objects.requireNonNull(sum);
  }
}
