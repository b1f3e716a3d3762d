package io.github.loragraph.passes;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Computes Linear layers in two dimensions. {@code x W + b} with x of shape (batch, sequence, in)
 * becomes one {@code Gemm} over the rows of x, a matrix (batch * sequence, in): the bias is added
 * inside, a transposed weight is read as it is, and the backward pass is two {@code Gemm} with
 * neither a transpose nor a sum over batches. An adapter's {@code x A}, {@code * scale}, {@code B},
 * {@code + base} becomes two: {@code u = scale * x A}, {@code y = u B + base}.
 *
 * <p>What follows row by row (residual additions, activations, layer normalization) works on the
 * rows too. A value takes its own shape again only where something else reads it: in a transformer,
 * where attention splits the heads.
 */
final class LinearAsGemm {
  /** Counts matrix products. */
  static final String PRODUCTS = "LinearAsGemm";

  /** Counts sums of a product and a value of the same shape: an adapter's and its base layer's. */
  static final String SUMS = "SumInGemm";

  /** Operators that work on each element alone. */
  private static final Set<String> UNARY =
      Set.of(
          "Cast",
          "Elu",
          "Erf",
          "Exp",
          "Gelu",
          "Identity",
          "LeakyRelu",
          "Neg",
          "Reciprocal",
          "Relu",
          "Sigmoid",
          "Sqrt",
          "Tanh");

  private static final Set<String> BINARY = Set.of("Add", "Div", "Mul", "Pow", "Sub");

  private final Subject subject;
  private final Rewriting rewriting;

  /** Products that wait for a factor, a bias or a sum; they are put down when they are read. */
  private final Map<String, Product> open = new HashMap<>();

  /** The rows of values: matrices of all but the last axis, by the last. */
  private final Map<String, String> rows = new HashMap<>();

  /** Values that so far stand there by their rows alone, or not yet at all. */
  private final Set<String> absent = new HashSet<>();

  /** For a list of leading dimensions, a value that has them. */
  private final Map<List<Dimension>, String> leading = new HashMap<>();

  private Node place;
  private int products;
  private int sums;

  /**
   * {@code alpha * x w + sum} by rows.
   *
   * @param sum a bias, or a value of the product's shape; null for none
   */
  private record Product(
      Node node, String x, String weight, boolean transposed, float alpha, String sum) {
    Product times(double factor) {
      return new Product(node, x, weight, transposed, (float) (alpha * factor), sum);
    }

    Product plus(String other) {
      return new Product(node, x, weight, transposed, alpha, other);
    }
  }

  private LinearAsGemm(Subject subject) {
    this.subject = subject;
    this.rewriting = new Rewriting(subject.graph());
  }

  /**
   * @param subject with types in which every open dimension has a symbol; values whose shape is not
   *     known so far stay as they are
   */
  static Rewriter.Result apply(Subject subject) {
    return new LinearAsGemm(subject).run();
  }

  private Rewriter.Result run() {
    for (ValueInfo input : subject.graph().inputs()) {
      offerLeading(input.name());
    }
    for (Node node : subject.graph().nodes()) {
      enter(node);
      if (!node.domain().isEmpty() || !inRows(node)) {
        node.reads().forEach(this::restore);
        rewriting.keep(node);
        node.outputs().forEach(this::offerLeading);
      }
    }
    subject.graph().outputs().forEach(output -> restore(output.name()));
    Map<String, Integer> recognised = new LinkedHashMap<>();
    recognised.put(PRODUCTS, products);
    recognised.put(SUMS, sums);
    return new Rewriter.Result(rewriting.finish(), recognised);
  }

  private void enter(Node node) {
    place = node;
    rewriting.enter(node);
  }

  /** Computes a node by rows, if it can be. */
  private boolean inRows(Node node) {
    return switch (node.opType()) {
      case "MatMul" -> matMul(node);
      case "Add" -> sum(node) || binary(node);
      case "Mul" -> scale(node) || binary(node);
      case "LayerNormalization" -> layerNormalization(node);
      case "Reshape" -> reshape(node);
      case "Shape" -> shape(node);
      default ->
          BINARY.contains(node.opType())
              ? binary(node)
              : UNARY.contains(node.opType()) && unary(node);
    };
  }

  private boolean matMul(Node node) {
    String x = node.input(0);
    String y = node.output(0);
    if (!hasRows(y)
        || subject.rank(x) != subject.rank(y)
        || subject.rank(node.input(1)) != 2
        || subject.width(x) <= 0) {
      return false;
    }
    Node transpose = subject.graph().producer(node.input(1));
    boolean transposed = transpose != null && isTranspose(transpose);
    String weight = transposed ? transpose.input(0) : node.input(1);
    restore(weight);
    open.put(y, new Product(node, x, weight, transposed, 1, null));
    absent.add(y);
    products++;
    return true;
  }

