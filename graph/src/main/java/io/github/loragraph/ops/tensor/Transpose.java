package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
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
import org.jspecify.annotations.Nullable;

/** Axes in another order: dx has them in the old order again. */
@AutoService(OperatorFamily.class)
public final class Transpose implements DifferentiableOperator {
  @Override
  public String name() {
    return "Transpose";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.MOVES_DATA);
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> x = c.shape(0);
    if (x == null) {
      return null;
    }
    long[] permutation = c.node().longs("perm");
    List<Dimension> result = new ArrayList<>();
    for (int i = 0; i < x.size(); i++) {
      result.add(x.get(permutation == null ? x.size() - 1 - i : (int) permutation[i]));
    }
    return result;
  }

  @Override
  public @Nullable String unsupportedReason(Node node, GradientContext g) {
    return node.hasAttribute("perm") || g.rank(node.input(0)) >= 0
        ? null
        : "without perm, of unknown rank";
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    long[] permutation = node.longs("perm");
    int rank = permutation == null ? g.rank(node.input(0)) : permutation.length;
    if (permutation == null) {
      permutation = new long[rank];
      for (int i = 0; i < rank; i++) {
        permutation[i] = rank - 1L - i;
      }
    }
    long[] inverse = new long[rank];
    for (int i = 0; i < rank; i++) {
      inverse[(int) permutation[i]] = i;
    }
    g.inputGradient(0, g.transpose(dy, inverse));
  }
}
