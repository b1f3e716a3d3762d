package io.github.loragraph.shape;

import io.github.loragraph.onnx.Shape.Dimension;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A size, or an entry of an integer tensor that sizes are computed with, as far as it is known
 * before a graph runs: a number, a product of a number and symbols, or nothing. A symbol stands for
 * a size, so it is never negative.
 *
 * @param factor the number
 * @param symbols sorted, each as often as it is multiplied; empty for a number alone, null for
 *     {@link #UNKNOWN}
 */
public record DimExpr(long factor, @Nullable List<String> symbols) {
  /** Nothing is known. */
  public static final DimExpr UNKNOWN = new DimExpr(0, null);

  /** What joins the parts of a product in its name. */
  private static final String TIMES = "\u00d7";

  public DimExpr {
    symbols = symbols == null ? null : List.copyOf(symbols);
  }

  public static DimExpr of(long number) {
    return new DimExpr(number, List.of());
  }

  /** A size as it is written: its number, or its name as one symbol; null for one that is open. */
  public static DimExpr of(@Nullable Dimension d) {
    if (d == null || (!d.isKnown() && d.symbol() == null)) {
      return UNKNOWN;
    }
    return d.isKnown() ? of(d.size()) : new DimExpr(1, List.of(d.symbol()));
  }

  public boolean isNumber() {
    return symbols != null && symbols.isEmpty();
  }

  /** Whether it is a number times at least one symbol. */
  public boolean isSymbolic() {
    return symbols != null && !symbols.isEmpty();
  }

  /** Whether it is one symbol alone. */
  boolean isOneSymbol() {
    return factor == 1 && symbols != null && symbols.size() == 1;
  }

  /** Whether it is surely a certain number. */
  public boolean is(long value) {
    return isNumber() && factor == value;
  }

  /** The number; only to be asked where it is one. */
  public long number() {
    if (!isNumber()) {
      throw new IllegalStateException(this + " is no number");
    }
    return factor;
  }

  /** The name of what is no number: that of its symbol, or of its product; null for others. */
  public @Nullable String symbol() {
    if (!isSymbolic()) {
      return null;
    }
    return (factor == 1 ? "" : factor + TIMES) + String.join(TIMES, symbols);
  }

  /** Null where it cannot be a size, or nothing is known of it. */
  @Nullable Dimension dimension() {
    if (isNumber()) {
      return factor >= 0 ? Dimension.of(factor) : null;
    }
    String symbol = symbol();
    return symbol == null ? null : Dimension.named(symbol);
  }

  /** The product; unknown where it is too large or may be negative. */
  public DimExpr times(DimExpr other) {
    if (symbols == null || other.symbols == null) {
      return UNKNOWN;
    }
    List<String> all = new ArrayList<>(symbols);
    all.addAll(other.symbols);
    long high = Math.multiplyHigh(factor, other.factor);
    long low = factor * other.factor;
    return high == low >> 63 ? product(low, all) : UNKNOWN;
  }

  /** The exact quotient; unknown where it may not be whole. */
  public DimExpr dividedBy(DimExpr other) {
    if (symbols == null
        || other.symbols == null
        || other.factor == 0
        || factor % other.factor != 0) {
      return UNKNOWN;
    }
    List<String> rest = new ArrayList<>(symbols);
    for (String symbol : other.symbols) {
      if (!rest.remove(symbol)) {
        return UNKNOWN;
      }
    }
    return product(factor / other.factor, rest);
  }

  /** The sum, where both are numbers or one is 0. */
  public DimExpr plus(DimExpr other) {
    if (other.is(0)) {
      return this;
    }
    if (is(0)) {
      return other;
    }
    return isNumber() && other.isNumber() ? of(factor + other.factor) : UNKNOWN;
  }

  /** The difference, where both are numbers or the other is 0. */
  public DimExpr minus(DimExpr other) {
    if (other.is(0)) {
      return this;
    }
    return isNumber() && other.isNumber() ? of(factor - other.factor) : UNKNOWN;
  }

  /** 1 where both are surely the same, 0 where they surely are not. */
  public DimExpr equalTo(DimExpr other) {
    if (isNumber() && other.isNumber()) {
      return of(factor == other.factor ? 1 : 0);
    }
    boolean negative = (isNumber() && factor < 0) || (other.isNumber() && other.factor < 0);
    return negative && (isSymbolic() || other.isSymbolic()) ? of(0) : UNKNOWN;
  }

  private static DimExpr product(long factor, List<String> symbols) {
    if (symbols.isEmpty()) {
      return of(factor);
    }
    if (factor == 0) {
      return of(0);
    }
    return factor < 0 ? UNKNOWN : new DimExpr(factor, symbols.stream().sorted().toList());
  }
}