  private static boolean isTranspose(Node node) {
    long[] permutation = node.longs("perm");
    return node.is("Transpose") && (permutation == null || permutation[0] == 1);
  }

  /** A product and its bias, or a product and a value of its shape. */
  private boolean sum(Node node) {
    String y = node.output(0);
    for (int i = 0; i < 2; i++) {
      String other = node.input(1 - i);
      boolean bias = subject.rank(other) == 1 && subject.width(other) == subject.width(y);
      if (bias && isFree(node.input(i), y)) {
        open.put(y, open.remove(node.input(i)).plus(other));
        absent.add(y);
        return true;
      }
    }
    for (int i = 1; i >= 0; i--) {
      String other = node.input(1 - i);
      if (isFree(node.input(i), y) && isSameShape(other, y)) {
        open.put(y, open.remove(node.input(i)).plus(other));
        absent.add(y);
        sums++;
        return true;
      }
    }
    return false;
  }

  /** A product and a number. */
  private boolean scale(Node node) {
    String y = node.output(0);
    for (int i = 0; i < 2; i++) {
      Double factor = subject.number(node.input(1 - i));
      if (factor != null && isFree(node.input(i), y) && isSingle(y, factor)) {
        open.put(y, open.remove(node.input(i)).times(factor));
        absent.add(y);
        return true;
      }
    }
    return false;
  }

  /** The factor of a {@code Gemm} is a number of single precision. */
  private boolean isSingle(String value, double factor) {
    return subject.types().get(value).elementType() != ElementType.DOUBLE
        || (float) factor == factor;
  }

  /** Whether a value is a product that nothing was added to and that goes into a result alone. */
  private boolean isFree(String value, String result) {
    Product product = open.get(value);
    return product != null
        && product.sum() == null
        && subject.isReadOnce(value)
        && isSameShape(value, result);
  }

  private boolean binary(Node node) {
    String y = node.output(0);
    if (!hasRows(y) || node.inputs().stream().noneMatch(this::isByRows)) {
      return false;
    }
    for (String input : node.inputs()) {
      boolean channels =
          subject.rank(input) == 0
              || (subject.rank(input) == 1 && subject.width(input) == subject.width(y));
      if (!channels && !isSameShape(input, y)) {
        return false;
      }
    }
    List<String> operands = new ArrayList<>();
    for (String input : node.inputs()) {
      operands.add(subject.rank(input) <= 1 ? input : rowsOf(input));
    }
    emit(node, operands);
    return true;
  }

  private boolean unary(Node node) {
    if (!isByRows(node.input(0)) || !hasRows(node.output(0))) {
      return false;
    }
    emit(node, List.of(rowsOf(node.input(0))));
    return true;
  }

  private boolean layerNormalization(Node node) {
    String x = node.input(0);
    if (!isByRows(x)
        || !hasRows(node.output(0))
        || node.outputs().size() > 1
        || !subject.isLastAxis(node.attribute("axis", -1L), x)) {
      return false;
    }
    List<String> inputs = new ArrayList<>(node.inputs());
    inputs.set(0, rowsOf(x));
    emit(node.with("axis", -1), inputs);
    return true;
  }

  /** To another shape it is the same way from the rows, unless dimensions of x are copied. */
  private boolean reshape(Node node) {
    String x = node.input(0);
    if (!isByRows(x) || !saysAllDimensions(node.input(1))) {
      return false;
    }
    restore(node.input(1));
    rewriting.keep(node.withInput(0, rowsOf(x)));
    offerLeading(node.output(0));
    return true;
  }

  private boolean saysAllDimensions(String shape) {
    Tensor constant = subject.constant(shape);
    if (constant != null) {
      for (long size : constant.toLongs()) {
        if (size == 0) {
          return false;
        }
      }
      return true;
    }
    Node producer = subject.graph().producer(shape);
    return producer != null
        && (!producer.is("Concat") || producer.inputs().stream().allMatch(this::saysAllDimensions));
  }

  private boolean shape(Node node) {
    String x = node.input(0);
    if (!isByRows(x) || node.hasAttribute("start") || node.hasAttribute("end")) {
      return false;
    }
    rewriting.forward(node.output(0), shapeOf(x));
    return true;
  }

  /** Whether a value of more than two axes is there, or will be, as a matrix. */
  private boolean isByRows(String value) {
    return absent.contains(value) && subject.rank(value) > 2;
  }

