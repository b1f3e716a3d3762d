package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.EinsumEquation;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Sums of products, named by letters: the gradient of an operand is the same kind of sum, over dy
 * and the other operands. A letter that only the operand has was summed over: its gradient is
 * repeated along it.
 */
@AutoService(OperatorFamily.class)
public final class Einsum implements DifferentiableOperator {
  @Override
  public String name() {
    return "Einsum";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.MATRIX_PRODUCT);
  }

  /**
   * (ONNX Runtime 1.28 takes the size of an axis from the first operand that has it, also where
   * that is 1 and broadcast.)
   */
  @Override
  public boolean overridesInference() {
    return true;
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    Node node = c.node();
    List<List<Dimension>> shapes = new ArrayList<>();
    for (int i = 0; i < node.inputs().size(); i++) {
      List<Dimension> shape = c.shape(i);
      if (shape == null) {
        return null;
      }
      shapes.add(shape);
    }
    EinsumEquation equation =
        EinsumEquation.of(node, input -> c.rank(node.inputs().indexOf(input)));
    List<Dimension> result = new ArrayList<>();
    for (char letter : equation.result().toCharArray()) {
      @Nullable Dimension size = Dimension.of(1);
      for (int i = 0; i < node.inputs().size(); i++) {
        int axis = equation.operands().get(i).indexOf(letter);
        size = axis < 0 ? size : c.broadcast(size, shapes.get(i).get(axis));
      }
      result.add(size);
    }
    return result;
  }

  @Override
  public @Nullable String unsupportedReason(Node node, GradientContext g) {
    String text = node.attribute("equation", "");
    boolean ranks = node.inputs().stream().allMatch(input -> g.rank(input) >= 0);
    if (text.contains(".") && !ranks) {
      return text + " of unknown rank";
    }
    EinsumEquation equation = EinsumEquation.of(node, g::rank);
    for (int i = 0; i < equation.operands().size(); i++) {
      String term = equation.operands().get(i);
      if (g.needs(i) && term.chars().distinct().count() < term.length()) {
        return text + " with a diagonal";
      }
    }
    return null;
  }

  @Override
  public void emit(Node node, GradientContext g) {
    EinsumEquation equation = EinsumEquation.of(node, g::rank);
    for (int i = 0; i < node.inputs().size(); i++) {
      if (g.needs(i)) {
        g.inputGradient(i, gradient(node, equation, i, g));
      }
    }
  }

  private static String gradient(
      Node node, EinsumEquation equation, int operand, GradientContext g) {
    String letters = equation.operands().get(operand);
    List<String> values = new ArrayList<>(List.of(g.outputGradient()));
    List<String> terms = new ArrayList<>(List.of(equation.result()));
    for (int i = 0; i < node.inputs().size(); i++) {
      if (i != operand) {
        values.add(node.input(i));
        terms.add(equation.operands().get(i));
      }
    }
    String given = String.join("", terms);
    String kept = only(letters, given);
    String sum = product(values, terms, kept, g);
    List<Long> missing = new ArrayList<>();
    for (int axis = 0; axis < letters.length(); axis++) {
      if (given.indexOf(letters.charAt(axis)) < 0) {
        missing.add((long) axis);
      }
    }
    String x = node.input(operand);
    if (missing.isEmpty()) {
      return broadcastBack(sum, node, equation, operand, g.sizes().of(x), g);
    }
    String open = g.unsqueeze(sum, missing.stream().mapToLong(Long::longValue).toArray());
    String back = broadcastBack(open, node, equation, operand, withOnes(x, letters, missing, g), g);
    return g.repeat(back, g.elementType(x), g.sizes().of(x));
  }

  private static String only(String letters, String given) {
    StringBuilder kept = new StringBuilder();
    letters.chars().filter(c -> given.indexOf(c) >= 0).forEach(c -> kept.append((char) c));
    return kept.toString();
  }

  /** Einsum, or what it comes down to for dy alone: its axes in another order. */
  private static String product(
      List<String> values, List<String> terms, String result, GradientContext g) {
    if (values.size() == 1) {
      String dy = terms.get(0);
      return g.transpose(values.get(0), result.chars().mapToLong(dy::indexOf).toArray());
    }
    String equation = String.join(",", terms) + "->" + result;
    return g.op("Einsum", n -> n.with("equation", equation), values.toArray(String[]::new));
  }

  private static String withOnes(String x, String letters, List<Long> axes, GradientContext g) {
    String[] sizes =
        IntStream.range(0, letters.length())
            .mapToObj(axis -> axes.contains((long) axis) ? g.longs(1) : g.sizes().of(x, axis))
            .toArray(String[]::new);
    return g.sizes().join(sizes);
  }

  /**
   * An axis of size 1 may stand for a longer one of another operand: the sum is then as long as the
   * other operands say, and is brought to the operand's own size.
   *
   * @param target the operand's sizes, with 1 for each letter that only the operand has
   */
  private static String broadcastBack(
      String sum,
      Node node,
      EinsumEquation equation,
      int operand,
      String target,
      GradientContext g) {
    String letters = equation.operands().get(operand);
    for (int axis = 0; axis < letters.length(); axis++) {
      char letter = letters.charAt(axis);
      boolean inResult = equation.result().indexOf(letter) >= 0;
      Shape.Dimension own = dimension(node.input(operand), axis, g);
      for (int i = 0; i < node.inputs().size(); i++) {
        int at = equation.operands().get(i).indexOf(letter);
        if (i != operand && at >= 0 && mayDiffer(own, dimension(node.input(i), at, g), inResult)) {
          return g.reduceToSizes(g.expand(sum, target), target);
        }
      }
    }
    return sum;
  }

  private static Shape.Dimension dimension(String value, int axis, GradientContext g) {
    Shape shape = g.shapeOf(value);
    return shape == null ? Shape.Dimension.unknown() : shape.dimension(axis);
  }

  /** The result has an axis in its full length, so there only the operand's own can be shorter. */
  private static boolean mayDiffer(Shape.Dimension own, Shape.Dimension other, boolean inResult) {
    boolean full = own.isKnown() && own.size() != 1;
    boolean single = other.isKnown() && other.size() == 1;
    return !own.surelyEquals(other) && !(inResult && (full || single));
  }
}
