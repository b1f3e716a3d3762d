package io.github.loragraph.passes;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A rule whose left side is written as the graph that it looks for. A variable stands for any value
 * and for the same value wherever it occurs; the two operands of a commutative operator may stand
 * in either order. Values inside the pattern may be read elsewhere too: then they stay.
 */
abstract class Pattern implements RewriteRule {
  private final Term term;

  /**
   * @param term the graph that is looked for; its root is an operator
   */
  Pattern(Term term) {
    this.term = term;
  }

  /** Whether an occurrence may be replaced, asked once all variables are bound. */
  abstract boolean accepts(Match match, MatchContext context);

  /** Puts down what takes the occurrence's place. */
  abstract void replace(Match match, RewriteBuilder builder);

  @Override
  public String name() {
    return getClass().getSimpleName();
  }

  @Override
  public final @Nullable Consumer<RewriteBuilder> match(Node node, MatchContext context) {
    if (!node.hasOutput(0)) {
      return null;
    }
    for (Match match : term.matches(node.output(0), new Match(node, context, Map.of()))) {
      if (accepts(match, context)) {
        return builder -> replace(match, builder);
      }
    }
    return null;
  }

  /**
   * An occurrence, or a part of one.
   *
   * @param root the node whose output the pattern makes
   * @param values what the variables stand for
   */
  record Match(Node root, MatchContext context, Map<String, String> values) {
    /** What a variable of the pattern stands for; all are bound in an occurrence. */
    String value(String variable) {
      return Objects.requireNonNull(values.get(variable), variable);
    }

    private List<Match> with(String variable, String value) {
      String bound = values.get(variable);
      if (bound != null) {
        return bound.equals(value) ? List.of(this) : List.of();
      }
      Map<String, String> more = new HashMap<>(values);
      more.put(variable, value);
      return List.of(new Match(root, context, more));
    }
  }

  /** A part of a pattern. */
  interface Term {
    /** All ways in which this part can be found at a value, given what is bound already. */
    List<Match> matches(String value, Match match);
  }

  /** Any value. */
  static Term any(String variable) {
    return (value, match) -> value.isEmpty() ? List.of() : match.with(variable, value);
  }

  /**
   * A constant of one number, of no rank or of a rank that does not show in the result.
   *
   * @param expected compared within the precision that the constant's type has
   */
  static Term number(double expected) {
    return (value, match) -> isNumber(value, expected, match) ? List.of(match) : List.of();
  }

  private static boolean isNumber(String value, double expected, Match match) {
    Double number = match.context().number(value);
    Tensor tensor = match.context().constant(value);
    if (number == null || tensor == null || !fits(tensor, match)) {
      return false;
    }
    return Math.abs(number - expected) <= precision(tensor.elementType()) * Math.abs(expected);
  }

  /** A constant of shape [1,1,1,1] would raise the rank of what it is multiplied with. */
  private static boolean fits(Tensor constant, Match match) {
    int rank = constant.rank();
    return rank == 0 || rank <= match.context().rank(match.root().output(0));
  }

  private static double precision(ElementType type) {
    return switch (type) {
      case FLOAT16 -> 1e-3;
      case BFLOAT16 -> 8e-3;
      default -> 1e-6;
    };
  }

  /** An operator with its first inputs. */
  static Term op(String opType, Term... inputs) {
    return opWhere(opType, (node, context) -> true, inputs);
  }

  /**
   * An operator with its first inputs.
   *
   * @param condition what else must hold of its node: attributes, further inputs
   */
  static Term opWhere(String opType, BiPredicate<Node, MatchContext> condition, Term... inputs) {
    return (value, match) -> {
      Node node = match.context().graph().producer(value);
      if (node == null
          || !node.is(opType)
          || !node.output(0).equals(value)
          || node.inputs().size() < inputs.length
          || !condition.test(node, match.context())) {
        return List.of();
      }
      List<Match> found = inOrder(node.inputs(), List.of(inputs), match);
      if (Operators.all().has(opType, Trait.COMMUTATIVE) && inputs.length == 2) {
        found.addAll(inOrder(node.inputs(), List.of(inputs[1], inputs[0]), match));
      }
      return found;
    };
  }

  private static List<Match> inOrder(List<String> values, List<Term> terms, Match match) {
    List<Match> found = List.of(match);
    for (int i = 0; i < terms.size(); i++) {
      List<Match> next = new ArrayList<>();
      for (Match m : found) {
        next.addAll(terms.get(i).matches(values.get(i), m));
      }
      found = next;
    }
    return new ArrayList<>(found);
  }

  /** Any one of several forms of the same thing. */
  static Term either(Term... forms) {
    return (value, match) -> {
      List<Match> found = new ArrayList<>();
      for (Term form : forms) {
        found.addAll(form.matches(value, match));
      }
      return found;
    };
  }

  /**
   * A number times other factors, multiplied in any order and association. {@code Mul} by the
   * number and {@code Div} by its inverse are the same.
   */
  static Term product(double number, Term... factors) {
    return (value, match) -> product(value, number, List.of(factors), match);
  }

  /** Factors multiplied in any order and association. */
  static Term product(Term... factors) {
    return (value, match) -> product(value, null, List.of(factors), match);
  }

  private static List<Match> product(
      String value, @Nullable Double number, List<Term> factors, Match match) {
    if (number == null && factors.size() == 1) {
      return factors.get(0).matches(value, match);
    }
    if (number != null && factors.isEmpty()) {
      return number(number).matches(value, match);
    }
    Node node = match.context().graph().producer(value);
    if (node == null) {
      return List.of();
    }
    if (node.is("Div") && number != null && isNumber(node.input(1), 1 / number, match)) {
      return product(node.input(0), null, factors, match);
    }
    if (!node.is("Mul")) {
      return List.of();
    }
    List<Match> found = new ArrayList<>();
    int parts = factors.size() + (number == null ? 0 : 1);
    for (int left = 1; left < (1 << parts) - 1; left++) {
      List<Term> a = new ArrayList<>();
      List<Term> b = new ArrayList<>();
      for (int i = 0; i < factors.size(); i++) {
        ((left & (1 << i)) != 0 ? a : b).add(factors.get(i));
      }
      boolean numberLeft = (left & (1 << factors.size())) != 0;
      for (Match m : product(node.input(0), numberLeft ? number : null, a, match)) {
        found.addAll(product(node.input(1), numberLeft ? null : number, b, m));
      }
    }
    return found;
  }
}
