package io.github.loragraph.ops.nn;

import com.google.auto.service.AutoService;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorChange;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The inference form: y = (x - mean) / sqrt(variance + epsilon) * scale + bias for each channel
 * (axis 1), with given statistics. With r = 1 / sqrt(variance + epsilon) and n = (x - mean) r: dx =
 * dy scale r, dscale = sum(dy n), dbias = sum(dy), dmean = -sum(dx), dvariance = -sum(dy n) scale
 * r^2 / 2.
 */
@AutoService(OperatorFamily.class)
public final class BatchNormalization implements DifferentiableOperator {
  @Override
  public String name() {
    return "BatchNormalization";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.KEEPS_SHAPE, Trait.KEEPS_MEANING);
  }

  @Override
  public Set<Integer> weights() {
    return Set.of(1, 2);
  }

  @Override
  public Set<Integer> scaleAndShift() {
    return Set.of(1, 2);
  }

  /** Version 14 has the running statistics as outputs in another way. */
  @Override
  public List<OperatorChange> changes() {
    return List.of(
        new OperatorChange(
            14,
            (node, b) -> {
              for (int i = 1; i < node.outputs().size(); i++) {
                if (node.hasOutput(i)) {
                  throw new LoraGraphException(
                      "node '%s' (BatchNormalization) is in training mode: export the model for inference"
                          .formatted(node.name()));
                }
              }
              return node.withOutputs(List.of(node.output(0)));
            }));
  }

  @Override
  public @Nullable String unsupportedReason(Node node, GradientContext g) {
    if (node.attribute("training_mode", 0) != 0) {
      return "in training mode";
    }
    return g.rank(node.input(0)) >= 2 ? null : "of unknown rank";
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    String x = node.input(0);
    String scale = node.input(1);
    int rank = g.rank(x);
    String epsilon = g.scalarLike(x, node.attribute("epsilon", 1e-5f));
    String inverse = g.op("Reciprocal", g.sqrt(g.add(node.input(4), epsilon)));
    String factor = g.mul(scale, inverse);
    long[] others = LongStream.range(0, rank).filter(axis -> axis != 1).toArray();
    if (g.needs(0)) {
      g.inputGradient(0, g.mul(dy, perChannel(g, factor, rank)));
    }
    if (g.needs(1) || g.needs(4)) {
      String centered = g.sub(x, perChannel(g, node.input(3), rank));
      String sum = g.reduceSum(g.mul(dy, centered), false, others);
      String alongNormalized = g.mul(sum, inverse);
      if (g.needs(1)) {
        g.inputGradient(1, alongNormalized);
      }
      if (g.needs(4)) {
        String half = g.scalarLike(x, -0.5);
        g.inputGradient(4, g.mul(g.mul(alongNormalized, factor), g.mul(inverse, half)));
      }
    }
    if (g.needs(2) || g.needs(3)) {
      String summed = g.reduceSum(dy, false, others);
      if (g.needs(2)) {
        g.inputGradient(2, summed);
      }
      if (g.needs(3)) {
        g.inputGradient(3, g.neg(g.mul(summed, factor)));
      }
    }
  }

  /** One number for each channel, so that it broadcasts over axis 1. */
  private static String perChannel(GradientContext g, String values, int rank) {
    long[] shape = new long[rank - 1];
    Arrays.fill(shape, 1);
    shape[0] = -1;
    return g.reshape(values, shape);
  }
}
