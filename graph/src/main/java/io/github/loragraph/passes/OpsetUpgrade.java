package io.github.loragraph.passes;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorChange;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.TypedGraphBuilder;
import java.util.Set;
import java.util.TreeSet;

/**
 * Writes a model in the operator set that the rest of this project reads, {@link
 * GraphBuilder#OPSET}. Operators whose definition is the same in all versions on the way (most: new
 * versions often only admit more types) stay as they are, and so do those of other domains. Source:
 * the ONNX operator changelog, versions 11 to 20.
 */
final class OpsetUpgrade implements Pass {
  /** Below it, even {@code Clip}, {@code Pad} and {@code Slice} are written otherwise. */
  private static final int OLDEST = 11;

  /** The version of the file format that came with operator set 20. */
  private static final int IR_VERSION = 9;

  /**
   * The model in operator set {@link GraphBuilder#OPSET}; one of a newer set stays in its own.
   * Types are asked for where an operator's change depends on them: a rank that is not known costs
   * a detour at {@code Softmax} below operator set 13.
   *
   * @throws LoraGraphException if the model is older than operator set 11, or holds an operator
   *     that cannot be written in the new set
   */
  @Override
  public Result apply(TypedModel typed, Set<String> trainable) {
    OnnxModel model = typed.model();
    int from = model.opset();
    if (from < OLDEST) {
      throw new LoraGraphException(
          "the model is of operator set %d, which is too old: export it with opset %d to %d"
              .formatted(from, OLDEST, GraphBuilder.OPSET));
    }
    if (from >= GraphBuilder.OPSET) {
      return Result.of(typed);
    }
    RewriteBuilder builder = new RewriteBuilder(model.graph());
    for (Node node : model.graph().nodes()) {
      builder.enter(node);
      refuseInner(node, from);
      builder.keep(convert(node, from, typed, builder));
    }
    OnnxModel upgraded =
        model
            .withGraph(builder.graph())
            .withOpset("", GraphBuilder.OPSET)
            .withIrVersion(Math.max(model.irVersion(), IR_VERSION));
    return Result.of(typed.with(upgraded));
  }

  private static Node convert(Node node, int from, TypedModel typed, RewriteBuilder builder) {
    Operator operator = Operators.all().of(node);
    Node converted = node;
    if (operator != null && node.domain().isEmpty()) {
      for (OperatorChange change : operator.changes()) {
        // A conversion may put another operator down, which is of the new set already.
        if (change.since() > from && converted.opType().equals(node.opType())) {
          TypedGraphBuilder before = new TypedGraphBuilder(builder, typed.types());
          converted = change.conversion().apply(converted, before);
        }
      }
    }
    return converted;
  }

  /** Nodes inside {@code If}, {@code Loop} and {@code Scan} are not rewritten. */
  private static void refuseInner(Node node, int from) {
    if (!node.hasSubgraph()) {
      return;
    }
    Set<String> changed = new TreeSet<>();
    for (Operator operator : Operators.all().operators()) {
      if (operator.domain().isEmpty()
          && operator.changes().stream().anyMatch(change -> change.since() > from)) {
        changed.add(operator.name());
      }
    }
    changed.retainAll(node.innerOperators());
    if (!changed.isEmpty()) {
      throw new LoraGraphException(
          "node '%s' (%s) has %s of operator set %d inside, which is not rewritten: export the model with opset %d"
              .formatted(
                  node.name(),
                  node.opType(),
                  String.join(", ", changed),
                  from,
                  GraphBuilder.OPSET));
    }
  }
}
