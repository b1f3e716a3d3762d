package io.github.loragraph.passes;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.shape.ShapePropagation;
import io.github.loragraph.shape.ValueTypes;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Brings the graph of any exported encoder to the form that is differentiated and trained: one
 * operator set, no dropout, patterns of primitive operators recognised, Linear layers as {@code
 * Gemm} on two-dimensional values. The outputs stay the same within float precision, but for models
 * exported for training, whose dropout is off afterwards. Names of inputs, outputs, initializers
 * and of the values that stay are not changed.
 */
public final class TrainingForm {
  /** The version of the standard operator set below which Softmax needs to know ranks. */
  private static final int SOFTMAX_OVER_ONE_AXIS = 13;

  /** Transposes of weights that are gone, under {@link Result#recognised}. */
  public static final String FOLDED = "FoldedTranspose";

  /** Nodes that compute with the inputs alone, under {@link Result#recognised}. */
  public static final String INPUT_ARITHMETIC = "InputArithmetic";

  private TrainingForm() {}

  /**
   * A model in its training form.
   *
   * @param model of operator set 20 or later
   * @param types of its values, every open dimension with a symbol
   * @param recognised how many times each pattern was found, by the name of its rule; rules that
   *     found nothing with 0
   */
  public record Result(OnnxModel model, ValueTypes types, Map<String, Integer> recognised) {}

  /**
   * @param model stays as it is
   * @param trainable the initializers that training changes: nothing is computed from them
   *     beforehand
   * @throws io.github.loragraph.error.LoraGraphException if the model cannot be brought to the
   *     operator set
   */
  public static Result of(OnnxModel model, Set<String> trainable, ShapeInference shapes) {
    OnnxModel constant = model.withConstantInitializers();
    ValueTypes original =
        constant.opset() < SOFTMAX_OVER_ONE_AXIS
            ? types(constant, shapes)
            : ValueTypes.declared(constant.graph());
    OnnxModel upgraded = OpsetUpgrade.upgrade(constant, original);
    Map<String, Integer> recognised = new LinkedHashMap<>();

    ValueTypes types = types(upgraded, shapes);
    Rewriter patterns =
        new Rewriter(
            List.of(
                new ConstantNodes(),
                new DropoutRemoval(),
                new NoOpCast(),
                new IdentityRemoval(),
                new ScalarFolding(),
                new LayerNormPattern(),
                new GeluPattern(),
                new TanhGeluPattern()));
    Rewriter.Result found = patterns.apply(new Subject(upgraded.graph(), types, trainable));
    recognised.putAll(found.recognised());

    int selected = FirstTokenSelection.apply(found.graph(), types);
    recognised.put("FirstTokenSelection", selected);
    if (selected > 0) {
      found.graph().removeDeadNodes();
      types = types(upgraded.withGraph(found.graph()), shapes);
    }

    Rewriter.Result linear = LinearAsGemm.apply(new Subject(found.graph(), types, trainable));
    recognised.putAll(linear.recognised());

    Graph graph = linear.graph();
    for (String parameter : trainable) {
      // One that no output depends on stays a parameter of the model.
      if (graph.initializer(parameter) == null && model.graph().initializer(parameter) != null) {
        graph.putInitializer(model.graph().initializer(parameter));
      }
    }
    recognised.put(FOLDED, transposedWeights(upgraded.graph()) - transposedWeights(graph));
    OnnxModel result = upgraded.withGraph(graph);
    types = types(result, shapes);
    recognised.put(INPUT_ARITHMETIC, inputArithmetic(graph, types));
    return new Result(result, types, recognised);
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
      } else if (types.get(node.output(0)) != null && types.get(node.output(0)).isFloatingPoint()) {
        count++;
      }
    }
    return count;
  }

  /**
   * The model as it answers: dropout off, everything else as it was.
   *
   * @param model stays as it is
   */
  public static OnnxModel withoutDropout(OnnxModel model) {
    Subject subject = new Subject(model.graph(), ValueTypes.declared(model.graph()), Set.of());
    return model.withGraph(new Rewriter(List.of(new DropoutRemoval())).apply(subject).graph());
  }

  private static ValueTypes types(OnnxModel model, ShapeInference shapes) {
    return new ShapePropagation(Operators.all()).refine(model.graph(), shapes.infer(model));
  }
}