  private boolean isSameShape(String a, String b) {
    Shape shape = subject.shape(a);
    return shape != null && hasRows(b) && shape.surelyEquals(subject.shape(b));
  }

  /** Whether a value can be computed by its rows and be given its own shape again. */
  private boolean hasRows(String value) {
    TensorType type = subject.types().get(value);
    if (type == null
        || !type.isFloatingPoint()
        || type.shape() == null
        || type.shape().rank() < 2
        || !type.shape().dimension(-1).isKnown()) {
      return false;
    }
    List<Dimension> dimensions = type.shape().dimensions();
    // In a target shape, 0 and -1 say something else.
    if (dimensions.stream().anyMatch(d -> d.isKnown() && d.size() == 0)) {
      return false;
    }
    return dimensions.size() == 2
        || open(dimensions) <= 1
        || leading.containsKey(dimensions.subList(0, dimensions.size() - 1));
  }

  private static long open(List<Dimension> dimensions) {
    return dimensions.stream().filter(d -> !d.isKnown()).count();
  }

  /** Remembers a value that stands there in its own shape for the dimensions that it has. */
  private void offerLeading(String value) {
    Shape shape = subject.shape(value);
    if (shape == null) {
      return;
    }
    for (int count = 2; count <= shape.rank(); count++) {
      List<Dimension> dimensions = shape.dimensions().subList(0, count);
      if (dimensions.stream().allMatch(d -> d.isKnown() || d.symbol() != null)) {
        leading.putIfAbsent(dimensions, value);
      }
    }
  }

  /** The rows of a value, put down where they are not there yet. */
  private String rowsOf(String value) {
    String matrix = rows.get(value);
    if (matrix != null) {
      return matrix;
    }
    Product product = open.remove(value);
    if (product != null) {
      return gemm(value, product);
    }
    if (subject.rank(value) == 2) {
      return value;
    }
    String source = value;
    Node producer = subject.graph().producer(value);
    if (producer != null && producer.is("Reshape")) {
      source = producer.input(0);
      if (isByRows(source)) {
        source = rowsOf(source);
      } else {
        restore(source);
      }
    }
    matrix = rewriting.reshape(source, -1, subject.width(value));
    rows.put(value, matrix);
    return matrix;
  }

  private String gemm(String value, Product product) {
    Node current = place;
    String x = rowsOf(product.x());
    String sum = product.sum();
    if (sum != null && subject.rank(sum) > 1) {
      sum = rowsOf(sum);
    }
    enter(product.node());
    Node gemm = Node.of("", "Gemm", List.of(), List.of(value));
    gemm = product.transposed() ? gemm.with("transB", 1) : gemm;
    gemm = product.alpha() == 1 ? gemm : gemm.with("alpha", product.alpha());
    List<String> inputs = new ArrayList<>(List.of(x, product.weight()));
    if (sum != null) {
      inputs.add(sum);
    }
    emit(gemm, inputs);
    enter(current);
    return rows.get(value);
  }

  /** Puts a node down that makes the rows of its first output. */
  private void emit(Node node, List<String> inputs) {
    String value = node.output(0);
    if (subject.rank(value) == 2) {
      rewriting.put(node, value, inputs);
      rows.put(value, value);
      absent.remove(value);
    } else {
      rows.put(value, rewriting.put(node, null, inputs));
      absent.add(value);
    }
  }

  /** Gives a value its own shape, where it has only its rows so far. */
  private void restore(String value) {
    if (!absent.contains(value)) {
      return;
    }
    String matrix = rowsOf(value);
    if (absent.remove(value)) {
      rewriting.put(
          Node.of("", "Reshape", List.of(), List.of(value)),
          value,
          List.of(matrix, shapeOf(value)));
      offerLeading(value);
    }
  }

  /** The shape of a value as a value of its own. */
  private String shapeOf(String value) {
    List<Dimension> dimensions = subject.shape(value).dimensions();
    if (open(dimensions) <= 1) {
      return rewriting.longs(dimensions.stream().mapToLong(Dimension::size).toArray());
    }
    List<Dimension> front = dimensions.subList(0, dimensions.size() - 1);
    return rewriting.shared(
        List.of("shape", dimensions),
        () ->
            rewriting.concat(
                0, leadingShape(front), rewriting.longs(dimensions.get(front.size()).size())));
  }

  private String leadingShape(List<Dimension> front) {
    String value = leading.get(front);
    if (subject.rank(value) == front.size()) {
      return rewriting.shape(value);
    }
    return rewriting.shared(
        List.of("leading", front),
        () -> rewriting.op("Shape", n -> n.with("end", front.size()), value));
  }
}
