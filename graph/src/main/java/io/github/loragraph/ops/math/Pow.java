package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.Set;

/**
 * y = x^e: dx = dy e x^(e - 1), de = dy y log(x). As in PyTorch, dx is 0 where e is 0, and de is 0
 * where x is 0 and e is not negative; where x is negative, de is no number.
 */
@AutoService(OperatorFamily.class)
public final class Pow implements DifferentiableOperator {
  @Override
  public String name() {
    return "Pow";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.BROADCASTING);
  }

  @Override
  public void emit(Node node, GradientContext g) {
    if (g.needs(0)) {
      emitBase(node, g);
    }
    if (g.needs(1)) {
      emitExponent(node, g);
    }
  }

  private static void emitBase(Node node, GradientContext g) {
    String x = node.input(0);
    String e = node.input(1);
    Tensor constant = g.constant(e);
    if (constant != null && constant.rank() == 0) {
      double number = constant.toDoubles()[0];
      if (number == 0) {
        g.inputGradient(0, g.zerosLike(x));
        return;
      }
      String power = number == 2 ? x : g.pow(x, g.scalarLike(e, number - 1));
      String slope = g.mul(power, g.scalarLike(x, number));
      g.inputGradient(0, g.mul(g.outputGradient(), slope));
      return;
    }
    String power = g.pow(x, g.sub(e, g.scalarLike(e, 1)));
    String slope = g.mul(power, g.cast(e, g.elementType(x)));
    // 0 * 0^-1 would be no number.
    String flat = g.op("Equal", e, g.scalarLike(e, 0));
    String gradient = g.where(flat, g.scalarLike(x, 0), g.mul(g.outputGradient(), slope));
    g.inputGradient(0, g.reduceToShape(gradient, node.output(0), x));
  }

  private static void emitExponent(Node node, GradientContext g) {
    String x = node.input(0);
    String e = node.input(1);
    String y = node.output(0);
    String slope = g.mul(y, g.op("Log", x));
    // 0^e stays 0, or 1, on both sides; 0 * log(0) would be no number.
    String atZero = g.op("Equal", x, g.scalarLike(x, 0));
    String notNegative = g.op("GreaterOrEqual", e, g.scalarLike(e, 0));
    String flat = g.op("And", atZero, notNegative);
    String gradient = g.where(flat, g.scalarLike(x, 0), g.mul(g.outputGradient(), slope));
    String ownType =
        g.elementType(e) == g.elementType(x) ? gradient : g.cast(gradient, g.elementType(e));
    g.inputGradient(1, g.reduceToShape(ownType, y, e));
  }
}
