package io.github.loragraph.ops.math;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.shape.ShapeContext;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the losses over class indices have in common: the loss is the negative sum of each
 * position's log-probability of its label, times a factor. Inputs are scores or log-probabilities
 * of shape (N, C, d1, ..., dk), labels of shape (N, d1, ..., dk) and optional class weights of
 * shape (C).
 *
 * @param labels class indices within the range, of shape (N, 1, d1, ..., dk)
 * @param factors the derivative of the loss by the negated log-probability of each label, of the
 *     same shape
 */
record ClassTargets(String labels, String factors) {

  /** The shape of the loss. */
  static @Nullable List<Dimension> shape(ShapeContext c) {
    return c.node().attribute("reduction", "mean").equals("none") ? c.shape(1) : List.of();
  }

  /** The reason why a loss is not covered, or null. */
  static @Nullable String unsupportedReason(GradientContext g) {
    return g.needs(2) ? "with trainable class weights" : null;
  }

  /**
   * @param loss a node with the attributes {@code reduction} and {@code ignore_index}
   * @param gradient the gradient of its first output
   */
  static ClassTargets of(Node loss, String gradient, GradientContext g) {
    String scores = loss.input(0);
    ElementType type = g.elementType(scores);
    String labels = loss.input(1);
    String weights = null;
    if (loss.hasAttribute("ignore_index")) {
      ElementType integer = g.elementType(labels);
      String ignored = g.op("Equal", labels, g.scalar(integer, loss.attribute("ignore_index", 0L)));
      labels = g.where(ignored, g.scalar(integer, 0), labels);
      weights = g.cast(g.op("Not", ignored), type);
    }
    if (loss.hasInput(2)) {
      String ofLabels = g.gather(loss.input(2), labels, 0);
      weights = weights == null ? ofLabels : g.mul(ofLabels, weights);
    }
    String scale = gradient;
    if (loss.attribute("reduction", "mean").equals("mean")) {
      String total =
          weights == null
              ? g.cast(g.op("Size", labels), type)
              : g.reduce("ReduceSum", weights, "", false);
      scale = g.div(gradient, total);
    }
    String factors = weights == null ? scale : g.mul(weights, scale);
    String column = g.unsqueeze(labels, 1);
    boolean each = weights != null || loss.attribute("reduction", "mean").equals("none");
    return new ClassTargets(
        column, each ? g.unsqueeze(factors, 1) : g.expand(factors, g.shape(column)));
  }

  /** A value of the shape of the scores, less the factor at each label. */
  String subtractFrom(String x, GradientContext g) {
    return g.scatterAdd(x, 1, labels, g.neg(factors));
  }
}
