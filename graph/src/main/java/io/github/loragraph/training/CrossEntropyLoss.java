package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Cross-entropy over classes, as {@code torch.nn.CrossEntropyLoss} with the mean over the examples
 * (over the tokens for logits with a sequence axis). Logits are (batch, classes) or (batch,
 * sequence, classes), labels INT64 class indices of the logits' shape without its last axis.
 *
 * @param labelSmoothing in [0, 1): how much of the target is spread evenly over the classes
 * @param classWeights one weight for each class, or empty for equal weights
 * @param ignoredLabel the label of positions that count nothing, or null if there are none
 */
public record CrossEntropyLoss(
    double labelSmoothing, List<Double> classWeights, @Nullable Long ignoredLabel) implements Loss {
  /**
   * The label of positions that count nothing, PyTorch's {@code ignore_index} unless told
   * otherwise.
   */
  public static final long IGNORE_INDEX = -100;

  public CrossEntropyLoss {
    if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
      throw new LoraGraphException(
          "label smoothing " + labelSmoothing + " is not in [0, 1): 0 turns it off");
    }
    classWeights = List.copyOf(classWeights);
    boolean possible = classWeights.stream().allMatch(w -> w >= 0 && Double.isFinite(w));
    if (!possible || (!classWeights.isEmpty() && classWeights.stream().allMatch(w -> w == 0))) {
      throw new LoraGraphException(
          "class weights %s are not possible: give numbers of 0 or more, not all of them 0"
              .formatted(classWeights));
    }
  }

  @Override
  public Optional<Loss> ignoring(long label) {
    return Optional.of(new CrossEntropyLoss(labelSmoothing, classWeights, label));
  }

  /** Plain cross-entropy. */
  public static CrossEntropyLoss plain() {
    return new CrossEntropyLoss(0, List.of(), null);
  }

  @Override
  public List<Logits.Form> forms() {
    return List.of(Logits.Form.CLASSES, Logits.Form.TOKEN_CLASSES);
  }

  @Override
  public ValueInfo labels(TensorType logits) {
    Shape shape = logits.shape();
    if (shape == null || shape.rank() < 2) {
      throw new LoraGraphException(
          "logits of shape "
              + shape
              + " are not (batch, classes): classification needs a model with a classification head");
    }
    Shape.Dimension classes = shape.dimension(-1);
    if (classes.isKnown() && classes.size() < 2) {
      throw new LoraGraphException(
          "the model has one output and classification needs two or more",
          Remedy.CHOOSE_TASK.with("regression"));
    }
    if (!classWeights.isEmpty() && classes.isKnown() && classes.size() != classWeights.size()) {
      throw new LoraGraphException(
          "%d class weights are given for a model with %d classes: give one for each, in the order of its labels"
              .formatted(classWeights.size(), classes.size()));
    }
    List<Shape.Dimension> dims = new ArrayList<>(shape.dimensions().subList(0, shape.rank() - 1));
    return ValueInfo.of(LABELS, new TensorType(ElementType.INT64, new Shape(dims)));
  }

  @Override
  public String emit(GraphBuilder b, String logits, TensorType type) {
    return emit(b, logits, LABELS, type);
  }

  /**
   * The same with labels that are computed.
   *
   * @param given names the labels
   */
  String emit(GraphBuilder b, String logits, String given, TensorType type) {
    ElementType real = type.elementType();
    int axis = type.requireShape().rank() - 1;
    String logProbabilities = b.op("LogSoftmax", n -> n.with("axis", axis), logits);
    String labels = given;
    @Nullable String counted = null;
    if (ignoredLabel != null) {
      String ignored = b.op("Equal", labels, b.scalar(ElementType.INT64, ignoredLabel));
      labels = b.where(ignored, b.scalar(ElementType.INT64, 0), labels);
      counted = b.cast(b.op("Not", ignored), real);
    }
    String index = b.unsqueeze(labels, axis);
    String picked =
        b.squeeze(b.op("GatherElements", n -> n.with("axis", axis), logProbabilities, index), axis);
    String weights = counted;
    String classWeight = null;
    if (!classWeights.isEmpty()) {
      classWeight = b.initializer(weightTensor(b, real));
      String ofLabel = b.gather(classWeight, labels, 0);
      weights = counted == null ? ofLabel : b.mul(ofLabel, counted);
    }
    String loss = b.neg(mean(b, real, picked, weights, weights));
    if (labelSmoothing > 0) {
      String all = classWeight == null ? logProbabilities : b.mul(logProbabilities, classWeight);
      String smooth = b.reduceSum(all, false, axis);
      String spread = b.neg(mean(b, real, smooth, counted, weights));
      String classes = b.cast(lastDimension(b, logits, type), real);
      loss =
          b.add(
              b.mul(loss, b.scalar(real, 1 - labelSmoothing)),
              b.mul(spread, b.div(b.scalar(real, labelSmoothing), classes)));
    }
    return loss;
  }

  /** That of its class; 0 for the ignored label. */
  @Override
  public double weight(double label) {
    if (ignoredLabel != null && label == ignoredLabel) {
      return 0;
    }
    return classWeights.isEmpty() ? 1 : classWeights.get((int) label);
  }

  /** The weighted sum over the sum of {@code divisor}; null weights are all 1. */
  private static String mean(
      GraphBuilder b,
      ElementType type,
      String values,
      @Nullable String weights,
      @Nullable String divisor) {
    String weighted = weights == null ? values : b.mul(values, weights);
    if (divisor == null) {
      return b.reduce("ReduceMean", weighted, "", false);
    }
    String sum = b.reduce("ReduceSum", divisor, "", false);
    // A batch in which nothing counts has the loss 0 and no gradient, where 0/0 would end the run.
    String none = b.op("Equal", sum, b.scalar(type, 0));
    String safe = b.where(none, b.scalar(type, 1), sum);
    return b.div(b.reduce("ReduceSum", weighted, "", false), safe);
  }

  private static String lastDimension(GraphBuilder b, String logits, TensorType type) {
    Shape.Dimension last = type.requireShape().dimension(-1);
    return last.isKnown()
        ? b.scalar(ElementType.INT64, last.size())
        : b.gather(b.shape(logits), b.scalar(ElementType.INT64, type.requireShape().rank() - 1), 0);
  }

  private Tensor weightTensor(GraphBuilder b, ElementType real) {
    String name = b.graph().freshName("class_weights");
    double[] values = classWeights.stream().mapToDouble(Double::doubleValue).toArray();
    if (real == ElementType.DOUBLE) {
      return Tensor.ofDoubles(name, values, values.length);
    }
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = (float) values[i];
    }
    return Tensor.ofFloats(name, floats, values.length);
  }
}
