package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
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
import io.github.loragraph.shape.ValueTypes;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

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
    @Nullable Node last,
    List<Node> after,
    boolean overClasses,
    @Nullable Shape declared,
    List<String> others) {
  /** The key in a model's metadata under which the chosen output stands. */
  public static final String CHOSEN = "lora_graph_output";

  /** In the metadata of a model that {@link #applyTo} made, which is not looked through twice. */
  static final String PLAIN = "lora_graph_logits";

  /** What an unanswerable question is answered with: the types that the model declares. */
  public static final ShapeInference DECLARED = model -> ValueTypes.declared(model.graph());

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

    /** (batch, 1): a number whose sigmoid says how relevant one text of a pair is to the other. */
    public static final Form RELEVANCE =
        new Form(
            "rerank",
            "(batch, 1) or (batch)",
            false,
            l -> l.rank() < 3 && l.width() == 1 && !l.isSoftmax());

    /** (batch, sequence, classes): for each token one is right. */
    public static final Form TOKEN_CLASSES =
        new Form(
            "token-classification",
            "(batch, sequence, classes)",
            false,
            l -> l.rank() == 3 && l.width() > 1);

    /**
     * (batch, texts, dimension): vectors of texts, of the anchor first, as {@link Towers} make
     * them. Whoever wants them asks for them: nothing else is taken for them.
     */
    public static final Form EMBEDDINGS =
        new Form("embedding", "(batch, texts, dimension)", true, l -> l.rank() == 3);

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
    return AnswerSearch.of(TypedModel.of(model, inference), forms);
  }

  LoraGraphException unfit() {
    if (!overClasses) {
      return new LoraGraphException(
          "'%s' is a %s over another axis than the last: its numbers are no probabilities of classes"
              .formatted(output, activation),
          Remedy.NAME_OTHER_OUTPUT);
    }
    if (!isAnswer()) {
      return new LoraGraphException(
          "'%s' is of %s, and an answer is (batch), (batch, classes) or (batch, sequence, classes) with a known number of classes"
              .formatted(output, shapeText()),
          Remedy.NAME_OTHER_OUTPUT);
    }
    return new LoraGraphException(
        "%s needs a model that answers %s, and its '%s' is of %s"
            .formatted(form, form.shape, output, shapeText()),
        Remedy.ADD_HEAD_FOR_TASK.with(form));
  }

  Logits as(Form other) {
    return new Logits(output, other, type, activation, last, after, overClasses, declared, others);
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
                            .formatted(output, AnswerSearch.names(model.graph()))));
    TensorType type = chosen.type();
    if (type != null && type.elementType() != ElementType.UNDEFINED && !type.isFloatingPoint()) {
      throw new LoraGraphException(
          "the output '%s' is of type %s, and logits are floating-point numbers: its outputs are: %s"
              .formatted(output, type.elementType(), AnswerSearch.names(model.graph())));
    }
    return model.withMetadata(CHOSEN, output);
  }

  /** The same model, with this output noted as its answer where it has others. */
  public OnnxModel noteIn(OnnxModel model) {
    return others.isEmpty() ? model : choose(model, output);
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
    return AnswerSearch.states(model, inference);
  }

  /** What the output is most likely meant for. */
  Form natural() {
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
    return rank() == 1 ? 1 : Math.toIntExact(type.requireShape().dimension(-1).size());
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
  boolean isAnswer() {
    int rank = rank();
    return rank == 1 || (rank > 1 && rank < 4 && type.requireShape().dimension(-1).isKnown());
  }

  boolean fits() {
    return isAnswer() && overClasses && form.fitting().test(this);
  }

  private boolean isSoftmax() {
    return activation == Activation.SOFTMAX || activation == Activation.LOG_SOFTMAX;
  }

  /** The value that is the logits, but for its shape. */
  String value() {
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
      shape = new Shape(List.of(type.requireShape().dimension(0), Shape.Dimension.of(1)));
    }
    if (form == Form.CLASSES && width() == 1) {
      value = added(graph, "Mul", value, secondOfTwo(graph.freshName("/logits/classes")));
      shape = new Shape(List.of(type.requireShape().dimension(0), Shape.Dimension.of(2)));
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
