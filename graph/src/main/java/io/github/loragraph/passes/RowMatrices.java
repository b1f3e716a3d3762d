package io.github.loragraph.passes;

import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The values of a graph that is put down anew, as their own or as the rows of them: a matrix of all
 * axes but the last, by the last. A value is in one of four states, and goes from one to the next
 * when something reads it:
 *
 * <pre>{@code
 * h = MatMul(x, W)    h is pending: nothing is put down, a bias or a factor may still go inside
 * y = Add(h, b)       h is gone, y is pending with x, W and b
 * z = Gelu(y)         reads rows:   y' = Gemm(x', W, b); y is a matrix only, and so is z' = Gelu(y')
 * s = Softmax(z)      reads z itself:  z = Reshape(z', shape of z); z is whole, and offers its shape
 * }</pre>
 *
 * <p>So what goes on row by row never takes its own shape, and what is not read is never made.
 */
final class RowMatrices {
  private final MatchContext context;
  private final RewriteBuilder builder;

  /** Products that wait for a factor, a bias or a sum; they are put down when they are read. */
  private final Map<String, Product> pending = new HashMap<>();

  /** The rows of values, by the values. */
  private final Map<String, String> matrices = new HashMap<>();

  /** Values that are not there as their own: pending, or as a matrix only. */
  private final Set<String> notWhole = new HashSet<>();

  /** For a list of leading dimensions, a value that is there as its own and has them. */
  private final Map<List<Dimension>, String> leading = new HashMap<>();

  /** Null before the first node. */
  private @Nullable Node place;

  /**
   * {@code alpha * x w + sum} by rows.
   *
   * @param sum a bias, or a value of the product's shape; null for none
   */
  record Product(
      Node node, String x, String weight, boolean transposed, float alpha, @Nullable String sum) {
    Product times(double factor) {
      return new Product(node, x, weight, transposed, (float) (alpha * factor), sum);
    }

    Product plus(String other) {
      return new Product(node, x, weight, transposed, alpha, other);
    }
  }

  RowMatrices(MatchContext context) {
    this.context = context;
    this.builder = new RewriteBuilder(context.graph());
  }

  RewriteBuilder builder() {
    return builder;
  }

  /** Names what is put down from here on after a node's place. */
  void enter(Node node) {
    place = node;
    builder.enter(node);
  }

  /** Puts a node down as it is: what it reads is there as its own then. */
  void keep(Node node) {
    node.reads().forEach(this::restore);
    builder.keep(node);
    node.outputs().forEach(this::offerLeading);
  }

  /** Lets a product wait for what may go inside of it. */
  void defer(String value, Product product) {
    pending.put(value, product);
    notWhole.add(value);
  }

  /** The product that a value waits to become; null where it is none. */
  @Nullable Product pending(String value) {
    return pending.get(value);
  }

  /** Takes back a product that goes into another. */
  Product take(String value) {
    return pending.remove(value);
  }

  /** Whether a value of more than two axes is there, or will be, as a matrix. */
  boolean isByRows(String value) {
    return notWhole.contains(value) && context.rank(value) > 2;
  }

  /** Whether a value can be computed by its rows and be given its own shape again. */
  boolean hasRows(String value) {
    TensorType type = context.types().get(value);
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
  void offerLeading(String value) {
    Shape shape = context.shape(value);
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
  String rowsOf(String value) {
    String matrix = matrices.get(value);
    if (matrix != null) {
      return matrix;
    }
    Product product = pending.remove(value);
    if (product != null) {
      return gemm(value, product);
    }
    if (context.rank(value) == 2) {
      return value;
    }
    String source = value;
    Node producer = context.graph().producer(value);
    if (producer != null && producer.is("Reshape")) {
      source = producer.input(0);
      if (isByRows(source)) {
        source = rowsOf(source);
      } else {
        restore(source);
      }
    }
    matrix = builder.reshape(source, -1, context.width(value));
    matrices.put(value, matrix);
    return matrix;
  }

  private String gemm(String value, Product product) {
    Node current = Objects.requireNonNull(place);
    String x = rowsOf(product.x());
    String sum = product.sum();
    if (sum != null && context.rank(sum) > 1) {
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
    return Objects.requireNonNull(matrices.get(value));
  }

  /** Puts a node down that makes the rows of its first output. */
  void emit(Node node, List<String> inputs) {
    String value = node.output(0);
    if (context.rank(value) == 2) {
      builder.put(node, value, inputs);
      matrices.put(value, value);
      notWhole.remove(value);
    } else {
      matrices.put(value, builder.put(node, null, inputs));
      notWhole.add(value);
    }
  }

  /** Gives a value its own shape, where it has only its rows so far. */
  void restore(String value) {
    if (!notWhole.contains(value)) {
      return;
    }
    String matrix = rowsOf(value);
    if (notWhole.remove(value)) {
      builder.put(
          Node.of("", "Reshape", List.of(), List.of(value)),
          value,
          List.of(matrix, shapeOf(value)));
      offerLeading(value);
    }
  }

  /** The shape of a value as a value of its own. */
  String shapeOf(String value) {
    List<Dimension> dimensions = Objects.requireNonNull(context.shape(value)).dimensions();
    if (open(dimensions) <= 1) {
      return builder.longs(dimensions.stream().mapToLong(Dimension::size).toArray());
    }
    List<Dimension> front = dimensions.subList(0, dimensions.size() - 1);
    return builder.shared(
        List.of("shape", dimensions),
        () ->
            builder.concat(
                0, leadingShape(front), builder.longs(dimensions.get(front.size()).size())));
  }

  private String leadingShape(List<Dimension> front) {
    String value = Objects.requireNonNull(leading.get(front));
    if (context.rank(value) == front.size()) {
      return builder.shape(value);
    }
    return builder.shared(
        List.of("leading", front),
        () -> builder.op("Shape", n -> n.with("end", front.size()), value));
  }
}
