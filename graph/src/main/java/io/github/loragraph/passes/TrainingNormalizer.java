package io.github.loragraph.passes;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.shape.ValueTypes;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Brings the graph of any exported encoder to the form that is differentiated and trained: one
 * operator set, no dropout, patterns of primitive operators recognised, Linear layers as {@code
 * Gemm} on two-dimensional values. The outputs stay the same within float precision, but for models
 * exported for training, whose dropout is off afterwards. Names of inputs, outputs, initializers
 * and of the values that stay are not changed.
 */
public final class TrainingNormalizer implements Pass {
  /** Transposes of weights that are gone, under {@link Result#recognised}. */
  public static final String FOLDED = "FoldedTranspose";

  /** Nodes that compute with the inputs alone, under {@link Result#recognised}. */
  public static final String INPUT_ARITHMETIC = "InputArithmetic";

  private static final Pass UPGRADE =
      Pass.inTurn(Pass.of(OnnxModel::withConstantInitializers), new OpsetUpgrade());

  private static final Pass FUSION =
      new Rewriter(
          new ConstantNodes(),
          new DropoutRemoval(),
          new NoOpCast(),
          new IdentityRemoval(),
          new ScalarFolding(),
          new LayerNormPattern(),
          new GeluPattern(),
          new TanhGeluPattern());

  private static final Pass FORM =
      Pass.inTurn(
          new Rewriter(
              new ConstantNodes(),
              new DropoutRemoval(),
              new NoOpCast(),
              new IdentityRemoval(),
              new ScalarFolding(),
              new UnsqueezeChain(),
              new LayerNormPattern(),
              new GeluPattern(),
              new TanhGeluPattern()),
          new FirstTokenSelection(),
          new LinearAsGemm());

  /** The pass on a model whose types inference tells. */
  public static Result of(OnnxModel model, Set<String> trainable, ShapeInference inference) {
    return new TrainingNormalizer().apply(TypedModel.of(model, inference), trainable);
  }

  /**
   * The model in operator set 20 or later, with types of which inference was asked again where the
   * operators could not say them.
   *
   * @throws io.github.loragraph.error.LoraGraphException if the model cannot be brought to the
   *     operator set
   */
  @Override
  public Result apply(TypedModel model, Set<String> trainable) {
    TypedModel upgraded = UPGRADE.apply(model, trainable).model();
    Result form = FORM.apply(upgraded, trainable);
    TypedModel normal = withAll(trainable, upgraded.graph(), form.model()).completed();
    Map<String, Integer> recognised = new LinkedHashMap<>(form.recognised());
    recognised.put(FOLDED, transposedWeights(upgraded.graph()) - transposedWeights(normal.graph()));
    recognised.put(INPUT_ARITHMETIC, inputArithmetic(normal.graph(), normal.types()));
    return new Result(normal, recognised);
  }

  /** A parameter that no output depends on stays one of the model. */
  private static TypedModel withAll(Set<String> trainable, Graph before, TypedModel model) {
    List<Tensor> missing =
        trainable.stream()
            .filter(name -> model.graph().initializer(name) == null)
            .map(before::initializer)
            .filter(Objects::nonNull)
            .toList();
    if (missing.isEmpty()) {
      return model;
    }
    Graph graph = model.graph().copy();
    missing.forEach(graph::putInitializer);
    return model.with(model.model().withGraph(graph));
  }

  /** The number of weights that are transposed each time the graph runs. */
  private static int transposedWeights(Graph graph) {
    return (int)
        graph.nodes().stream()
            .filter(n -> n.is("Transpose") && graph.constant(n.input(0)) != null)
            .count();
  }

  /**
   * The number of nodes that compute floating-point values from the inputs alone, as those of an
   * attention mask do: no parameter is below them, so no gradient is, either.
   */
  private static int inputArithmetic(Graph graph, ValueTypes types) {
    Set<String> ofWeights = new HashSet<>();
    for (Tensor tensor : graph.initializers().values()) {
      if (tensor.elementType().isFloatingPoint() && tensor.elementCount() > 1) {
        ofWeights.add(tensor.name());
      }
    }
    int count = 0;
    for (Node node : graph.nodes()) {
      if (node.reads().stream().anyMatch(ofWeights::contains)) {
        ofWeights.addAll(node.outputs());
      } else {
        TensorType type = types.get(node.output(0));
        count += type != null && type.isFloatingPoint() ? 1 : 0;
      }
    }
    return count;
  }

  /**
   * The model with each normalization and GELU as one node, to be looked at: values that are still
   * there have their names.
   *
   * @param model stays as it is
   * @throws io.github.loragraph.error.LoraGraphException if the model cannot be brought to a common
   *     operator set
   */
  public static TypedModel fused(TypedModel model) {
    return FUSION.apply(UPGRADE.apply(model, Set.of()).model(), Set.of()).model();
  }

  /**
   * The model as it answers: dropout off, everything else as it was.
   *
   * @param model stays as it is
   */
  public static OnnxModel withoutDropout(OnnxModel model) {
    Pass removal = new Rewriter(new DropoutRemoval());
    return removal.apply(TypedModel.declared(model), Set.of()).model().model();
  }
}
