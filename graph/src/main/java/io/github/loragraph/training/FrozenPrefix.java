package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.InitializerUntying;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.passes.TrainingNormalizer;
import io.github.loragraph.passes.TypedModel;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.shape.ValueTypes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A model in two parts: what its frozen layers make of the inputs before anything that is trained
 * has a part in it, and the rest. Of an example the first part is the same in every epoch. What
 * only follows from the inputs, as a mask does, is worked out in the rest, and so is what only
 * follows from weights.
 *
 * @param prefix inputs: those of the model that it needs; outputs: the states. Dropout is off
 * @param rest inputs: the states, and those of the model that it still needs; output: the model's.
 *     It has the trained parameters under the names that they had
 * @param states FLOAT (batch, ...) or (batch, tokens, ...), where all other sizes are known
 */
public record FrozenPrefix(OnnxModel prefix, OnnxModel rest, List<ValueInfo> states) {
  /**
   * Takes a model apart; it is left as it is.
   *
   * @param answering its only output is the logits, as {@link Logits#applyTo} makes it
   * @param trained the values of the parameters that are trained
   * @param inference asked for the types of the values
   * @throws LoraGraphException if nothing of the model is frozen up to some place, or if what the
   *     frozen part hands over is not there for each example by itself
   */
  public static FrozenPrefix of(
      OnnxModel answering, Set<String> trained, ShapeInference inference) {
    return answering.namingFile(
        () ->
            new Cut(
                    InitializerUntying.unshare(answering, trained).withConstantInitializers(),
                    trained)
                .made(inference));
  }

  /** Whether a state has a place for each token. */
  public static boolean hasTokens(ValueInfo state) {
    return state.requireType().requireShape().rank() > 1
        && !state.requireType().requireShape().dimension(1).isKnown();
  }

  private static final class Cut {
    private final OnnxModel model;
    private final Graph graph;

    /** What a trained parameter has a part in. */
    private final Set<String> above;

    /** What is computed from an input. */
    private final Set<String> moving;

    /** What a weight has a part in that is not trained. */
    private final Set<String> weighted;

    Cut(OnnxModel model, Set<String> trained) {
      this.model = model;
      this.graph = model.graph();
      this.above = AnswerSearch.above(graph, trained);
      this.moving =
          AnswerSearch.above(graph, graph.requiredInputs().stream().map(ValueInfo::name).toList());
      this.weighted = AnswerSearch.aboveWeights(graph);
    }

    private boolean isFrozenState(String value) {
      return moving.contains(value) && weighted.contains(value) && !above.contains(value);
    }

    /** What the graph's outputs are computed from, down to some values. */
    private Set<Node> nodesAbove(Predicate<String> isStop, Set<String> stops) {
      Set<Node> nodes = new HashSet<>();
      Deque<String> open = new ArrayDeque<>();
      graph.outputs().forEach(output -> open.add(output.name()));
      while (!open.isEmpty()) {
        String value = open.pop();
        Node producer = graph.producer(value);
        if (producer == null) {
          continue;
        }
        if (isStop.test(value)) {
          stops.add(value);
        } else if (nodes.add(producer)) {
          open.addAll(producer.reads());
        }
      }
      return nodes;
    }

    /**
     * The last value that all of some follow from, as keys and values of an attention follow from
     * what enters its layer: it is kept in their place, and they are computed in each step. Null
     * where there is none that is there for each example.
     */
    private @Nullable String source(Set<String> values, ValueTypes types) {
      for (int i = graph.nodes().size() - 1; i >= 0; i--) {
        for (String value : graph.nodes().get(i).outputs()) {
          if (isFrozenState(value)
              && isOfExamples(types.get(value))
              && values.stream().allMatch(one -> followsFrom(one, value))) {
            return value;
          }
        }
      }
      return null;
    }

    /** Whether nothing that a weight has a part in leads to a value but by way of another. */
    private boolean followsFrom(String value, String other) {
      Set<String> seen = new HashSet<>(Set.of(value));
      Deque<String> open = new ArrayDeque<>(seen);
      while (!open.isEmpty()) {
        String one = open.pop();
        if (one.equals(other)) {
          continue;
        }
        List<String> below =
            graph.requireProducer(one).reads().stream().filter(this::isFrozenState).toList();
        if (below.isEmpty()) {
          return false;
        }
        below.stream().filter(seen::add).forEach(open::push);
      }
      return true;
    }

    FrozenPrefix made(ShapeInference inference) {
      Set<String> cut = new LinkedHashSet<>();
      Set<Node> kept = nodesAbove(this::isFrozenState, cut);
      if (cut.isEmpty()) {
        throw new LoraGraphException(
            "no part of the model comes before what is trained: there is nothing to be kept");
      }
      ValueTypes types = TypedModel.of(model, inference).types();
      String source = source(cut, types);
      if (source != null) {
        cut.clear();
        kept = nodesAbove(source::equals, cut);
      }
      List<ValueInfo> states = new ArrayList<>();
      for (String value : cut) {
        states.add(ValueInfo.of(value, stateType(value, types.get(value))));
      }
      return new FrozenPrefix(prefix(states), rest(states, kept), List.copyOf(states));
    }

    /** Whether a value is there for each example by itself, for each of its tokens or not. */
    private boolean isOfExamples(@Nullable TensorType type) {
      Shape shape = type == null ? null : type.shape();
      Shape tokens = graph.requiredInputs().get(0).requireType().shape();
      if (type != null
          && shape != null
          && tokens != null
          && type.elementType() == ElementType.FLOAT
          && shape.rank() > 0
          && tokens.rank() > 0
          && shape.dimension(0).surelyEquals(tokens.dimension(0))) {
        boolean open = false;
        for (int axis = 1; axis < shape.rank(); axis++) {
          Shape.Dimension size = shape.dimension(axis);
          boolean counts = axis == 1 && tokens.rank() > 1 && size.surelyEquals(tokens.dimension(1));
          open |= !size.isKnown() && !counts;
        }
        return !open;
      }
      return false;
    }

    private TensorType stateType(String value, @Nullable TensorType type) {
      if (type != null && isOfExamples(type)) {
        return type;
      }
      Shape shape = type == null ? null : type.shape();
      throw new LoraGraphException(
          "the frozen part hands over '%s', %s, which is not there for each example by itself"
              .formatted(
                  value,
                  type == null || shape == null
                      ? "of unknown shape"
                      : "of type %s and shape %s".formatted(type.elementType(), shape)));
    }

    private OnnxModel prefix(List<ValueInfo> states) {
      Graph own = graph.copy();
      own.clearOutputs();
      states.forEach(own::addOutput);
      own.removeDeadNodes();
      return TrainingNormalizer.withoutDropout(model.withGraph(own));
    }

    private OnnxModel rest(List<ValueInfo> states, Set<Node> kept) {
      Graph own = graph.copy();
      own.removeAll(graph.nodes().stream().filter(node -> !kept.contains(node)).toList());
      for (ValueInfo input : graph.requiredInputs()) {
        if (!own.isRead(input.name())) {
          own.removeInput(input.name());
        }
      }
      states.forEach(own::addInput);
      // Tensors that nothing reads stay: those of frozen adapters are in the metadata.
      return model.withGraph(own);
    }
  }
}
