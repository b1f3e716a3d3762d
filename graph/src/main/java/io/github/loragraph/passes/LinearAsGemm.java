package io.github.loragraph.passes;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.passes.RowMatrices.Product;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
 * where attention splits the heads. Types whose open dimensions have no symbol leave a layer as it
 * is. {@link RowMatrices} keeps what is put down in which form; this class says what of each node.
 */
final class LinearAsGemm implements Pass {
  /** Counts matrix products. */
  static final String PRODUCTS = "LinearAsGemm";

  /** Counts sums of a product and a value of the same shape: an adapter's and its base layer's. */
  static final String SUMS = "SumInGemm";

  @Override
  public Result apply(TypedModel model, Set<String> trainable) {
    Walk walk = new Walk(MatchContext.of(model, trainable));
    walk.run();
    Map<String, Integer> recognised = new LinkedHashMap<>();
    recognised.put(PRODUCTS, walk.products);
    recognised.put(SUMS, walk.sums);
    OnnxModel rewritten = model.model().withGraph(walk.rows.builder().finish());
    return new Result(model.with(rewritten), recognised);
  }

  /** One walk over a graph. */
  private static final class Walk {
    private final MatchContext context;
    private final RowMatrices rows;
    private int products;
    private int sums;

    Walk(MatchContext context) {
      this.context = context;
      this.rows = new RowMatrices(context);
    }

    void run() {
      for (ValueInfo input : context.graph().inputs()) {
        rows.offerLeading(input.name());
      }
      for (Node node : context.graph().nodes()) {
        rows.enter(node);
        if (!node.domain().isEmpty() || !inRows(node)) {
          rows.keep(node);
        }
      }
      context.graph().outputs().forEach(output -> rows.restore(output.name()));
    }

    /** Computes a node by rows, if it can be. */
    private boolean inRows(Node node) {
      return switch (node.opType()) {
        case "MatMul" -> matMul(node);
        case "Add" -> sum(node) || broadcasting(node);
        case "Mul" -> scale(node) || broadcasting(node);
        case "Reshape" -> reshape(node);
        case "Shape" -> shape(node);
        default -> byTraits(node);
      };
    }

    private boolean byTraits(Node node) {
      Operators operators = Operators.all();
      if (operators.has(node, Trait.BROADCASTING)) {
        return broadcasting(node);
      }
      if (operators.has(node, Trait.LAST_AXIS)) {
        return lastAxis(node);
      }
      return operators.has(node, Trait.ELEMENTWISE) && elementwise(node);
    }

    private boolean matMul(Node node) {
      String x = node.input(0);
      String y = node.output(0);
      if (!rows.hasRows(y)
          || context.rank(x) != context.rank(y)
          || context.rank(node.input(1)) != 2
          || context.width(x) <= 0) {
        return false;
      }
      Node transpose = context.graph().producer(node.input(1));
      boolean transposed = transpose != null && isTranspose(transpose);
      String weight =
          transpose != null && isTranspose(transpose) ? transpose.input(0) : node.input(1);
      rows.restore(weight);
      rows.defer(y, new Product(node, x, weight, transposed, 1, null));
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
        boolean bias = context.rank(other) == 1 && context.width(other) == context.width(y);
        if (bias && isFree(node.input(i), y)) {
          rows.defer(y, rows.take(node.input(i)).plus(other));
          return true;
        }
      }
      for (int i = 1; i >= 0; i--) {
        String other = node.input(1 - i);
        if (isFree(node.input(i), y) && isSameShape(other, y)) {
          rows.defer(y, rows.take(node.input(i)).plus(other));
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
        Double factor = context.number(node.input(1 - i));
        if (factor != null && isFree(node.input(i), y) && isSingle(y, factor)) {
          rows.defer(y, rows.take(node.input(i)).times(factor));
          return true;
        }
      }
      return false;
    }

    /** The factor of a {@code Gemm} is a number of single precision. */
    private boolean isSingle(String value, double factor) {
      return Objects.requireNonNull(context.types().get(value)).elementType() != ElementType.DOUBLE
          || (float) factor == factor;
    }

    /** Whether a value is a product that nothing was added to and that goes into a result alone. */
    private boolean isFree(String value, String result) {
      Product product = rows.pending(value);
      return product != null
          && product.sum() == null
          && context.isReadOnce(value)
          && isSameShape(value, result);
    }

    private boolean broadcasting(Node node) {
      String y = node.output(0);
      if (!rows.hasRows(y) || node.inputs().stream().noneMatch(rows::isByRows)) {
        return false;
      }
      for (String input : node.inputs()) {
        boolean channels =
            context.rank(input) == 0
                || (context.rank(input) == 1 && context.width(input) == context.width(y));
        if (!channels && !isSameShape(input, y)) {
          return false;
        }
      }
      List<String> operands = new ArrayList<>();
      for (String input : node.inputs()) {
        operands.add(context.rank(input) <= 1 ? input : rows.rowsOf(input));
      }
      rows.emit(node, operands);
      return true;
    }

    private boolean elementwise(Node node) {
      if (!rows.isByRows(node.input(0)) || !rows.hasRows(node.output(0))) {
        return false;
      }
      // What other inputs there are hold one number each.
      List<String> inputs = new ArrayList<>(node.inputs());
      inputs.set(0, rows.rowsOf(node.input(0)));
      rows.emit(node, inputs);
      return true;
    }

    private boolean lastAxis(Node node) {
      String x = node.input(0);
      if (!rows.isByRows(x)
          || !rows.hasRows(node.output(0))
          || node.outputs().size() > 1
          || !context.isLastAxis(node.attribute("axis", -1L), x)) {
        return false;
      }
      List<String> inputs = new ArrayList<>(node.inputs());
      inputs.set(0, rows.rowsOf(x));
      rows.emit(node.with("axis", -1), inputs);
      return true;
    }

    /** To another shape it is the same way from the rows, unless dimensions of x are copied. */
    private boolean reshape(Node node) {
      String x = node.input(0);
      if (!rows.isByRows(x) || !saysAllDimensions(node.input(1))) {
        return false;
      }
      rows.restore(node.input(1));
      rows.builder().keep(node.withInput(0, rows.rowsOf(x)));
      rows.offerLeading(node.output(0));
      return true;
    }

    private boolean saysAllDimensions(String shape) {
      Tensor constant = context.constant(shape);
      if (constant != null) {
        for (long size : constant.toLongs()) {
          if (size == 0) {
            return false;
          }
        }
        return true;
      }
      Node producer = context.graph().producer(shape);
      return producer != null
          && (!producer.is("Concat")
              || producer.inputs().stream().allMatch(this::saysAllDimensions));
    }

    private boolean shape(Node node) {
      String x = node.input(0);
      if (!rows.isByRows(x) || node.hasAttribute("start") || node.hasAttribute("end")) {
        return false;
      }
      rows.builder().forward(node.output(0), rows.shapeOf(x));
      return true;
    }

    private boolean isSameShape(String a, String b) {
      Shape shape = context.shape(a);
      Shape other = context.shape(b);
      return shape != null && other != null && rows.hasRows(b) && shape.surelyEquals(other);
    }
  }
}
