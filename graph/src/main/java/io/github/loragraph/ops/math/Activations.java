package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.FunctionBody;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.ops.TypedGraphBuilder;
import java.util.List;
import java.util.Set;

/** Activations that are trained by what they are made of, as ONNX defines them by functions. */
@AutoService(OperatorFamily.class)
public final class Activations implements OperatorFamily {
  private static final float SELU_ALPHA = 1.6732632f;
  private static final float SELU_GAMMA = 1.050701f;

  @Override
  public List<Operator> operators() {
    return List.of(
        // x tanh(softplus(x)).
        new Activation(
            "Mish", (node, b) -> b.mul(x(node), b.op("Tanh", b.op("Softplus", x(node))))),
        // Where x is negative, its product with the slope, which is broadcast to x.
        new Activation(
            "PRelu",
            Set.of(Trait.BROADCASTING),
            (node, b) ->
                b.where(
                    b.op("Less", x(node), number(0, node, b)),
                    b.mul(x(node), node.input(1)),
                    x(node))),
        new Activation("Selu", Activations::selu),
        // x / (1 + |x|).
        new Activation(
            "Softsign",
            (node, b) -> b.div(x(node), b.add(b.op("Abs", x(node)), number(1, node, b)))),
        // x where it is larger than alpha.
        new Activation(
            "ThresholdedRelu",
            (node, b) ->
                b.where(
                    b.op("Greater", x(node), number(node.attribute("alpha", 1f), node, b)),
                    x(node),
                    number(0, node, b))));
  }

  /** gamma times Elu. */
  private static String selu(Node node, TypedGraphBuilder b) {
    float alpha = node.attribute("alpha", SELU_ALPHA);
    String elu = b.op("Elu", n -> n.with("alpha", alpha), x(node));
    return b.mul(elu, number(node.attribute("gamma", SELU_GAMMA), node, b));
  }

  private static String x(Node node) {
    return node.input(0);
  }

  private static String number(double number, Node node, TypedGraphBuilder b) {
    return b.scalarLike(node.input(0), number);
  }

  private record Activation(String name, Set<Trait> traits, FunctionBody body) implements Operator {
    Activation(String name, FunctionBody body) {
      this(name, Set.of(Trait.ELEMENTWISE), body);
    }
  }
}
