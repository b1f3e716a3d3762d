package io.github.loragraph.evaluation;

import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.ValueInfo;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Sizes for the dimensions that a model leaves open. Equal names have equal sizes, and a name that
 * is a sum, difference, product or quotient of names, as {@code past_sequence_length +
 * sequence_length}, the size that those make.
 */
final class OpenSizes {
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z_][\\w.:-]*");
  private static final Pattern TOKEN =
      Pattern.compile("\\s*([A-Za-z_][\\w.:]*|\\d{1,9}|//|[()+*/-])\\s*");

  private final int batch;
  private final int sequence;
  private final Map<String, Long> bySymbol = new HashMap<>();

  /**
   * @param batch the size of an open first axis
   * @param sequence the size of every other open axis
   */
  OpenSizes(Collection<ValueInfo> inputs, int batch, int sequence) {
    this.batch = batch;
    this.sequence = sequence;
    for (ValueInfo input : inputs) {
      Shape shape = input.type() == null ? null : input.type().shape();
      for (int axis = 0; shape != null && axis < shape.rank(); axis++) {
        String symbol = shape.dimension(axis).symbol();
        if (symbol != null && PLAIN.matcher(symbol).matches()) {
          bySymbol.putIfAbsent(symbol, open(axis));
        }
      }
    }
  }

  private long open(int axis) {
    return axis == 0 ? batch : sequence;
  }

  /** The size of a dimension. */
  long of(Shape.Dimension dimension, int axis) {
    if (dimension.isKnown()) {
      return dimension.size();
    }
    if (dimension.symbol() == null) {
      return open(axis);
    }
    Long known = bySymbol.get(dimension.symbol());
    if (known == null) {
      known = new Expression(dimension.symbol(), axis).value();
      bySymbol.put(dimension.symbol(), known);
    }
    return known;
  }

  /** A recursive descent over the four operations. */
  private final class Expression {
    private final String text;
    private final int axis;
    private final Matcher matcher;

    /** Null at the end. */
    private @Nullable String next;

    Expression(String text, int axis) {
      this.text = text;
      this.axis = axis;
      this.matcher = TOKEN.matcher(text);
    }

    /** Its size; that of an open axis where it is no expression. */
    long value() {
      try {
        advance();
        long value = sum();
        return next == null && value >= 0 ? value : open(axis);
      } catch (IllegalArgumentException | ArithmeticException e) {
        return open(axis);
      }
    }

    private void advance() {
      int from = next == null ? 0 : matcher.end();
      if (from == text.length()) {
        next = null;
      } else if (matcher.region(from, text.length()).lookingAt()) {
        next = matcher.group(1);
      } else {
        throw new IllegalArgumentException(text);
      }
    }

    private long sum() {
      long value = product();
      while ("+".equals(next) || "-".equals(next)) {
        boolean plus = "+".equals(next);
        advance();
        long other = product();
        value = plus ? Math.addExact(value, other) : Math.subtractExact(value, other);
      }
      return value;
    }

    private long product() {
      long value = factor();
      while ("*".equals(next) || "/".equals(next) || "//".equals(next)) {
        boolean times = "*".equals(next);
        advance();
        long other = factor();
        value = times ? Math.multiplyExact(value, other) : value / other;
      }
      return value;
    }

    private long factor() {
      String token = next;
      if (token == null) {
        throw new IllegalArgumentException(text);
      }
      advance();
      if (token.equals("(")) {
        long value = sum();
        if (!")".equals(next)) {
          throw new IllegalArgumentException(text);
        }
        advance();
        return value;
      }
      if (Character.isDigit(token.charAt(0))) {
        return Long.parseLong(token);
      }
      if (!PLAIN.matcher(token).matches()) {
        throw new IllegalArgumentException(text);
      }
      return bySymbol.computeIfAbsent(token, s -> open(axis));
    }
  }
}
