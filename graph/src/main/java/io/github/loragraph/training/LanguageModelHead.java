package io.github.loragraph.training;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.passes.TrainingNormalizer;
import io.github.loragraph.passes.TypedModel;
import io.github.loragraph.shape.ShapeInference;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The head of a masked language model: what lies between the last states of its encoder and logits
 * over its vocabulary, {@code lm_head} of RoBERTa and {@code cls.predictions} of BERT. Found by
 * what it does and not by names: logits (batch, sequence, n), where n is the number of rows of the
 * table that the token ids are looked up in, are followed back, past projections, normalizations
 * and activations, to the last sum of two computed values, which is the residual sum of the last
 * layer.
 */
public final class LanguageModelHead {
  /** What the encoder's output is called where the head is dropped, as exporters call it. */
  public static final String STATES = "last_hidden_state";

  private static final String IDS = "input_ids";

  /** No head has more nodes in a row. */
  private static final int LONGEST = 24;

  private final Graph graph;

  private LanguageModelHead(Graph graph) {
    this.graph = graph;
  }

  /**
   * The model with the last states of its encoder, {@value #STATES}, FLOAT (batch, sequence,
   * hidden), as its only output; empty where it has no such head, or another output besides.
   *
   * @param model stays as it is
   * @param inference asked only where the model does not declare enough
   */
  public static Optional<OnnxModel> dropFrom(OnnxModel model, ShapeInference inference) {
    if (model.graph().outputs().size() != 1) {
      return Optional.empty();
    }
    TypedModel typed = TypedModel.of(model, inference);
    ValueInfo output = model.graph().outputs().iterator().next();
    TensorType type = new OutputTypes(typed).joined(output, output.name());
    Shape shape = type.shape();
    if (shape == null
        || shape.rank() != 3
        || !shape.dimension(2).isKnown()
        || !isVocabulary(model.graph(), shape.dimension(2).size())) {
      return Optional.empty();
    }
    TypedModel fused = TrainingNormalizer.fused(typed);
    String states = new LanguageModelHead(fused.graph()).statesBelow(output.name());
    if (states == null || model.graph().producer(states) == null) {
      return Optional.empty();
    }
    TensorType inner = fused.types().get(states);
    Shape hidden = inner == null ? null : inner.shape();
    if (hidden == null || hidden.rank() != 3 || !hidden.dimension(2).isKnown()) {
      return Optional.empty();
    }
    return Optional.of(
        answering(
            model,
            states,
            new TensorType(
                type.elementType(),
                new Shape(List.of(shape.dimension(0), shape.dimension(1), hidden.dimension(2))))));
  }

  private static OnnxModel answering(OnnxModel model, String states, TensorType type) {
    Graph graph = model.graph().copy();
    graph.clearOutputs();
    String name = graph.freshName(STATES);
    graph.add(Node.of(name, "Identity", List.of(states), List.of(name)));
    graph.addOutput(ValueInfo.of(name, type));
    graph.removeDeadNodes();
    return model.withGraph(graph).withMetadata(Logits.CHOSEN, null);
  }

  /** Whether token ids are looked up in a table of so many rows. */
  private static boolean isVocabulary(Graph graph, long width) {
    for (Node node : graph.nodes()) {
      Tensor table = node.is("Gather") ? graph.constant(node.input(0)) : null;
      if (table != null
          && table.rank() == 2
          && table.dim(0) == width
          && isIds(graph, node.input(1))) {
        return true;
      }
    }
    return false;
  }

  private static boolean isIds(Graph graph, String value) {
    Node node = graph.producer(value);
    return node == null
        ? value.equals(IDS)
        : Operators.all().has(node, Trait.KEEPS_ENTRIES) && isIds(graph, node.input(0));
  }

  /** Null where what is below the logits is no such head. */
  private @Nullable String statesBelow(String logits) {
    Operators operators = Operators.all();
    String value = logits;
    @Nullable String normalized = null;
    int products = 0;
    for (int i = 0; i < LONGEST; i++) {
      Node node = graph.producer(value);
      if (node == null) {
        return null;
      }
      List<String> computed =
          node.inputs().stream().filter(input -> !input.isEmpty() && !isConstant(input)).toList();
      if (operators.has(node, Trait.SUM) && computed.size() == 2) {
        return products == 0 ? null : normalized == null ? value : normalized;
      }
      if (computed.size() != 1) {
        return null;
      }
      if (operators.has(node, Trait.NORMALIZATION)) {
        normalized = value;
      } else if (!operators.has(node, Trait.KEEPS_ENTRIES)) {
        products += operators.has(node, Trait.MATRIX_PRODUCT) ? 1 : 0;
        normalized = null;
      }
      value = computed.get(0);
    }
    return null;
  }

  private boolean isConstant(String value) {
    Node node = graph.producer(value);
    return graph.constant(value) != null
        || node != null
            && Operators.all().has(node, Trait.MOVES_DATA)
            && graph.constant(node.input(0)) != null;
  }
}
