package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.passes.TypedModel;
import io.github.loragraph.shape.ShapeInference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds the answer among the outputs of a model: each is read backwards to the node that makes
 * probabilities, what others are computed from is left out, and the one that is left is the answer.
 * Where none or several are left, the refusal names them.
 */
final class AnswerSearch {
  private static final int MOST_NAMED = 6;

  private AnswerSearch() {}

  /**
   * The one output that fits, or the one that was chosen.
   *
   * @param forms what the loss takes, the likeliest first; none for any
   * @throws LoraGraphException if none fits or several do; it names them
   */
  static Logits of(TypedModel typed, List<Logits.Form> forms) {
    OnnxModel model = typed.model();
    Graph graph = model.graph();
    String chosen = model.metadata().get(Logits.PLAIN);
    boolean plain = chosen != null && graph.isOutput(chosen);
    if (!plain) {
      chosen = model.metadata().get(Logits.CHOSEN);
    }
    OutputTypes types = new OutputTypes(typed);
    if (chosen != null && graph.isOutput(chosen)) {
      Logits logits = read(graph, chosen, types, forms, !plain);
      if (!logits.fits()) {
        throw logits.unfit();
      }
      return logits;
    }
    List<Logits> all = new ArrayList<>();
    for (ValueInfo output : graph.outputs()) {
      if (types.isFloatingPoint(output)) {
        all.add(read(graph, output.name(), types, forms, true));
      }
    }
    List<Logits> answers =
        all.stream().filter(l -> !EncoderStates.contain(graph, l.value())).toList();
    List<Logits> fitting = withoutSteps(graph, answers.stream().filter(Logits::fits).toList());
    if (fitting.size() == 1) {
      return fitting.get(0);
    }
    if (fitting.size() > 1) {
      throw new LoraGraphException(
          "%d outputs of the model could be its answer (%s)"
              .formatted(fitting.size(), described(fitting)),
          Remedy.NAME_OUTPUT);
    }
    throw none(graph, all, answers);
  }

  /**
   * The output of an encoder that a head can be put on: token states (batch, sequence, hidden), or
   * where there are none, pooled ones (batch, hidden). A chosen output may be anything of these
   * shapes.
   *
   * @param inference asked only where the model does not declare enough
   * @throws LoraGraphException if the model has logits already, no such output, or several
   */
  static ValueInfo states(OnnxModel model, ShapeInference inference) {
    Graph graph = model.graph();
    OutputTypes types = new OutputTypes(TypedModel.of(model, inference));
    String chosen = model.metadata().get(Logits.CHOSEN);
    List<Logits> all = new ArrayList<>();
    for (ValueInfo output : graph.outputs()) {
      if ((chosen == null || chosen.equals(output.name())) && types.isFloatingPoint(output)) {
        all.add(read(graph, output.name(), types, List.of(), true));
      }
    }
    List<Logits> wide = all.stream().filter(l -> l.rank() > 1 && l.isAnswer()).toList();
    if (chosen == null) {
      for (Logits logits : all) {
        if (logits.isAnswer() && !EncoderStates.contain(graph, logits.value())) {
          throw new LoraGraphException(
              "the model has a head already (output %s)".formatted(logits), Remedy.NAME_STATES);
        }
      }
    }
    List<Logits> tokens = wide.stream().filter(l -> l.rank() == 3).toList();
    List<Logits> fitting = withoutSteps(graph, tokens.isEmpty() ? wide : tokens);
    if (fitting.isEmpty()) {
      throw new LoraGraphException(
          "the model has no output of states, (batch, sequence, hidden) or (batch, hidden) with a known size: its outputs are %s"
              .formatted(all.isEmpty() ? names(graph) : described(all)));
    }
    if (fitting.size() > 1) {
      throw new LoraGraphException(
          "%d outputs of the model could get the head (%s)"
              .formatted(fitting.size(), described(fitting)),
          Remedy.NAME_OUTPUT);
    }
    return ValueInfo.of(fitting.get(0).output(), fitting.get(0).type());
  }

  /** Without those that others are computed from, and of equal ones the first. */
  private static List<Logits> withoutSteps(Graph graph, List<Logits> fitting) {
    if (fitting.size() < 2) {
      return fitting;
    }
    List<Logits> kept = new ArrayList<>(fitting);
    for (Logits one : fitting) {
      Set<String> below = below(graph, source(graph, one.value()));
      kept.removeIf(other -> other != one && below.contains(source(graph, other.value())));
      String value = source(graph, one.value());
      if (kept.contains(one)) {
        boolean activated = one.activation() != Logits.Activation.NONE;
        kept.removeIf(
            other ->
                other != one
                    && source(graph, other.value()).equals(value)
                    && (activated || other.activation() == Logits.Activation.NONE));
      }
    }
    return kept;
  }

  /** Everything that a value is computed from, without itself. */
  static Set<String> below(Graph graph, String value) {
    Set<String> seen = new HashSet<>();
    Deque<String> open = new ArrayDeque<>(List.of(value));
    while (!open.isEmpty()) {
      Node node = graph.producer(open.pop());
      if (node != null) {
        for (String read : node.reads()) {
          if (seen.add(read)) {
            open.push(read);
          }
        }
      }
    }
    return seen;
  }

