package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.List;
import java.util.Set;

/**
 * y = x cdf(x) with the cumulative normal distribution: dx = dy (cdf(x) + x pdf(x)); with the tanh
 * approximation, its own derivative. On a CPU y is made of the same cdf, in fewer passes than
 * kernel and gradient take apart.
 */
@AutoService(OperatorFamily.class)
public final class Gelu implements DifferentiableOperator {
  @Override
  public String name() {
    return "Gelu";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.ELEMENTWISE);
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    String x = node.input(0);
    boolean tanh = node.attribute("approximate", "none").equals("tanh");
    if (!tanh && g.isForCpu()) {
      g.inputGradient(0, shared(node, dy, g));
    } else {
      g.inputGradient(0, g.mul(dy, tanh ? tanhForm(x, g) : exactForm(x, g)));
    }
  }

  /**
   * With c = sqrt(1/2), u = c x and e = 1 + erf(u): y = c (u e), dx = c ((c dy) (e + u exp(ln(2 /
   * sqrt(pi)) - u u))). A matrix product beside it takes its factor c inside.
   */
  private static String shared(Node node, String dy, GradientContext g) {
    String x = node.input(0);
    String c = g.scalarLike(x, Math.sqrt(0.5));
    List<String> values =
        g.inPlace(
            () -> {
              String u = g.mul(x, c);
              String e = g.add(g.op("Erf", u), g.scalarLike(x, 1));
              return List.of(g.mul(g.mul(u, e), c), u, e);
            });
    String u = values.get(1);
    String logarithm = g.scalarLike(x, Math.log(2 / Math.sqrt(Math.PI)));
    String bell = g.mul(u, g.exp(g.sub(logarithm, g.mul(u, u))));
    return g.mul(g.mul(g.mul(dy, c), g.add(values.get(2), bell)), c);
  }

  /** With t = x / sqrt(2): (1 + erf(t)) / 2 + t exp(-t t) / sqrt(pi). */
  private static String exactForm(String x, GradientContext g) {
    String t = g.mul(x, g.scalarLike(x, Math.sqrt(0.5)));
    String half = g.scalarLike(x, 0.5);
    String cdf = g.add(g.mul(g.op("Erf", t), half), half);
    String bell = g.exp(g.neg(g.mul(t, t)));
    String density = g.mul(g.mul(t, g.scalarLike(x, 1 / Math.sqrt(Math.PI))), bell);
    return g.add(cdf, density);
  }

  /** With u = c (x + k x^3), h = tanh(u): (1 + h) / 2 + x (1 - h h) c (1 + 3 k x^2) / 2. */
  private static String tanhForm(String x, GradientContext g) {
    double c = Math.sqrt(2 / Math.PI);
    double k = 0.044715;
    String one = g.scalarLike(x, 1);
    String half = g.scalarLike(x, 0.5);
    String square = g.mul(x, x);
    String inner = g.add(g.mul(square, g.scalarLike(x, c * k)), g.scalarLike(x, c));
    String h = g.op("Tanh", g.mul(x, inner));
    String slope = g.add(g.mul(square, g.scalarLike(x, 3 * c * k)), g.scalarLike(x, c));
    String rise = g.mul(g.mul(g.sub(one, g.mul(h, h)), slope), x);
    return g.mul(g.add(g.add(one, h), rise), half);
  }
}
