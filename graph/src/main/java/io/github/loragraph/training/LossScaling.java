package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.List;

/**
 * Dynamic loss scaling (Micikevicius et al., "Mixed Precision Training", 2018), by the rules of
 * {@code torch.amp.GradScaler}: gradients of a multiple of the loss do not fall below what FLOAT16
 * can hold; where one of them is not finite, the step changes nothing and the factor is halved;
 * after so many finite steps in a row it is doubled. The factor and both counts are state of the
 * step, so that they go from step to step inside the graph.
 *
 * @param initialScale the factor of the first step: a power of two, so that scaling costs no digit
 * @param growthInterval finite steps in a row after which the factor is doubled
 */
public record LossScaling(double initialScale, int growthInterval) {
  /** PyTorch's defaults. */
  public static final LossScaling USUAL = new LossScaling(65536, 2000);

  /** FLOAT scalar input: what the loss is multiplied by. */
  public static final String SCALE = "loss_scale";

  /** INT64 scalar input: finite steps in a row since the last change of the factor. */
  public static final String FINITE_STEPS = "finite_steps";

  /** INT64 scalar input: steps so far that changed nothing. */
  public static final String SKIPPED_STEPS = "skipped_steps";

  /** Beyond this the factor, or one divided by it, would not stay a normal number. */
  private static final double LARGEST = 0x1p120;

  public LossScaling {
    if (!(initialScale >= 1 / LARGEST && initialScale <= LARGEST) || growthInterval < 1) {
      throw new IllegalArgumentException(
          "a loss scale of %s, growing after %d steps".formatted(initialScale, growthInterval));
    }
  }

  /** Declares the counts as inputs; the factor is an input of the training graph already. */
  void addInputs(Graph graph) {
    for (StepGraph.Carried carried : carried()) {
      if (!graph.isInput(carried.input())) {
        graph.addInput(ValueInfo.of(carried.input(), carried.initial().type()));
      }
    }
  }

  /** The state before the first step. */
  List<StepGraph.Carried> carried() {
    return List.of(
        carried(Tensor.scalar(SCALE, ElementType.FLOAT, initialScale)),
        carried(Tensor.scalar(FINITE_STEPS, ElementType.INT64, 0)),
        carried(Tensor.scalar(SKIPPED_STEPS, ElementType.INT64, 0)));
  }

  private static StepGraph.Carried carried(Tensor initial) {
    return new StepGraph.Carried(initial.name(), StepGraph.updated(initial.name()), initial);
  }

  /**
   * Emits whether all gradients are finite.
   *
   * @param norm names the norm of all of them together, a FLOAT scalar, which is finite only if
   *     they are (a norm beyond FLOAT's range counts as not finite, too)
   */
  String finite(GraphBuilder b, String norm) {
    // False for a NaN, as every comparison with one is.
    return b.op("LessOrEqual", norm, b.scalar(ElementType.FLOAT, Float.MAX_VALUE));
  }

  /**
   * Emits the state after a step.
   *
   * @param finite names a BOOL scalar
   * @return names of the new values, in the order of {@link #carried}
   */
  List<String> emit(GraphBuilder b, String finite) {
    String zero = b.scalar(ElementType.INT64, 0);
    String one = b.scalar(ElementType.INT64, 1);
    String counted = b.add(FINITE_STEPS, one);
    String grows = b.op("GreaterOrEqual", counted, b.scalar(ElementType.INT64, growthInterval));
    String doubled =
        b.op(
            "Min",
            b.mul(SCALE, b.scalar(ElementType.FLOAT, 2)),
            b.scalar(ElementType.FLOAT, LARGEST));
    String halved =
        b.op(
            "Max",
            b.mul(SCALE, b.scalar(ElementType.FLOAT, 0.5)),
            b.scalar(ElementType.FLOAT, 1 / LARGEST));
    List<String> next = new ArrayList<>();
    next.add(b.where(finite, b.where(grows, doubled, SCALE), halved));
    next.add(b.where(finite, b.where(grows, zero, counted), zero));
    next.add(b.where(finite, SKIPPED_STEPS, b.add(SKIPPED_STEPS, one)));
    return next;
  }
}
