package io.github.loragraph.ops.quantization;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.ShapeContext;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Straight through, as PyTorch's {@code fake_quantize}: dx is the gradient of the number that the
 * integer stands for where round(x / scale) + zero point is an integer of the type, and 0 where it
 * is cut off.
 */
@AutoService(OperatorFamily.class)
public final class QuantizeLinear implements DifferentiableOperator {
  @Override
  public String name() {
    return "QuantizeLinear";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.KEEPS_SHAPE);
  }

  @Override
  public @Nullable ElementType elementType(int output, ShapeContext c) {
    if (c.node().hasInput(2)) {
      return c.elementType(2);
    }
    return c.node().hasAttribute("output_dtype")
        ? ElementType.of((int) c.node().attribute("output_dtype", 0L))
        : ElementType.UINT8;
  }

  @Override
  public boolean passesIntegers() {
    return true;
  }

  @Override
  public @Nullable String unsupportedReason(Node node, GradientContext g) {
    if (g.needs(1)) {
      return "with a trained scale";
    }
    if (node.attribute("block_size", 0L) != 0) {
      return "in blocks";
    }
    if (range(node, g) == null) {
      return "to type " + type(node, g);
    }
    boolean perAxis = g.rank(node.input(1)) != 0;
    return perAxis && (g.rank(node.input(1)) < 0 || g.rank(node.input(0)) < 0)
        ? "of unknown rank"
        : null;
  }

  private static @Nullable ElementType type(Node node, GradientContext g) {
    TensorType type = g.type(node.output(0));
    return type == null ? null : type.elementType();
  }

  /** The least and the largest integer; null for types that have none. */
  private static double @Nullable [] range(Node node, GradientContext g) {
    ElementType type = type(node, g);
    if (type == null) {
      return null;
    }
    return switch (type) {
      case INT8 -> new double[] {Byte.MIN_VALUE, Byte.MAX_VALUE};
      case UINT8 -> new double[] {0, 255};
      case INT16 -> new double[] {Short.MIN_VALUE, Short.MAX_VALUE};
      case UINT16 -> new double[] {0, 65535};
      default -> null;
    };
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String x = node.input(0);
    double[] range = Objects.requireNonNull(range(node, g));
    String scale = perAxis(node.input(1), node, g);
    ElementType type = g.elementType(x);
    if (g.elementType(node.input(1)) != type) {
      scale = g.cast(scale, type);
    }
    String rounded = g.op("Round", g.div(x, scale));
    if (node.hasInput(2)) {
      rounded = g.add(rounded, perAxis(g.cast(node.input(2), type), node, g));
    }
    String inside =
        g.op(
            "And",
            g.op("GreaterOrEqual", rounded, g.scalar(type, range[0])),
            g.op("LessOrEqual", rounded, g.scalar(type, range[1])));
    g.inputGradient(0, g.where(inside, g.outputGradient(), g.scalar(type, 0)));
  }

  /** One number for each entry of the axis, so that it broadcasts; a single one as it is. */
  private static String perAxis(String values, Node node, GradientContext g) {
    if (g.rank(node.input(1)) == 0) {
      return values;
    }
    int rank = g.rank(node.input(0));
    long axis = node.attribute("axis", 1L);
    Shape ofScale = g.shapeOf(node.input(1));
    boolean single = ofScale != null && ofScale.isStatic() && ofScale.sizes()[0] == 1;
    if (single) {
      return g.reshape(values, new long[0]);
    }
    long[] shape = new long[rank];
    Arrays.fill(shape, 1);
    shape[(int) (axis < 0 ? axis + rank : axis)] = -1;
    return g.reshape(values, shape);
  }
}
