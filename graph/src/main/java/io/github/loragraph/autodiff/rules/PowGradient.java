package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;

/**
 * y = x^e: dx = dy e x^(e - 1), de = dy y log(x). As in PyTorch, dx is 0 where e is 0, and de is 0
 * where x is 0 and e is not negative; where x is negative, de is no number.
 */
@AutoService(GradientRule.class)
public final class PowGradient implements GradientRule {
  @Override
  public String operator() {
    return "Pow";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    if (g.needs(0)) {
      emitBase(node, g);
    }
    if (g.needs(1)) {
      emitExponent(node, g);
    }
  }

  private static void emitBase(Node node, GradientScope g) {
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
      g.inputGradient(0, g.mul(g.outputGradient(0), slope));
      return;
    }
    String power = g.pow(x, g.sub(e, g.scalarLike(e, 1)));
    String slope = g.mul(power, g.cast(e, g.elementType(x)));
    // 0 * 0^-1 would be no number.
    String flat = g.op("Equal", e, g.scalarLike(e, 0));
    String gradient = g.where(flat, g.scalarLike(x, 0), g.mul(g.outputGradient(0), slope));
    g.inputGradient(0, g.sumTo(gradient, node.output(0), x));
  }

  private static void emitExponent(Node node, GradientScope g) {
    String x = node.input(0);
    String e = node.input(1);
    String y = node.output(0);
    String slope = g.mul(y, g.op("Log", x));
    // 0^e stays 0, or 1, on both sides; 0 * log(0) would be no number.
    String atZero = g.op("Equal", x, g.scalarLike(x, 0));
    String notNegative = g.op("GreaterOrEqual", e, g.scalarLike(e, 0));
    String flat = g.op("And", atZero, notNegative);
    String gradient = g.where(flat, g.scalarLike(x, 0), g.mul(g.outputGradient(0), slope));
    String ownType =
        g.elementType(e) == g.elementType(x) ? gradient : g.cast(gradient, g.elementType(e));
    g.inputGradient(1, g.sumTo(ownType, y, e));
  }
}
