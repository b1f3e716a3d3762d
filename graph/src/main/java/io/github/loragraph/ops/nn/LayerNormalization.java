package io.github.loragraph.ops.nn;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * y = (x - mean) / deviation * scale + bias over the trailing axes. With n the normalized x and a =
 * dy scale: dx = (a - mean(a) - n mean(a n)) / deviation; dscale = sum(dy n), dbias = sum(dy). The
 * other outputs are the mean and r = 1 / deviation, over m numbers: dx = dmean / m - dr r^2 n / m.
 * On a CPU it is written out: ONNX Runtime's kernel takes three times as long as its parts do, of
 * which the gradient reads x - mean.
 */
@AutoService(OperatorFamily.class)
public final class LayerNormalization implements DifferentiableOperator {
  @Override
  public String name() {
    return "LayerNormalization";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.KEEPS_SHAPE, Trait.LAST_AXIS, Trait.NORMALIZATION);
  }

  @Override
  public Set<Integer> weights() {
    return Set.of(1, 2);
  }

  @Override
  public Set<Integer> scaleAndShift() {
    return Set.of(1, 2);
  }

  /** Mean and inverse deviation are FLOAT, whatever the input is. */
  @Override
  public @Nullable ElementType elementType(int output, ShapeContext c) {
    return output == 0 ? c.elementType(0) : ElementType.FLOAT;
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> x = c.shape(0);
    if (x == null || output == 0) {
      return x;
    }
    List<Dimension> result = new ArrayList<>(x);
    int first = ShapeContext.axis(c.node().attribute("axis", -1L), x.size());
    for (int axis = first; axis < x.size(); axis++) {
      result.set(axis, Dimension.of(1));
    }
    return result;
  }

  @Override
  public @Nullable String unsupportedReason(Node node, GradientContext g) {
    return node.attribute("axis", -1L) < 0 || g.rank(node.input(0)) >= 0
        ? null
        : "of unknown rank with a positive axis";
  }

  @Override
  public boolean takes(int output) {
    return true;
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient(0);
    if (g.needs(0) || g.needs(1)) {
      Normalized normalized = g.isForCpu() ? writtenOut(node, g) : ofStatistics(node, g);
      ofInputAndScale(node, g, normalized.inverseDeviation(), normalized.value());
    }
    if (g.needs(2) && dy != null) {
      g.inputGradient(2, g.reduceToShape(dy, node.output(0), node.input(2)));
    }
  }

  /** What is scaled and shifted, and what it was divided by. */
  private record Normalized(String value, String inverseDeviation) {}

  private static Normalized ofStatistics(Node node, GradientContext g) {
    Statistics statistics = statistics(node, g);
    String inverse = statistics.inverseDeviation();
    return new Normalized(g.mul(g.sub(node.input(0), statistics.mean()), inverse), inverse);
  }

  /** The node's own computation, in its place. */
  private static Normalized writtenOut(Node node, GradientContext g) {
    String x = node.input(0);
    long[] axes = axes(node, g);
    List<String> results =
        g.inPlace(
            () -> {
              String mean = g.reduceMean(x, true, axes);
              String centered = g.sub(x, mean);
              String variance = g.reduceMean(g.mul(centered, centered), true, axes);
              String epsilon = g.scalarLike(x, node.attribute("epsilon", 1e-5f));
              String inverse = g.op("Reciprocal", g.sqrt(g.add(variance, epsilon)));
              String value = g.mul(centered, inverse);
              String scaled = g.mul(value, node.input(1));
              String y = node.hasInput(2) ? g.add(scaled, node.input(2)) : scaled;
              return List.of(y, mean, inverse, value);
            });
    return new Normalized(results.get(3), results.get(2));
  }

  private static void ofInputAndScale(
      Node node, GradientContext g, String inverseDeviation, String normalized) {
    String x = node.input(0);
    String dy = g.outputGradient(0);
    String dMean = g.outputGradient(1);
    String dInverse = g.outputGradient(2);
    if (g.needs(0) && dMean != null) {
      g.inputGradient(0, g.repeat(share(dMean, node, g), g.elementType(x), g.sizes().of(x)));
    }
    if (g.needs(0) && dInverse != null) {
      String square = g.mul(inverseDeviation, inverseDeviation);
      String factor = g.neg(g.mul(share(dInverse, node, g), square));
      g.inputGradient(0, g.mul(factor, normalized));
    }
    if (dy == null) {
      return;
    }
    if (g.needs(0)) {
      long[] axes = axes(node, g);
      String a = g.mul(dy, node.input(1));
      String meanA = g.reduceMean(a, true, axes);
      String meanAN = g.reduceMean(g.mul(a, normalized), true, axes);
      String centered = g.sub(g.sub(a, meanA), g.mul(normalized, meanAN));
      g.inputGradient(0, g.mul(centered, inverseDeviation));
    }
    if (g.needs(1)) {
      g.inputGradient(1, g.reduceToShape(g.mul(dy, normalized), node.output(0), node.input(1)));
    }
  }

  /** The gradient of a statistic, in the type of x, over the number of entries that it is of. */
  private static String share(String gradient, Node node, GradientContext g) {
    ElementType type = g.elementType(node.input(0));
    String own = type == ElementType.FLOAT ? gradient : g.cast(gradient, type);
    String sizes = g.sizes().at(node.input(0), g.longs(axes(node, g)));
    String count = g.reduce("ReduceProd", sizes, "", false);
    return g.div(own, g.cast(count, type));
  }

  /** The axes from the attribute's to the last. */
  private static long[] axes(Node node, GradientContext g) {
    long axis = node.attribute("axis", -1L);
    if (axis >= 0) {
      int rank = g.rank(node.input(0));
      return LongStream.range(axis, rank).toArray();
    }
    return LongStream.range(axis, 0).toArray();
  }

  /** Values that broadcast to x. */
  private record Statistics(String mean, String inverseDeviation) {}

  /**
   * Mean and inverse deviation. The operator gives them in single precision whatever its input is,
   * so they are taken from it there, where they cost nothing, and worked out for other types.
   */
  private static Statistics statistics(Node node, GradientContext g) {
    String x = node.input(0);
    if (g.elementType(x) == ElementType.FLOAT) {
      Node full = withAllOutputs(node, g);
      return new Statistics(full.output(1), full.output(2));
    }
    String mean = g.reduceMean(x, true, axes(node, g));
    String centered = g.sub(x, mean);
    String variance = g.reduceMean(g.mul(centered, centered), true, axes(node, g));
    String epsilon = g.scalarLike(x, node.attribute("epsilon", 1e-5f));
    return new Statistics(mean, g.op("Reciprocal", g.sqrt(g.add(variance, epsilon))));
  }

  private static Node withAllOutputs(Node node, GradientContext g) {
    if (node.hasOutput(1) && node.hasOutput(2)) {
      return node;
    }
    String y = node.output(0);
    String mean = node.hasOutput(1) ? node.output(1) : g.graph().freshName(y + "_mean");
    String deviation = node.hasOutput(2) ? node.output(2) : g.graph().freshName(y + "_inv_std");
    Node full = node.withOutputs(List.of(y, mean, deviation));
    g.graph().replace(node, full);
    return full;
  }
}
