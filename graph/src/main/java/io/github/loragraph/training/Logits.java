package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.passes.TypedModel;
import io.github.loragraph.shape.ValueTypes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The output of a model that is its answer, and what of it a loss is computed from: where it ends
 * in Softmax or Sigmoid, what goes into that. Which output it is follows from the shapes of the
 * outputs, and from what they are made of; their names decide nothing.
 *
 * @param output names the output
 * @param form what it is taken for
 * @param type of the output, declared and inferred types joined
 * @param activation what makes probabilities of the logits
 * @param last the node of the activation; null where there is none
 * @param after the nodes between activation and output, which change the shape or nothing
 * @param overClasses whether the activation goes over the classes, not over another axis
 * @param declared the shape that the model declares where it is not the one that it computes; else
 *     null
 * @param others the names of the model's other outputs
 */
public record Logits(
    String output,
    Form form,
    TensorType type,
    Activation activation,
    Node last,
    List<Node> after,
    boolean overClasses,
    Shape declared,
    List<String> others) {
  /** The key in a model's metadata under which the chosen output stands. */
  public static final String CHOSEN = "lora_graph_output";

  /** In the metadata of a model that {@link #applyTo} made, which is not looked through twice. */
  private static final String PLAIN = "lora_graph_logits";

  /** What an unanswerable question is answered with: the types that the model declares. */
  public static final ShapeInference DECLARED = model -> ValueTypes.declared(model.graph());

  /** Nodes after an activation that leave the numbers as they are. */
  private static final Set<String> SHAPES_ONLY =
      Set.of("Identity", "Cast", "Squeeze", "Unsqueeze", "Reshape", "Flatten");

  private static final int SOFTMAX_OVER_ONE_AXIS = 13;
  private static final int MOST_NAMED = 6;

  /** Bias, casts and dropout between a projection and the output. */
  private static final int FARTHEST_PROJECTION = 6;

  /** What makes probabilities of logits. */
  public enum Activation {
    NONE("nothing"),
    SOFTMAX("Softmax"),
    LOG_SOFTMAX("LogSoftmax"),
    SIGMOID("Sigmoid");

    private final String operator;

    Activation(String operator) {
      this.operator = operator;
    }

    @Override
    public String toString() {
      return operator;
    }
  }

  /**
   * What a loss takes. A task whose logits are of none of these forms brings its own.
   *
   * @param task the name of the task that has such a loss
   * @param shape in the words of a message
   * @param asAnswered whether the output itself is trained, and not what goes into a Softmax or
   *     Sigmoid at its end
   * @param fitting whether an output, which is an answer to something, can be of this form
   */
  public record Form(String task, String shape, boolean asAnswered, Predicate<Logits> fitting) {
    /** (batch, classes), one of which is right; one logit is that of the second of two classes. */
    public static final Form CLASSES =
        new Form(
            "classification",
            "(batch, classes)",
            false,
            l -> l.rank() < 3 && !(l.width() == 1 && l.isSoftmax()));

    /** (batch, 1): a number, which is trained as it is answered. */
    public static final Form NUMBER =
        new Form("regression", "(batch, 1) or (batch)", true, l -> l.rank() < 3 && l.width() == 1);

    /** (batch, classes), any number of which are right. */
    public static final Form CLASS_SET =
        new Form("multilabel", "(batch, classes)", false, l -> l.rank() < 3);

    /** (batch, sequence, classes): for each token one is right. */
    public static final Form TOKEN_CLASSES =
        new Form(
            "token-classification",
            "(batch, sequence, classes)",
            false,
            l -> l.rank() == 3 && l.width() > 1);

    /** The name of the task that has such a loss. */
    @Override
    public String toString() {
      return task;
    }
  }

  public Logits {
    after = List.copyOf(after);
    others = List.copyOf(others);
  }

  /**
   * The one output that fits, or the one that was chosen.
   *
   * @param forms what the loss takes, the likeliest first; none for any
   * @param inference asked only where the model does not declare enough
   * @throws LoraGraphException if none fits or several do; it names them
   */
  public static Logits of(OnnxModel model, List<Form> forms, ShapeInference inference) {
    return of(TypedModel.of(model, inference), forms);
  }

  /** The same of a model whose types may have been asked for already. */
  static Logits of(TypedModel typed, List<Form> forms) {
    OnnxModel model = typed.model();
    Graph graph = model.graph();
    String chosen = model.metadata().get(PLAIN);
    boolean plain = chosen != null && graph.isOutput(chosen);
    if (!plain) {
      chosen = model.metadata().get(CHOSEN);
    }
    Types types = new Types(typed);
    if (chosen != null && graph.isOutput(chosen)) {
      Logits logits = of(graph, chosen, types, forms, !plain);
      if (!logits.fits()) {
        throw logits.unfit();
      }
      return logits;
    }
    List<Logits> all = new ArrayList<>();
    for (ValueInfo output : graph.outputs()) {
      if (types.isFloatingPoint(output)) {
        all.add(of(graph, output.name(), types, forms, true));
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
          "%d outputs of the model could be its answer: %s; say which one with --output-name NAME"
              .formatted(fitting.size(), described(fitting)));
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
  public static ValueInfo states(OnnxModel model, ShapeInference inference) {
    Graph graph = model.graph();
    Types types = new Types(TypedModel.of(model, inference));
    String chosen = model.metadata().get(CHOSEN);
    List<Logits> all = new ArrayList<>();
    for (ValueInfo output : graph.outputs()) {
      if ((chosen == null || chosen.equals(output.name())) && types.isFloatingPoint(output)) {
        all.add(of(graph, output.name(), types, List.of(), true));
      }
    }
    List<Logits> wide = all.stream().filter(l -> l.rank() > 1 && l.isAnswer()).toList();
    if (chosen == null) {
      for (Logits logits : all) {
        if (logits.isAnswer() && !EncoderStates.contain(graph, logits.value())) {
          throw new LoraGraphException(
              "the model has a head already (output %s): it needs no other; if that is no head, name the output to put one on with --output-name NAME"
                  .formatted(logits));
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
          "%d outputs of the model could get the head: %s; say which one with --output-name NAME"
              .formatted(fitting.size(), described(fitting)));
    }
    return ValueInfo.of(fitting.get(0).output, fitting.get(0).type);
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
        boolean activated = one.activation != Activation.NONE;
        kept.removeIf(
            other ->
                other != one
                    && source(graph, other.value()).equals(value)
                    && (activated || other.activation == Activation.NONE));
      }
    }
    return kept;
  }

  /** Everything that a value is computed from, without itself. */
  private static Set<String> below(Graph graph, String value) {
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
    String remedy = "put a head on it with 'lora-graph add-head'";
    for (Logits logits : all) {
      if (!logits.overClasses) {
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
          "the model has no head, it answers with its states only: %s; %s, or name its answer with --output-name NAME"
              .formatted(described(states), remedy));
    }
    return new LoraGraphException(
        "the model has no logits, (batch, classes) or (batch, sequence, classes) with a known number of classes: its outputs are %s; export it again with a head for a task"
            .formatted(all.isEmpty() ? names(graph) : described(all)));
  }

  private static String names(Graph graph) {
    return graph.outputs().stream()
        .limit(MOST_NAMED)
        .map(o -> "'" + o.name() + "'")
        .collect(Collectors.joining(", "));
  }

  private static String described(List<Logits> outputs) {
    String named =
        outputs.stream().limit(MOST_NAMED).map(Logits::toString).collect(Collectors.joining(", "));
    int more = outputs.size() - MOST_NAMED;
    return more > 0 ? "%s and %d more".formatted(named, more) : named;
  }

  private LoraGraphException unfit() {
    if (!overClasses) {
      return new LoraGraphException(
          "'%s' is a %s over another axis than the last: its numbers are no probabilities of classes, name another output with --output-name NAME"
              .formatted(output, activation));
    }
    if (!isAnswer()) {
      return new LoraGraphException(
          "'%s' is of %s, and an answer is (batch), (batch, classes) or (batch, sequence, classes) with a known number of classes: name another output with --output-name NAME, or export the model again"
              .formatted(output, shapeText()));
    }
    return new LoraGraphException(
        "%s needs a model that answers %s, and its '%s' is of %s: put the head for it on an encoder with 'lora-graph add-head --task %s'"
            .formatted(form, form.shape, output, shapeText(), form));
  }

  /**
   * @param activated whether an activation is looked for
   */
  private static Logits of(
      Graph graph, String output, Types types, List<Form> forms, boolean activated) {
    List<Node> after = new ArrayList<>();
    Node node = graph.producer(output);
    while (node != null && SHAPES_ONLY.contains(node.opType()) && node.domain().isEmpty()) {
      after.add(0, node);
      node = graph.producer(node.input(0));
    }
    Activation activation = Activation.NONE;
    Node last = node;
    boolean asAnswered = !forms.isEmpty() && forms.stream().allMatch(Form::asAnswered);
    boolean looked = activated && !asAnswered;
    if (looked && node != null && node.domain().isEmpty()) {
      Node before = graph.producer(node.hasInput(0) ? node.input(0) : "");
      if (node.is("Log") && before != null && before.is("Softmax")) {
        activation = Activation.LOG_SOFTMAX;
        last = before;
      } else {
        activation =
            switch (node.opType()) {
              case "Softmax" -> Activation.SOFTMAX;
              case "LogSoftmax" -> Activation.LOG_SOFTMAX;
              case "Sigmoid" -> Activation.SIGMOID;
              default -> Activation.NONE;
            };
      }
    }
    boolean found = activation != Activation.NONE;
    ValueInfo info =
        graph.outputs().stream().filter(o -> o.name().equals(output)).findFirst().orElseThrow();
    TensorType declared = info.type();
    TensorType type = types.joined(info, found && after.isEmpty() ? last.input(0) : output);
    boolean contradicts = declared != null && contradict(declared.shape(), type.shape());
    Logits any =
        new Logits(
            output,
            null,
            type,
            activation,
            found ? last : null,
            found ? after : List.of(),
            !found || activation == Activation.SIGMOID || types.isOverLastAxis(last, after, type),
            contradicts ? declared.shape() : null,
            graph.outputs().stream().map(ValueInfo::name).filter(n -> !n.equals(output)).toList());
    return any.as(
        forms.isEmpty()
            ? any.natural()
            : forms.stream().filter(f -> any.as(f).fits()).findFirst().orElse(forms.get(0)));
  }

  private Logits as(Form other) {
    return new Logits(output, other, type, activation, last, after, overClasses, declared, others);
  }

  private static boolean contradict(Shape declared, Shape computed) {
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

  /** What the model declares and what is inferred, each asked for only if it is needed. */
  private static final class Types {
    private final TypedModel typed;
    private final OnnxModel model;

    Types(TypedModel typed) {
      this.typed = typed;
      this.model = typed.model();
    }

    private ValueTypes inferred() {
      return typed.inferred();
    }

    boolean isFloatingPoint(ValueInfo output) {
      TensorType type = output.type();
      if (type == null || type.elementType() == ElementType.UNDEFINED) {
        type = inferred().get(output.name());
      }
      return type != null && type.isFloatingPoint();
    }

    /** Whether a softmax goes over the last axis, which then is that of the output. */
    boolean isOverLastAxis(Node softmax, List<Node> after, TensorType output) {
      boolean reshaped = after.stream().anyMatch(n -> !n.is("Identity") && !n.is("Cast"));
      TensorType own = reshaped ? inferred().get(softmax.output(0)) : output;
      int rank = own == null || own.shape() == null ? 0 : own.shape().rank();
      // Before operator set 13 the axis is 1 unless stated, and all axes after it are one.
      long axis = softmax.attribute("axis", model.opset() < SOFTMAX_OVER_ONE_AXIS ? 1L : -1L);
      if (axis != -1 && rank > 0 && axis != rank - 1) {
        return false;
      }
      return rank == 0
          || output.shape() == null
          || output.shape().rank() == 0
          || !own.shape().dimension(-1).isKnown()
          || !output.shape().dimension(-1).isKnown()
          || own.shape().dimension(-1).size() == output.shape().dimension(-1).size();
    }

    /**
     * The type of an output: as inferred where the declaration leaves something open that matters,
     * or the weights say otherwise.
     *
     * @param value that a projection may make, of the output's last axis
     */
    TensorType joined(ValueInfo output, String value) {
      TensorType declared = output.type();
      Shape shape = declared == null ? null : declared.shape();
      long width = width(model.graph(), value);
      boolean complete =
          shape != null
              && declared.elementType() != ElementType.UNDEFINED
              && shape.rank() > 0
              && (shape.rank() == 1
                  ? width < 0
                  : shape.dimension(-1).isKnown()
                      && (width < 0 || width == shape.dimension(-1).size()));
      if (complete) {
        return declared;
      }
      TensorType found = inferred().get(output.name());
      ElementType element =
          found != null && found.elementType() != ElementType.UNDEFINED
              ? found.elementType()
              : declared == null ? ElementType.UNDEFINED : declared.elementType();
      Shape computed = found == null ? null : found.shape();
      if (computed == null || computed.rank() == 0) {
        computed = shape;
      }
      return new TensorType(element, computed == null ? null : filled(computed, shape, width));
    }

    /** Open dimensions by the names, or sizes, that the declaration has for them. */
    private static Shape filled(Shape computed, Shape declared, long width) {
      List<Shape.Dimension> dimensions = new ArrayList<>(computed.dimensions());
      int rank = dimensions.size();
      for (int axis = 0; axis < rank; axis++) {
        boolean open = !dimensions.get(axis).isKnown();
        if (open && axis == rank - 1 && rank > 1 && width >= 0) {
          dimensions.set(axis, Shape.Dimension.of(width));
        } else if (open && declared != null && declared.rank() == rank) {
          Shape.Dimension stated = declared.dimension(axis);
          if (stated.isKnown() || stated.symbol() != null) {
            dimensions.set(axis, stated);
          }
        }
      }
      return new Shape(dimensions);
    }

    /**
     * The size of the last axis of what a projection makes, seen from its weight; -1 for others.
     */
    private static long width(Graph graph, String value) {
      Node node = graph.producer(value);
      for (int i = 0; node != null && i < FARTHEST_PROJECTION; i++) {
        if (node.is("MatMul") || node.is("Gemm")) {
          return width(graph, node);
        }
        String next = null;
        if (node.is("Identity") || node.is("Cast") || node.is("Dropout")) {
          next = node.input(0);
        } else if (node.is("Add")) {
          next =
              graph.constant(node.input(0)) != null
                  ? node.input(1)
                  : graph.constant(node.input(1)) != null ? node.input(0) : null;
        }
        node = next == null ? null : graph.producer(next);
      }
      return -1;
    }

    private static long width(Graph graph, Node product) {
      boolean transposed = product.is("Gemm") && product.attribute("transB", 0L) != 0;
      String weight = product.input(1);
      Node maker = graph.producer(weight);
      if (maker != null && maker.is("Transpose")) {
        weight = maker.input(0);
        transposed = !transposed;
      }
      Tensor tensor = graph.constant(weight);
      return tensor == null || tensor.rank() != 2 ? -1 : tensor.dim(transposed ? 0 : 1);
    }
  }

  /**
   * The model with one output for its answer, which is noted in its metadata.
   *
   * @throws LoraGraphException if it has no such output, or that is no floating-point tensor
   */
  public static OnnxModel choose(OnnxModel model, String output) {
    ValueInfo chosen =
        model.graph().outputs().stream()
            .filter(o -> o.name().equals(output))
            .findFirst()
            .orElseThrow(
                () ->
                    new LoraGraphException(
                        "the model has no output '%s'; its outputs are: %s"
                            .formatted(output, names(model.graph()))));
    TensorType type = chosen.type();
    if (type != null && type.elementType() != ElementType.UNDEFINED && !type.isFloatingPoint()) {
      throw new LoraGraphException(
          "the output '%s' is of type %s, and logits are floating-point numbers: its outputs are: %s"
              .formatted(output, type.elementType(), names(model.graph())));
    }
    return model.withMetadata(CHOSEN, output);
  }

  /** The same model, with this output noted as its answer where it has others. */
  public OnnxModel noteIn(OnnxModel model) {
    return others.isEmpty() ? model : choose(model, output);
  }

  /** What the output is most likely meant for. */
  private Form natural() {
    if (rank() == 3) {
      return Form.TOKEN_CLASSES;
    }
    if (activation == Activation.SIGMOID) {
      return width() == 1 ? Form.CLASSES : Form.CLASS_SET;
    }
    return width() == 1 ? Form.NUMBER : Form.CLASSES;
  }

  /** The number of numbers in an answer, for each token where tokens are answered. */
  public int width() {
    return rank() == 1 ? 1 : Math.toIntExact(type.shape().dimension(-1).size());
  }

  /** The number of classes for a loss: two where one logit decides between them. */
  public int outputs() {
    return form == Form.CLASSES && width() == 1 ? 2 : width();
  }

  /** The number of its axes; 0 where it is not known. */
  public int rank() {
    return type.shape() == null ? 0 : type.shape().rank();
  }

  /** Whether its shape is that of an answer to anything. */
  private boolean isAnswer() {
    int rank = rank();
    return rank == 1 || (rank > 1 && rank < 4 && type.shape().dimension(-1).isKnown());
  }

  private boolean fits() {
    return isAnswer() && overClasses && form.fitting().test(this);
  }

  private boolean isSoftmax() {
    return activation == Activation.SOFTMAX || activation == Activation.LOG_SOFTMAX;
  }

  /** The value that is the logits, but for its shape. */
  private String value() {
    return last == null ? output : last.input(0);
  }

  /**
   * The model with its logits as the only output: (batch, 1) for a number, (batch, 2) for one that
   * decides between two classes.
   *
   * @param model stays as it is
   */
  public OnnxModel applyTo(OnnxModel model) {
    Graph graph = model.graph().copy();
    String value = value();
    for (Node node : after) {
      String renamed = graph.freshName("/logits/" + node.output(0));
      graph.add(node.withName(renamed).withInput(0, value).withOutputs(List.of(renamed)));
      value = renamed;
    }
    graph.clearOutputs();
    Shape shape = type.shape();
    if (rank() == 1) {
      value =
          added(
              graph,
              "Reshape",
              value,
              Tensor.ofLongs(graph.freshName("/logits/column"), new long[] {-1, 1}, 2));
      shape = new Shape(List.of(shape.dimension(0), Shape.Dimension.of(1)));
    }
    if (form == Form.CLASSES && width() == 1) {
      value = added(graph, "Mul", value, secondOfTwo(graph.freshName("/logits/classes")));
      shape = new Shape(List.of(shape.dimension(0), Shape.Dimension.of(2)));
    }
    graph.addOutput(ValueInfo.of(value, new TensorType(type.elementType(), shape)));
    return model.withGraph(graph).withMetadata(PLAIN, value);
  }

  /** The logits 0 and z have the probabilities 1 - sigmoid(z) and sigmoid(z) by softmax. */
  private Tensor secondOfTwo(String name) {
    return type.elementType() == ElementType.DOUBLE
        ? Tensor.ofDoubles(name, new double[] {0, 1}, 2)
        : Tensor.ofFloats(name, new float[] {0, 1}, 2);
  }

  private static String added(Graph graph, String op, String value, Tensor operand) {
    graph.putInitializer(operand);
    String output = graph.freshName("/logits/" + op);
    graph.add(Node.of(output, op, List.of(value, operand.name()), List.of(output)));
    return output;
  }

  /** The model without what {@link #applyTo} noted in it. */
  static OnnxModel unmarked(OnnxModel model) {
    return model.withMetadata(PLAIN, null);
  }

  /** What is worth saying of the choice, a line each. */
  public List<String> notes() {
    List<String> notes = new ArrayList<>();
    if (!others.isEmpty()) {
      notes.add(
          "of the model's %d outputs %s is taken for its answer"
              .formatted(others.size() + 1, this));
    }
    if (activation != Activation.NONE) {
      notes.add(
          "'%s' ends in %s: what goes into that is taken as the logits"
              .formatted(output, activation));
    }
    if (form == Form.CLASSES && width() == 1) {
      notes.add(
          "'%s' is one number: it decides between two classes, and is the second one's"
              .formatted(output));
    }
    if (declared != null) {
      notes.add(
          "'%s' is declared %s and computed as %s: taken as computed"
              .formatted(output, declared, type.shape()));
    }
    return notes;
  }

  private String shapeText() {
    return type.shape() == null ? "unknown shape" : "shape " + type.shape();
  }

  @Override
  public String toString() {
    return "'%s' %s".formatted(output, type.shape() == null ? "of unknown shape" : type.shape());
  }
}
