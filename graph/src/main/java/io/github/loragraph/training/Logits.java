package io.github.loragraph.training;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.List;
import java.util.Set;

/** Finds the output of a model that a loss is computed from. */
public final class Logits {
  private static final String NAME = "logits";

  /** What exporters call the answers of a model without a head. */
  private static final Set<String> STATES =
      Set.of("last_hidden_state", "hidden_states", "token_embeddings");

  private Logits() {}

  /**
   * The output named {@code logits}, or the only output.
   *
   * @throws LoraGraphException if there are several outputs and none is named so, or the only one
   *     is an encoder's
   */
  public static ValueInfo of(Graph graph) {
    List<ValueInfo> outputs = List.copyOf(graph.outputs());
    for (ValueInfo output : outputs) {
      if (output.name().equals(NAME)) {
        return output;
      }
    }
    if (outputs.size() != 1) {
      throw new LoraGraphException(
          "the model has %d outputs (%s) and none is named '%s': put a head on it with 'lora-graph add-head'"
              .formatted(
                  outputs.size(),
                  String.join(", ", outputs.stream().map(ValueInfo::name).toList()),
                  NAME));
    }
    String only = outputs.get(0).name();
    Node producer = graph.producer(only);
    if (STATES.contains(only) || (producer != null && producer.is("LayerNormalization"))) {
      throw new LoraGraphException(
          "the model is an encoder without a head, it answers '%s' only: put a head on it with 'lora-graph add-head'"
              .formatted(only));
    }
    return outputs.get(0);
  }

  /**
   * The size of the logits' last axis: the number of classes, or 1 for a regression.
   *
   * @throws LoraGraphException if there are no logits of two axes (of three, where tokens are
   *     answered), or the model does not state the size
   */
  public static int count(Graph graph) {
    TensorType type = of(graph).type();
    int rank = type == null || type.shape() == null ? 0 : type.shape().rank();
    if (rank != 2 && rank != 3) {
      throw new LoraGraphException(
          "the model has no logits (batch, classes): put a head on it with 'lora-graph add-head'");
    }
    Shape.Dimension last = type.shape().dimension(-1);
    if (!last.isKnown()) {
      throw new LoraGraphException(
          "the model does not say how many classes it has: export it again");
    }
    return Math.toIntExact(last.size());
  }
}
