package io.github.loragraph.rewrite;

import io.github.loragraph.autodiff.ShapeInference;
import io.github.loragraph.autodiff.SymbolicShapes;
import io.github.loragraph.autodiff.ValueTypes;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The form of a model that autodiff reads: one operator set, dropout off, patterns that exporters
 * spell out recognised. The outputs are those of the model itself.
 *
 * @param model the rewritten model; it shares all weights with the original
 * @param recognised how many pieces each rule has replaced, by the rule's name
 */
public record TrainingForm(OnnxModel model, Map<String, Integer> recognised) {
  private static final List<RewriteRule> RULES =
      List.of(new LayerNormalizationRule(), new GeluRule());

  /**
   * Rewrites a copy of a model.
   *
   * @param kept values that must stay what they are, the trainable parameters
   * @throws io.github.loragraph.LoraGraphException if the model's operator set is too old
   */
  public static TrainingForm of(OnnxModel source, Set<String> kept, ShapeInference inference) {
    OnnxModel model = OpsetUpgrade.upgrade(Dropout.removedFrom(source), inference);
    Graph graph = model.graph();
    removeIdentities(graph, kept);
    Map<String, Integer> recognised = new LinkedHashMap<>();
    for (RewriteRule rule : RULES) {
      for (Node node : List.copyOf(graph.nodes())) {
        Node replacement = rule.rewrite(graph, node);
        if (replacement != null) {
          graph.replace(node, replacement);
          recognised.merge(rule.name(), 1, Integer::sum);
        }
      }
    }
    graph.removeDeadNodes();
    ValueTypes types = SymbolicShapes.refine(graph, inference.infer(model));
    int spared = FirstTokenSelection.apply(graph, types);
    if (spared > 0) {
      recognised.put("first token selected", spared);
      graph.removeDeadNodes();
    }
    return new TrainingForm(model, recognised);
  }

  /** The model as it answers: dropout off, everything else as it was. */
  public static OnnxModel withoutDropout(OnnxModel source) {
    return Dropout.removedFrom(source);
  }

  private static void removeIdentities(Graph graph, Set<String> kept) {
    for (Node node : List.copyOf(graph.nodes())) {
      if (node.is("Identity")
          && !graph.isOutput(node.output(0))
          && !kept.contains(node.output(0))) {
        graph.redirectConsumers(node.output(0), node.input(0));
      }
    }
  }
}
