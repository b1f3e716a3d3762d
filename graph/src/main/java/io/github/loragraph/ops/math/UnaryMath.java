package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.Gradient;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.PreferredGradient;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.ops.fused.TrainingKernel;
import java.util.List;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/** Functions of one number, y = f(x), whose gradient is one line. */
@AutoService(OperatorFamily.class)
public final class UnaryMath implements OperatorFamily {
  /** The gradient of the input. */
  @FunctionalInterface
  private interface Derivative {
    String of(String dy, String x, String y, GradientContext g);
  }

  @Override
  public List<Operator> operators() {
    return List.of(
        // 0 at 0.
        new Function("Abs", (dy, x, y, g) -> g.mul(dy, g.op("Sign", x))),
        new Function("Cos", (dy, x, y, g) -> g.neg(g.mul(dy, g.op("Sin", x)))),
        // 2 / sqrt(pi) exp(-x x).
        new Function(
            "Erf",
            (dy, x, y, g) ->
                g.mul(
                    g.mul(dy, g.scalarLike(x, 2 / Math.sqrt(Math.PI))), g.exp(g.neg(g.mul(x, x))))),
        new Function("Exp", (dy, x, y, g) -> g.mul(dy, y)),
        new Function("Log", (dy, x, y, g) -> g.div(dy, x)),
        new Function("Neg", (dy, x, y, g) -> g.neg(dy)).computed(x -> -x),
        new Function("Reciprocal", (dy, x, y, g) -> g.neg(g.mul(dy, g.mul(y, y))))
            .computed(x -> 1 / x),
        // dy where y is positive.
        new Function(
                "Relu",
                (dy, x, y, g) ->
                    g.where(g.op("Greater", y, g.scalarLike(x, 0)), dy, g.scalarLike(x, 0)))
            .preferring(new TrainingKernel("ReluGrad", false)),
        // y (1 - y).
        new Function("Sigmoid", (dy, x, y, g) -> g.mul(dy, g.mul(y, g.sub(g.scalarLike(x, 1), y))))
            .preferring(new TrainingKernel("SigmoidGrad", true)),
        new Function("Sin", (dy, x, y, g) -> g.mul(dy, g.op("Cos", x))),
        new Function("Softplus", (dy, x, y, g) -> g.mul(dy, g.op("Sigmoid", x))),
        // 1 / (2 y).
        new Function("Sqrt", (dy, x, y, g) -> g.div(g.mul(dy, g.scalarLike(x, 0.5)), y))
            .computed(Math::sqrt),
        // 1 - y y.
        new Function("Tanh", (dy, x, y, g) -> g.sub(dy, g.mul(dy, g.mul(y, y))))
            .preferring(new TrainingKernel("TanhGrad", true)));
  }

  /**
   * @param number what it makes of a number; null where that is not said
   * @param kernel a faster gradient, or null
   */
  private record Function(
      String name,
      Derivative derivative,
      @Nullable DoubleUnaryOperator number,
      @Nullable Gradient kernel)
      implements DifferentiableOperator {
    Function(String name, Derivative derivative) {
      this(name, derivative, null, null);
    }

    Function computed(DoubleUnaryOperator function) {
      return new Function(name, derivative, function, kernel);
    }

    Function preferring(Gradient faster) {
      return new Function(name, derivative, number, faster);
    }

    @Override
    public Set<Trait> traits() {
      return Set.of(Trait.ELEMENTWISE);
    }

    @Override
    public @Nullable Double compute(double... operands) {
      return number == null ? null : (Double) number.applyAsDouble(operands[0]);
    }

    @Override
    public Gradient gradient(Kernels kernels) {
      return kernel == null || kernels != Kernels.TRAINING_BUILD
          ? this
          : new PreferredGradient(kernel, this);
    }

    @Override
    public void emit(Node node, GradientContext g) {
      g.inputGradient(0, derivative.of(g.outputGradient(), node.input(0), node.output(0), g));
    }
  }
}
