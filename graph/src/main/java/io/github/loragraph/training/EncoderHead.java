package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.passes.TypedModel;
import io.github.loragraph.shape.ShapeInference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A classifier taken apart where its head begins: at the one value that all of the head is computed
 * from, a vector for each text. The first nodes that read a parameter of the head, and what comes
 * after them, are the head; a pooler before them, or the choice of the first token, belongs to the
 * encoder. Both parts have the parameters under the names that they had.
 *
 * @param encoder its only output is the value, FLOAT (batch, size), noted in it as {@link
 *     Logits#applyTo} notes the logits; it keeps the nodes of the head, which nothing reads
 * @param head takes the value and answers with the logits
 * @param value names it
 * @param size how many numbers a vector has
 */
public record EncoderHead(OnnxModel encoder, OnnxModel head, String value, int size) {
  private static final int MOST_NAMED = 4;

  /**
   * Takes a model apart; it is left as it is.
   *
   * @param answering its only output is the logits, as {@link Logits#applyTo} makes it
   * @param parameters the values of the head's parameters
   * @param inference asked only where the model does not declare the type of the value
   * @throws LoraGraphException if no value, or no single one, is all that the head is computed
   *     from, or it is no FLOAT (batch, size) with a known size
   */
  public static EncoderHead of(
      OnnxModel answering, Set<String> parameters, ShapeInference inference) {
    return answering.namingFile(() -> new Cut(answering, parameters).made(inference));
  }

  /**
   * The encoder of the same model with other numbers.
   *
   * @param trained the model that was taken apart, as a whole, after a training
   */
  public OnnxModel encoderOf(OnnxModel trained) {
    return answering(trained, encoder.graph().outputs().iterator().next());
  }

  private static OnnxModel answering(OnnxModel whole, ValueInfo value) {
    Graph own = whole.graph().copy();
    own.clearOutputs();
    own.addOutput(value);
    return whole.withGraph(own).withMetadata(Logits.PLAIN, value.name());
  }

  /** Of some values those that the encoder reads, which the head does not. */
  public Set<String> ofEncoder(Collection<String> values) {
    Set<String> read = AnswerSearch.below(encoder.graph(), value);
    return values.stream()
        .filter(read::contains)
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** Of some values those that the head reads. */
  public Set<String> ofHead(Collection<String> values) {
    Graph graph = head.graph();
    return values.stream()
        .filter(v -> graph.isRead(v) && !graph.isInput(v))
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** The search for the value, and the two models. */
  private static final class Cut {
    private final OnnxModel source;
    private final Graph graph;
    private final ValueInfo logits;

    /** What is computed from a parameter of the head, with the parameters. */
    private final Set<String> above;

    /** What is computed from an input. */
    private final Set<String> moving;

    Cut(OnnxModel source, Set<String> parameters) {
      this.source = source;
      this.graph = source.graph();
      this.logits = graph.outputs().iterator().next();
      this.above = AnswerSearch.above(graph, parameters);
      this.moving =
          AnswerSearch.above(graph, graph.requiredInputs().stream().map(ValueInfo::name).toList());
    }

    EncoderHead made(ShapeInference inference) {
      Set<String> entering = entering();
      String value =
          entering.stream()
              .filter(one -> entering.stream().allMatch(other -> followsFrom(other, one)))
              .findFirst()
              .orElseThrow(() -> refused(entering));
      TensorType type = TypedModel.of(source, inference).types().get(value);
      Shape shape = type == null ? null : type.shape();
      if (type == null
          || shape == null
          || shape.rank() != 2
          || !shape.dimension(1).isKnown()
          || type.elementType() != ElementType.FLOAT) {
        throw new LoraGraphException(
            "what enters the head, '%s', is of %s, and pairs of texts need one vector for each, FLOAT (batch, size)"
                .formatted(
                    value,
                    type == null || shape == null
                        ? "unknown shape"
                        : "type %s and shape %s".formatted(type.elementType(), shape)));
      }
      return new EncoderHead(
          answering(source, ValueInfo.of(value, type)),
          head(value, type),
          value,
          Math.toIntExact(shape.dimension(1).size()));
    }

    /** What nodes of the head read that is neither of the head nor constant. */
    private Set<String> entering() {
      Set<String> below = AnswerSearch.below(graph, logits.name());
      Set<String> entering = new LinkedHashSet<>();
      for (Node node : graph.nodes()) {
        boolean counts =
            node.outputs().stream()
                .anyMatch(o -> above.contains(o) && (below.contains(o) || o.equals(logits.name())));
        if (counts) {
          node.reads().stream()
              .filter(read -> moving.contains(read) && !above.contains(read))
              .forEach(entering::add);
        }
      }
      return entering;
    }

    /** Whether a value is computed from another and constants alone, or is that itself. */
    private boolean followsFrom(String value, String other) {
      Set<String> seen = new HashSet<>(Set.of(value));
      Deque<String> open = new ArrayDeque<>(seen);
      while (!open.isEmpty()) {
        String one = open.pop();
        if (one.equals(other)) {
          continue;
        }
        Node maker = graph.producer(one);
        if (maker == null && moving.contains(one)) {
          return false;
        }
        if (maker != null) {
          maker.reads().stream().filter(seen::add).forEach(open::push);
        }
      }
      return true;
    }

    private LoraGraphException refused(Set<String> entering) {
      if (entering.isEmpty()) {
        return new LoraGraphException(
            "nothing of the encoder enters the head: the answer '%s' is not computed from its parameters"
                .formatted(logits.name()));
      }
      return new LoraGraphException(
          "%d values enter the head (%s), and pairs of texts are compared by one"
              .formatted(
                  entering.size(),
                  entering.stream()
                          .limit(MOST_NAMED)
                          .map(v -> "'" + v + "'")
                          .collect(Collectors.joining(", "))
                      + (entering.size() > MOST_NAMED ? " and others" : "")));
    }

    private OnnxModel head(String value, TensorType type) {
      Graph own = new Graph();
      own.addInput(ValueInfo.of(value, type));
      Set<String> needed = new HashSet<>(Set.of(logits.name()));
      List<Node> nodes = new ArrayList<>();
      for (int i = graph.nodes().size() - 1; i >= 0; i--) {
        Node node = graph.nodes().get(i);
        if (node.outputs().stream().anyMatch(o -> needed.contains(o) && !o.equals(value))) {
          nodes.add(0, node);
          needed.addAll(node.reads());
        }
      }
      for (String name : needed) {
        Tensor tensor = graph.initializer(name);
        if (tensor != null) {
          own.putInitializer(tensor);
        }
      }
      nodes.forEach(own::add);
      own.addOutput(logits);
      return source
          .withGraph(own)
          .withMetadata(Logits.PLAIN, logits.name())
          .withMetadata(LoraMetadata.KEY, null);
    }
  }
}