  /** The weights, which are more than one number each, and everything that one has a part in. */
  static Set<String> aboveWeights(Graph graph) {
    return above(
        graph,
        graph.initializers().values().stream()
            .filter(t -> t.elementType().isFloatingPoint() && t.elementCount() > 1)
            .map(Tensor::name)
            .toList());
  }

  /** Some values, and everything that is computed from one of them. */
  static Set<String> above(Graph graph, Collection<String> values) {
    Set<String> found = new HashSet<>(values);
    for (Node node : graph.nodes()) {
      if (node.reads().stream().anyMatch(found::contains)) {
        found.addAll(node.outputs());
      }
    }
    found.remove("");
    return found;
  }

  /** The same value before it was given another name or type. */
  private static String source(Graph graph, String value) {
    Node node = graph.producer(value);
    while (node != null && (node.is("Identity") || node.is("Cast"))) {
      value = node.input(0);
      node = graph.producer(value);
    }
    return value;
  }

  private static LoraGraphException none(Graph graph, List<Logits> all, List<Logits> answers) {
    for (Logits logits : all) {
      if (!logits.overClasses()) {
        return logits.unfit();
      }
    }
    for (Logits logits : answers) {
      if (logits.isAnswer()) {
        return logits.unfit();
      }
    }
    List<Logits> states =
        all.stream().filter(l -> l.rank() >= 2 && EncoderStates.contain(graph, l.value())).toList();
    if (!states.isEmpty()) {
      return new LoraGraphException(
          "the model has no head, it answers with its states only (%s)"
              .formatted(described(states)),
          Remedy.ADD_HEAD_OR_NAME_OUTPUT);
    }
    return new LoraGraphException(
        "the model has no logits, (batch, classes) or (batch, sequence, classes) with a known number of classes: its outputs are %s; export it again with a head for a task"
            .formatted(all.isEmpty() ? names(graph) : described(all)));
  }

  private static String described(List<Logits> outputs) {
    String named =
        outputs.stream().limit(MOST_NAMED).map(Logits::toString).collect(Collectors.joining(", "));
    int more = outputs.size() - MOST_NAMED;
    return more > 0 ? "%s and %d more".formatted(named, more) : named;
  }

  static String names(Graph graph) {
    return graph.outputs().stream()
        .limit(MOST_NAMED)
        .map(o -> "'" + o.name() + "'")
        .collect(Collectors.joining(", "));
  }

  /**
   * @param activated whether an activation is looked for
   */
  private static Logits read(
      Graph graph, String output, OutputTypes types, List<Logits.Form> forms, boolean activated) {
    List<Node> after = new ArrayList<>();
    Node node = graph.producer(output);
    while (node != null && Operators.all().has(node, Trait.KEEPS_ENTRIES)) {
      after.add(0, node);
      node = graph.producer(node.input(0));
    }
    Logits.Activation activation = Logits.Activation.NONE;
    Node last = node;
    boolean asAnswered = !forms.isEmpty() && forms.stream().allMatch(Logits.Form::asAnswered);
    boolean looked = activated && !asAnswered;
    if (looked && node != null && node.domain().isEmpty()) {
      Node before = graph.producer(node.hasInput(0) ? node.input(0) : "");
      if (node.is("Log") && before != null && before.is("Softmax")) {
        activation = Logits.Activation.LOG_SOFTMAX;
        last = before;
      } else {
        activation =
            switch (node.opType()) {
              case "Softmax" -> Logits.Activation.SOFTMAX;
              case "LogSoftmax" -> Logits.Activation.LOG_SOFTMAX;
              case "Sigmoid" -> Logits.Activation.SIGMOID;
              default -> Logits.Activation.NONE;
            };
      }
    }
    boolean found = activation != Logits.Activation.NONE;
    ValueInfo info =
        graph.outputs().stream().filter(o -> o.name().equals(output)).findFirst().orElseThrow();
    TensorType declared = info.type();
    TensorType type =
        types.joined(info, found && last != null && after.isEmpty() ? last.input(0) : output);
    Shape stated = declared == null ? null : declared.shape();
    Logits any =
        new Logits(
            output,
            Logits.Form.CLASSES, // until it is chosen below
            type,
            activation,
            found ? last : null,
            found ? after : List.of(),
            !found
                || activation == Logits.Activation.SIGMOID
                || types.isOverLastAxis(Objects.requireNonNull(last), after, type),
            contradict(stated, type.shape()) ? stated : null,
            graph.outputs().stream().map(ValueInfo::name).filter(n -> !n.equals(output)).toList());
    return any.as(
        forms.isEmpty()
            ? any.natural()
            : forms.stream().filter(f -> any.as(f).fits()).findFirst().orElse(forms.get(0)));
  }

  private static boolean contradict(@Nullable Shape declared, @Nullable Shape computed) {
    if (declared == null || computed == null) {
      return false;
    }
    if (declared.rank() != computed.rank()) {
      return true;
    }
    for (int axis = 0; axis < declared.rank(); axis++) {
      Shape.Dimension a = declared.dimension(axis);
      Shape.Dimension b = computed.dimension(axis);
      if (a.isKnown() && b.isKnown() && a.size() != b.size()) {
        return true;
      }
    }
    return false;
  }
}
