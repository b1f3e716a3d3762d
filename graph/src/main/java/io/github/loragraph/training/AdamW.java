package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019) as {@code
 * torch.optim.AdamW} computes it: decay before the update, bias correction, epsilon added after the
 * square root.
 *
 * @param beta1 decay of the first moment, in [0, 1)
 * @param beta2 decay of the second moment, in [0, 1)
 * @param epsilon added to the denominator, positive
 * @param weightDecay how much parameters decay, not negative
 * @param decays which parameters decay
 */
public record AdamW(
    double beta1, double beta2, double epsilon, double weightDecay, WeightDecay decays) {
  public AdamW {
    require(beta1 >= 0 && beta1 < 1, "beta1", beta1, "in [0, 1)");
    require(beta2 >= 0 && beta2 < 1, "beta2", beta2, "in [0, 1)");
    require(epsilon > 0 && epsilon < 1, "epsilon", epsilon, "in (0, 1)");
    require(weightDecay >= 0 && weightDecay < 1e3, "weight decay", weightDecay, "0 or more");
  }

  private static void require(boolean holds, String name, double value, String range) {
    if (!holds) {
      throw new LoraGraphException("%s %s is not %s".formatted(name, value, range));
    }
  }

  /** With decay on all parameters, as in PyTorch. */
  public AdamW(double beta1, double beta2, double epsilon, double weightDecay) {
    this(beta1, beta2, epsilon, weightDecay, WeightDecay.ALL);
  }

  /** PyTorch's defaults, with a weight decay of 0.01 on all parameters. */
  public static AdamW defaults() {
    return new AdamW(0.9, 0.999, 1e-8, 0.01);
  }

  /** The defaults of the Trainer of transformers: the same without weight decay. */
  public static AdamW ofTrainer() {
    return new AdamW(0.9, 0.999, 1e-8, 0, WeightDecay.WEIGHTS);
  }

  /** The trainable values of a graph that do not decay. */
  public Set<String> exempt(TrainingGraph training) {
    return weightDecay == 0
        ? training.gradients().keySet()
        : decays == WeightDecay.ALL ? Set.of() : training.undecayed();
  }

  /** A parameter and its state: names of values of one shape. */
  public record State(String parameter, String firstMoment, String secondMoment) {}

  /**
   * Emits what all parameters share in a step. Worked out in double precision: in single precision
   * {@code 1 - beta2^step} has three digits at the first steps.
   *
   * @param learningRate names a FLOAT scalar
   * @param step names an INT64 scalar, 1 at the first step
   * @param scale names a FLOAT scalar that all gradients are multiplied by; null for 1
   */
  public StepFactors factors(
      GraphBuilder b, String learningRate, String step, @Nullable String scale) {
    String rate = b.cast(learningRate, ElementType.DOUBLE);
    String count = b.cast(step, ElementType.DOUBLE);
    String one = b.scalar(ElementType.DOUBLE, 1);
    String correction1 = b.sub(one, b.pow(b.scalar(ElementType.DOUBLE, beta1), count));
    String correction2 = b.sub(one, b.pow(b.scalar(ElementType.DOUBLE, beta2), count));
    String root = b.sqrt(correction2);
    String keep = b.sub(one, b.mul(rate, b.scalar(ElementType.DOUBLE, weightDecay)));
    return new StepFactors(
        b.cast(keep, ElementType.FLOAT),
        b.cast(b.div(b.mul(rate, root), correction1), ElementType.FLOAT),
        b.cast(b.mul(root, b.scalar(ElementType.DOUBLE, epsilon)), ElementType.FLOAT),
        times(b, scale, 1 - beta1),
        times(b, scale, Math.sqrt(1 - beta2)));
  }

  /**
   * The numbers that all parameters share in a step, names of FLOAT scalars.
   *
   * @param keep 1 - lr weightDecay
   * @param stepSize lr sqrt(1 - beta2^t) / (1 - beta1^t)
   * @param epsilon epsilon sqrt(1 - beta2^t)
   * @param intoFirst (1 - beta1) scale
   * @param intoSecond sqrt(1 - beta2) scale, which is squared with the gradient
   */
  public record StepFactors(
      String keep, String stepSize, String epsilon, String intoFirst, String intoSecond) {}

  /**
   * Emits the update of one FLOAT parameter.
   *
   * @param gradient of the parameter's shape
   * @param decays whether the parameter decays
   * @return the names of the updated parameter and moments
   */
  public State emit(
      GraphBuilder b, State state, String gradient, StepFactors factors, boolean decays) {
    String firstMoment =
        b.add(b.mul(state.firstMoment(), number(b, beta1)), b.mul(gradient, factors.intoFirst()));
    String part = b.mul(gradient, factors.intoSecond());
    String secondMoment = b.add(b.mul(state.secondMoment(), number(b, beta2)), b.mul(part, part));
    String direction = b.div(firstMoment, b.add(b.sqrt(secondMoment), factors.epsilon()));
    String decayed = decays ? b.mul(state.parameter(), factors.keep()) : state.parameter();
    String updated = b.sub(decayed, b.mul(direction, factors.stepSize()));
    return new State(updated, firstMoment, secondMoment);
  }

  private static String times(GraphBuilder b, @Nullable String scale, double value) {
    String number = number(b, value);
    return scale == null ? number : b.mul(scale, number);
  }

  private static String number(GraphBuilder b, double value) {
    return b.scalar(ElementType.FLOAT, value);
  }
}
