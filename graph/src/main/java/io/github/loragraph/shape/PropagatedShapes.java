package io.github.loragraph.shape;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a {@link ShapePropagation} has found out so far, by the names of values and of symbols. */
final class PropagatedShapes {
  /** Longer integer tensors are data, not shapes. */
  private static final int LONGEST_SHAPE = 32;

  private final Map<String, ElementType> elementTypes = new HashMap<>();
  private final Map<String, List<Dimension>> shapes = new HashMap<>();
  private final Map<String, List<DimExpr>> data = new HashMap<>();

  /** What the names of products stand for. */
  private final Map<String, DimExpr> products = new HashMap<>();

  /** For the name of a slice's size the name of one that it is not larger than. */
  private final Map<String, String> bounds = new HashMap<>();

  @Nullable ElementType elementType(String value) {
    return elementTypes.get(value);
  }

  void putElementType(String value, ElementType type) {
    elementTypes.put(value, type);
  }

  @Nullable List<Dimension> shape(String value) {
    return shapes.get(value);
  }

  void putShape(String value, List<Dimension> shape) {
    shapes.put(value, shape);
  }

  @Nullable List<DimExpr> data(String value) {
    return data.get(value);
  }

  void putData(String value, List<DimExpr> entries) {
    if (entries.size() <= LONGEST_SHAPE) {
      data.put(value, entries);
    }
  }

  /** A value that is always the same tensor. */
  void putConstant(String value, Tensor tensor) {
    elementTypes.put(value, tensor.elementType());
    // The lists here have nulls for what is not known; those of a type are asked for none.
    shapes.put(value, new ArrayList<>(tensor.shape().dimensions()));
    List<DimExpr> entries = entries(tensor);
    if (entries != null) {
      data.put(value, entries);
    }
  }

  /** The entries of a small integer tensor of rank 0 or 1; null for others. */
  static @Nullable List<DimExpr> entries(Tensor tensor) {
    ElementType type = tensor.elementType();
    boolean small =
        (type == ElementType.INT64 || type == ElementType.INT32)
            && tensor.rank() <= 1
            && tensor.elementCount() <= LONGEST_SHAPE;
    if (!small) {
      return null;
    }
    List<DimExpr> entries = new ArrayList<>();
    for (long number : tensor.toLongs()) {
      entries.add(DimExpr.of(number));
    }
    return entries;
  }

  @Nullable Dimension dimension(DimExpr expression) {
    Dimension d = expression.dimension();
    if (d != null && !d.isKnown() && !expression.isOneSymbol()) {
      products.put(d.symbol(), expression);
    }
    return d;
  }

  DimExpr expression(@Nullable Dimension d) {
    DimExpr atom = DimExpr.of(d);
    return d == null || d.isKnown() ? atom : products.getOrDefault(d.symbol(), atom);
  }

  Dimension atMost(long size, String symbol) {
    String slice = "min(" + size + "," + symbol + ")";
    bounds.put(slice, symbol);
    return Dimension.named(slice);
  }

  /** Whether both have names, and the first is the size of a slice of at most the second. */
  boolean isAtMost(Dimension a, Dimension b) {
    return b.symbol() != null && b.symbol().equals(bounds.get(a.symbol()));
  }

  /** The type of a value; null without an element type. */
  @Nullable TensorType type(String value) {
    ElementType type = elementTypes.get(value);
    List<Dimension> shape = shapes.get(value);
    return type == null ? null : new TensorType(type, shape == null ? null : new Shape(shape));
  }
}
