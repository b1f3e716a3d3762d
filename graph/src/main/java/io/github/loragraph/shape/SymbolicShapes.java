package io.github.loragraph.shape;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * Names the dimensions that shape inference leaves open. Inference stops at a slice whose length is
 * known only in the run, and everything after it is nameless. Here every open dimension gets a
 * symbol, and the symbols are followed through the operators of encoders and through the integer
 * arithmetic on shapes ({@code Shape}, {@code Gather}, {@code Concat}, ...), so that two dimensions
 * that always are the same number come out with the same symbol.
 *
 * <p>Relied upon is the meaning that ONNX gives to symbols: within one model, equal names are equal
 * numbers. A name that stands twice in one graph input is not believed.
 */
public final class SymbolicShapes {
  /** Longer integer tensors are data, not shapes. */
  private static final int LONGEST_SHAPE = 32;

  private static final Set<String> SAME_SHAPE =
      Set.of(
          "Abs",
          "BatchNormalization",
          "Cast",
          "Ceil",
          "Celu",
          "Clip",
          "Cos",
          "CumSum",
          "DequantizeLinear",
          "Dropout",
          "Elu",
          "Erf",
          "Exp",
          "Floor",
          "Gelu",
          "Hardmax",
          "HardSigmoid",
          "HardSwish",
          "Identity",
          "IsInf",
          "IsNaN",
          "LayerNormalization",
          "LeakyRelu",
          "Log",
          "LogSoftmax",
          "Mish",
          "Neg",
          "Not",
          "QuantizeLinear",
          "Reciprocal",
          "Relu",
          "Round",
          "Selu",
          "Sigmoid",
          "Sign",
          "Sin",
          "Softmax",
          "Softplus",
          "Softsign",
          "Sqrt",
          "Tanh",
          "ThresholdedRelu",
          "Trilu");

  private static final Set<String> BROADCAST =
      Set.of(
          "Add",
          "And",
          "Div",
          "Equal",
          "Greater",
          "GreaterOrEqual",
          "Less",
          "LessOrEqual",
          "Max",
          "Mean",
          "Min",
          "Mod",
          "Mul",
          "Or",
          "Pow",
          "PRelu",
          "Sub",
          "Sum",
          "Where",
          "Xor");

  private final Graph graph;
  private final ValueTypes known;
  private final Map<String, List<Dimension>> shapes = new HashMap<>();
  private final Map<String, List<Entry>> contents = new HashMap<>();
  private final Map<String, Monomial> composites = new HashMap<>();
  private final Map<String, String> atMost = new HashMap<>();
  private final Set<String> distrusted = new HashSet<>();

  /**
   * One number of an integer tensor as far as it is known: a number, a symbol, or neither.
   *
   * @param number null where it is not known before the run
   * @param symbol of a dimension, so never negative; null where there is none
   */
  private record Entry(Long number, String symbol) {
    static final Entry UNKNOWN = new Entry(null, null);

    static Entry of(long number) {
      return new Entry(number, null);
    }

    static Entry of(Dimension d) {
      return d.isKnown() ? of(d.size()) : new Entry(null, d.symbol());
    }

    boolean isNumber() {
      return number != null;
    }

    boolean is(long value) {
      return number != null && number == value;
    }

    /** Null where the entry cannot be a dimension or nothing is known of it. */
    Dimension dimension() {
      if (number != null) {
        return number >= 0 ? Dimension.of(number) : null;
      }
      return symbol == null ? null : Dimension.named(symbol);
    }
  }

  /** A number times symbols, sorted. */
  private record Monomial(long number, List<String> symbols) {}

  private SymbolicShapes(Graph graph, ValueTypes known) {
    this.graph = graph;
    this.known = known;
  }

  /**
   * The same types with a size or a symbol for every dimension of every value whose rank is known.
   *
   * @param graph in operator set 13 or later, where {@code Squeeze} and {@code Unsqueeze} have
   *     their axes as inputs
   * @param types what shape inference has found
   */
  public static ValueTypes refine(Graph graph, ValueTypes types) {
    SymbolicShapes pass = new SymbolicShapes(graph, types);
    for (ValueInfo input : graph.inputs()) {
      pass.distrustRepeated(input);
    }
    for (ValueInfo input : graph.inputs()) {
      pass.settle(input.name(), null);
    }
    graph.initializers().values().forEach(pass::addConstant);
    graph.nodes().forEach(pass::visit);
    return types.overriddenBy(pass.result());
  }

  private ValueTypes result() {
    Map<String, TensorType> types = new HashMap<>();
    shapes.forEach(
        (value, dimensions) -> {
          TensorType type = known.get(value);
          if (type != null) {
            types.put(value, new TensorType(type.elementType(), new Shape(dimensions)));
          }
        });
    return new ValueTypes(types);
  }

  private void distrustRepeated(ValueInfo input) {
    if (input.type() == null || input.type().shape() == null) {
      return;
    }
    Set<String> seen = new HashSet<>();
    for (Dimension d : input.type().shape().dimensions()) {
      if (d.symbol() != null && !seen.add(d.symbol())) {
        distrusted.add(d.symbol());
      }
    }
  }

  private void addConstant(Tensor tensor) {
    // The lists here have nulls for what is not known; those of a type are asked for none.
    shapes.put(tensor.name(), new ArrayList<>(tensor.type().shape().dimensions()));
    addContents(tensor.name(), tensor);
  }

  private void addContents(String value, Tensor tensor) {
    ElementType type = tensor.elementType();
    if ((type == ElementType.INT64 || type == ElementType.INT32)
        && tensor.rank() <= 1
        && tensor.elementCount() <= LONGEST_SHAPE) {
      List<Entry> entries = new ArrayList<>();
      for (long number : tensor.toLongs()) {
        entries.add(Entry.of(number));
      }
      contents.put(value, entries);
    }
  }

  private void visit(Node node) {
    List<Dimension> derived = node.domain().isEmpty() ? shapeOf(node) : null;
    for (int i = 0; i < node.outputs().size(); i++) {
      if (node.hasOutput(i)) {
        // The mask of a dropout has the shape of its output.
        settle(
            node.output(i),
            i == 0 || node.is("Dropout") ? derived : null,
            derived != null && node.is("Einsum"));
      }
    }
    if (node.domain().isEmpty()) {
      List<Entry> entries = contentsOf(node);
      if (entries != null && entries.size() <= LONGEST_SHAPE) {
        contents.put(node.output(0), entries);
      }
    }
  }

  /** Puts together what inference and what the operator says; what is still open gets a symbol. */
  private void settle(String value, List<Dimension> derived) {
    settle(value, derived, false);
  }

  /**
   * @param surely whether inference is not asked. (ONNX Runtime 1.28 takes the size of an axis of
   *     an Einsum from the first operand that has it, also where that is 1 and broadcast.)
   */
  private void settle(String value, List<Dimension> derived, boolean surely) {
    TensorType type = known.get(value);
    List<Dimension> inferred =
        surely || type == null || type.shape() == null ? null : type.shape().dimensions();
    if (inferred == null && derived == null) {
      return;
    }
    int rank = inferred != null ? inferred.size() : derived.size();
    boolean agreed = derived != null && derived.size() == rank;
    List<Dimension> dimensions = new ArrayList<>();
    for (int axis = 0; axis < rank; axis++) {
      Dimension a = inferred == null ? null : trusted(inferred.get(axis));
      Dimension b = agreed ? derived.get(axis) : null;
      if (a != null && a.isKnown()) {
        dimensions.add(a);
      } else if (b != null && b.isKnown()) {
        dimensions.add(b);
      } else if (a != null) {
        dimensions.add(a);
      } else if (b != null) {
        dimensions.add(b);
      } else {
        dimensions.add(Dimension.named(value + "#" + axis));
      }
    }
    shapes.put(value, dimensions);
  }

  private Dimension trusted(Dimension d) {
    return d.isKnown() || (d.symbol() != null && !distrusted.contains(d.symbol())) ? d : null;
  }

  /** The shape of a node's first output; open dimensions and a whole open shape are null. */
  private List<Dimension> shapeOf(Node node) {
    String op = node.opType();
    List<Dimension> x = shapes.get(node.input(0));
    if (SAME_SHAPE.contains(op)) {
      return x;
    }
    if (BROADCAST.contains(op)) {
      return broadcastAll(node.inputs());
    }
    if (op.startsWith("Reduce")) {
      return reduced(node, x);
    }
    return switch (op) {
      case "ConstantOfShape" -> dimensions(contents.get(node.input(0)));
      case "Einsum" -> summed(node);
      case "Expand" -> broadcast(x, dimensions(contents.get(node.input(1))));
      case "Flatten" -> flattened(x, node.attribute("axis", 1L));
      case "Gather" -> gathered(x, shapes.get(node.input(1)), node.attribute("axis", 0L));
      case "Gemm" -> gemm(node, x, shapes.get(node.input(1)));
      case "Concat" -> concatenated(node);
      case "MatMul" -> matMul(x, shapes.get(node.input(1)));
      case "Reshape" -> reshaped(node, x);
      case "Shape" -> x == null ? null : List.of(Dimension.of(shapeEntries(node, x).size()));
      case "Slice" -> sliced(node, x);
      case "Squeeze" -> squeezed(x, axes(node));
      case "Transpose" -> transposed(x, node.longs("perm"));
      case "Unsqueeze" -> unsqueezed(x, axes(node));
      default -> null;
    };
  }

  private static List<Dimension> dimensions(List<Entry> entries) {
    if (entries == null) {
      return null;
    }
    List<Dimension> dimensions = new ArrayList<>();
    entries.forEach(e -> dimensions.add(e.dimension()));
    return dimensions;
  }

  private List<Dimension> broadcastAll(List<String> values) {
    List<Dimension> result = List.of();
    for (String value : values) {
      result = broadcast(result, shapes.get(value));
    }
    return result;
  }

  private List<Dimension> broadcast(List<Dimension> a, List<Dimension> b) {
    if (a == null || b == null) {
      return null;
    }
    int rank = Math.max(a.size(), b.size());
    List<Dimension> result = new ArrayList<>();
    for (int axis = 0; axis < rank; axis++) {
      int i = axis - rank + a.size();
      int j = axis - rank + b.size();
      if (i < 0) {
        result.add(b.get(j));
      } else if (j < 0) {
        result.add(a.get(i));
      } else {
        result.add(broadcast(a.get(i), b.get(j)));
      }
    }
    return result;
  }

  /** Two dimensions that broadcasting makes one, in a run that does not fail. */
  private Dimension broadcast(Dimension a, Dimension b) {
    if (a == null || b == null) {
      Dimension other = a == null ? b : a;
      return other != null && other.isKnown() && other.size() != 1 ? other : null;
    }
    if (a.surelyEquals(b) || isOne(b)) {
      return a;
    }
    if (isOne(a) || b.isKnown()) {
      return b;
    }
    if (a.isKnown()) {
      return a;
    }
    // A slice of at most n entries beside n entries: it has n, or one that is repeated n times.
    if (b.symbol().equals(atMost.get(a.symbol()))) {
      return b;
    }
    return a.symbol().equals(atMost.get(b.symbol())) ? a : null;
  }

  /** Whether nothing is known of some dimension. */
  private static boolean isOpen(List<Dimension> dimensions) {
    return dimensions.stream().anyMatch(Objects::isNull);
  }

  private static boolean isOne(Dimension d) {
    return d.isKnown() && d.size() == 1;
  }

  private List<Dimension> reduced(Node node, List<Dimension> x) {
    if (x == null) {
      return null;
    }
    boolean keep = node.attribute("keepdims", 1L) != 0;
    boolean given = node.hasAttribute("axes") || node.hasInput(1);
    List<Long> stated = axes(node);
    if (given && stated == null) {
      return null;
    }
    Set<Integer> axes = new TreeSet<>();
    if (given) {
      stated.forEach(axis -> axes.add(axis(axis, x.size())));
    }
    if (axes.isEmpty() && node.attribute("noop_with_empty_axes", 0L) == 0) {
      for (int axis = 0; axis < x.size(); axis++) {
        axes.add(axis);
      }
    }
    List<Dimension> result = new ArrayList<>();
    for (int axis = 0; axis < x.size(); axis++) {
      if (!axes.contains(axis)) {
        result.add(x.get(axis));
      } else if (keep) {
        result.add(Dimension.of(1));
      }
    }
    return result;
  }

  /** The axes, which are an attribute or the second input depending on the version. */
  private List<Long> axes(Node node) {
    long[] attribute = node.longs("axes");
    return attribute == null ? numbers(node.input(1)) : Arrays.stream(attribute).boxed().toList();
  }

  private List<Dimension> flattened(List<Dimension> x, long axis) {
    if (x == null || isOpen(x)) {
      return null;
    }
    int split = axis(axis, x.size());
    List<Dimension> result = new ArrayList<>();
    result.add(product(x.subList(0, split)).dimension());
    result.add(product(x.subList(split, x.size())).dimension());
    return result;
  }

  private static List<Dimension> gathered(List<Dimension> x, List<Dimension> indices, long axis) {
    if (x == null || indices == null) {
      return null;
    }
    int at = axis(axis, x.size());
    List<Dimension> result = new ArrayList<>(x.subList(0, at));
    result.addAll(indices);
    result.addAll(x.subList(at + 1, x.size()));
    return result;
  }

  private List<Dimension> summed(Node node) {
    if (node.inputs().stream().anyMatch(input -> shapes.get(input) == null)) {
      return null;
    }
    EinsumEquation equation = EinsumEquation.of(node, input -> shapes.get(input).size());
    List<Dimension> result = new ArrayList<>();
    for (char letter : equation.result().toCharArray()) {
      Dimension size = Dimension.of(1);
      for (int i = 0; i < node.inputs().size(); i++) {
        int axis = equation.operands().get(i).indexOf(letter);
        size = axis < 0 ? size : broadcast(size, shapes.get(node.input(i)).get(axis));
      }
      result.add(size);
    }
    return result;
  }

  private static List<Dimension> gemm(Node node, List<Dimension> a, List<Dimension> b) {
    if (a == null || b == null || a.size() != 2 || b.size() != 2) {
      return null;
    }
    List<Dimension> result = new ArrayList<>();
    result.add(a.get(node.attribute("transA", 0L) != 0 ? 1 : 0));
    result.add(b.get(node.attribute("transB", 0L) != 0 ? 0 : 1));
    return result;
  }

  private List<Dimension> concatenated(Node node) {
    List<Dimension> result = null;
    for (String value : node.inputs()) {
      List<Dimension> x = shapes.get(value);
      if (x == null || (result != null && result.size() != x.size())) {
        return null;
      }
      if (result == null) {
        result = new ArrayList<>(x);
        continue;
      }
      int axis = axis(node.attribute("axis", 0L), x.size());
      for (int i = 0; i < x.size(); i++) {
        Dimension a = result.get(i);
        Dimension b = x.get(i);
        if (i == axis) {
          boolean sum = a != null && b != null && a.isKnown() && b.isKnown();
          result.set(i, sum ? Dimension.of(a.size() + b.size()) : null);
        } else if (a == null || (b != null && b.isKnown())) {
          result.set(i, b);
        }
      }
    }
    return result;
  }

  private List<Dimension> matMul(List<Dimension> a, List<Dimension> b) {
    if (a == null || b == null || a.size() < 2 || b.size() < 2) {
      return null;
    }
    List<Dimension> result =
        new ArrayList<>(broadcast(a.subList(0, a.size() - 2), b.subList(0, b.size() - 2)));
    result.add(a.get(a.size() - 2));
    result.add(b.get(b.size() - 1));
    return result;
  }

  private List<Dimension> reshaped(Node node, List<Dimension> x) {
    List<Entry> target = contents.get(node.input(1));
    if (target == null) {
      return null;
    }
    boolean copies = node.attribute("allowzero", 0L) == 0;
    List<Dimension> result = new ArrayList<>();
    int open = -1;
    for (int axis = 0; axis < target.size(); axis++) {
      Entry entry = target.get(axis);
      if (entry.is(-1)) {
        open = axis;
        result.add(null);
      } else if (entry.is(0) && copies) {
        result.add(x == null || axis >= x.size() ? null : x.get(axis));
      } else {
        result.add(entry.dimension());
      }
    }
    if (open >= 0 && x != null && !isOpen(x)) {
      List<Dimension> others = new ArrayList<>(result);
      others.remove(open);
      if (!isOpen(others)) {
        Entry rest = quotient(product(x), product(others));
        result.set(open, rest.dimension());
      }
    }
    return result;
  }

  private List<Dimension> sliced(Node node, List<Dimension> x) {
    List<Entry> starts = contents.get(node.input(1));
    List<Entry> ends = contents.get(node.input(2));
    List<Long> axes = node.hasInput(3) ? numbers(node.input(3)) : null;
    List<Long> steps = node.hasInput(4) ? numbers(node.input(4)) : null;
    if (x == null || starts == null || ends == null || (node.hasInput(3) && axes == null)) {
      return null;
    }
    List<Dimension> result = new ArrayList<>(x);
    for (int i = 0; i < starts.size(); i++) {
      int axis = axes == null ? i : axis(axes.get(i), x.size());
      boolean everyOne = !node.hasInput(4) || (steps != null && steps.get(i) == 1);
      result.set(axis, everyOne ? sliced(x.get(axis), starts.get(i), ends.get(i)) : null);
    }
    return result;
  }

  private Dimension sliced(Dimension d, Entry start, Entry end) {
    if (d == null || !start.isNumber()) {
      return null;
    }
    if (start.is(0) && end.symbol() != null) {
      if (end.symbol().equals(d.symbol())) {
        return d;
      }
      if (d.isKnown() && d.size() >= 1) {
        String symbol = "min(%d,%s)".formatted(d.size(), end.symbol());
        atMost.put(symbol, end.symbol());
        return Dimension.named(symbol);
      }
      return null;
    }
    if (!end.isNumber()) {
      return null;
    }
    if (d.isKnown()) {
      long from = clamped(start.number(), d.size());
      long to = clamped(end.number(), d.size());
      return Dimension.of(Math.max(0, to - from));
    }
    return start.is(0) && end.number() >= Integer.MAX_VALUE ? d : null;
  }

  private static long clamped(long index, long size) {
    return Math.max(0, Math.min(index < 0 ? index + size : index, size));
  }

  private static List<Dimension> squeezed(List<Dimension> x, List<Long> axes) {
    if (x == null || axes == null) {
      return null;
    }
    List<Dimension> result = new ArrayList<>(x);
    axes.stream()
        .map(axis -> axis(axis, x.size()))
        .sorted(Collections.reverseOrder())
        .forEach(axis -> result.remove((int) axis));
    return result;
  }

  private static List<Dimension> unsqueezed(List<Dimension> x, List<Long> axes) {
    if (x == null || axes == null) {
      return null;
    }
    int rank = x.size() + axes.size();
    List<Dimension> result = new ArrayList<>(x);
    axes.stream()
        .map(axis -> axis(axis, rank))
        .sorted()
        .forEach(axis -> result.add(axis, Dimension.of(1)));
    return result;
  }

  private static List<Dimension> transposed(List<Dimension> x, long[] permutation) {
    if (x == null) {
      return null;
    }
    List<Dimension> result = new ArrayList<>();
    for (int i = 0; i < x.size(); i++) {
      result.add(x.get(permutation == null ? x.size() - 1 - i : (int) permutation[i]));
    }
    return result;
  }

  private static int axis(long axis, int rank) {
    return (int) (axis < 0 ? axis + rank : axis);
  }

  /** The content of an integer tensor of rank 0 or 1, or null. */
  private List<Entry> contentsOf(Node node) {
    List<Entry> x = contents.get(node.input(0));
    List<Entry> y = contents.get(node.input(1));
    switch (node.opType()) {
      case "Constant" -> {
        Tensor tensor = graph.constant(node.output(0));
        if (tensor != null) {
          addConstant(tensor);
        }
        return contents.get(node.output(0));
      }
      case "Shape" -> {
        List<Dimension> shape = shapes.get(node.input(0));
        return shape == null ? null : shapeEntries(node, shape);
      }
      case "Identity" -> {
        return x;
      }
      case "Cast" -> {
        ElementType to = ElementType.of((int) node.attribute("to", 0L));
        return to == ElementType.INT64 || to == ElementType.INT32 ? x : null;
      }
      case "Reshape", "Squeeze", "Unsqueeze" -> {
        List<Dimension> shape = shapes.get(node.output(0));
        return shape != null && shape.size() <= 1 ? x : null;
      }
      case "Gather" -> {
        return x == null ? null : picked(x, numbers(node.input(1)));
      }
      case "Concat" -> {
        List<Entry> entries = new ArrayList<>();
        for (String value : node.inputs()) {
          List<Entry> part = contents.get(value);
          if (part == null) {
            return null;
          }
          entries.addAll(part);
        }
        return entries;
      }
      case "Slice" -> {
        return slicedEntries(node, x);
      }
      case "ConstantOfShape" -> {
        Tensor value = node.tensor("value");
        boolean vector = x != null && x.size() == 1 && x.get(0).isNumber();
        if (!vector
            || x.get(0).number() > LONGEST_SHAPE
            || value == null
            || value.elementType() != ElementType.INT64) {
          return null;
        }
        return Collections.nCopies(x.get(0).number().intValue(), Entry.of(value.toLongs()[0]));
      }
      case "Add", "Sub", "Mul", "Div", "Equal" -> {
        return combined(node.opType(), x, y);
      }
      case "Where" -> {
        return chosen(x, y, contents.get(node.input(2)));
      }
      default -> {
        return null;
      }
    }
  }

  private static List<Entry> shapeEntries(Node node, List<Dimension> shape) {
    int from = (int) clamped(node.attribute("start", 0L), shape.size());
    int to = (int) clamped(node.attribute("end", (long) shape.size()), shape.size());
    List<Entry> entries = new ArrayList<>();
    for (int axis = from; axis < to; axis++) {
      entries.add(Entry.of(shape.get(axis)));
    }
    return entries;
  }

  private static List<Entry> picked(List<Entry> entries, List<Long> indices) {
    if (indices == null) {
      return null;
    }
    List<Entry> result = new ArrayList<>();
    for (long index : indices) {
      int i = axis(index, entries.size());
      if (i < 0 || i >= entries.size()) {
        return null;
      }
      result.add(entries.get(i));
    }
    return result;
  }

  private List<Entry> slicedEntries(Node node, List<Entry> x) {
    List<Long> starts = numbers(node.input(1));
    List<Long> ends = numbers(node.input(2));
    List<Long> steps = node.hasInput(4) ? numbers(node.input(4)) : List.of(1L);
    if (x == null
        || starts == null
        || ends == null
        || starts.size() != 1
        || ends.size() != 1
        || !List.of(1L).equals(steps)) {
      return null;
    }
    int from = (int) clamped(starts.get(0), x.size());
    int to = (int) clamped(ends.get(0), x.size());
    return x.subList(from, Math.max(from, to));
  }

  private List<Entry> combined(String op, List<Entry> x, List<Entry> y) {
    if (x == null || y == null || !(x.size() == y.size() || x.size() == 1 || y.size() == 1)) {
      return null;
    }
    List<Entry> result = new ArrayList<>();
    for (int i = 0; i < Math.max(x.size(), y.size()); i++) {
      result.add(combined(op, x.get(x.size() == 1 ? 0 : i), y.get(y.size() == 1 ? 0 : i)));
    }
    return result;
  }

  private Entry combined(String op, Entry a, Entry b) {
    switch (op) {
      case "Mul" -> {
        return product(a, b);
      }
      case "Div" -> {
        return quotient(a, b);
      }
      case "Equal" -> {
        if (a.isNumber() && b.isNumber()) {
          return Entry.of(a.number().equals(b.number()) ? 1 : 0);
        }
        boolean apart = (a.isNumber() && a.number() < 0) || (b.isNumber() && b.number() < 0);
        boolean dimension = a.symbol() != null || b.symbol() != null;
        return apart && dimension ? Entry.of(0) : Entry.UNKNOWN;
      }
      default -> {
        if (b.is(0)) {
          return a;
        }
        if (!a.isNumber() || !b.isNumber()) {
          return Entry.UNKNOWN;
        }
        return Entry.of(op.equals("Add") ? a.number() + b.number() : a.number() - b.number());
      }
    }
  }

  private static List<Entry> chosen(List<Entry> condition, List<Entry> yes, List<Entry> no) {
    if (condition == null
        || yes == null
        || no == null
        || yes.size() != condition.size()
        || no.size() != condition.size()) {
      return null;
    }
    List<Entry> result = new ArrayList<>();
    for (int i = 0; i < condition.size(); i++) {
      Entry c = condition.get(i);
      result.add(!c.isNumber() ? Entry.UNKNOWN : c.is(0) ? no.get(i) : yes.get(i));
    }
    return result;
  }

  private List<Long> numbers(String value) {
    List<Entry> entries = contents.get(value);
    if (entries == null || !entries.stream().allMatch(Entry::isNumber)) {
      return null;
    }
    return entries.stream().map(Entry::number).toList();
  }

  private Entry product(List<Dimension> dimensions) {
    Entry result = Entry.of(1);
    for (Dimension d : dimensions) {
      result = product(result, Entry.of(d));
    }
    return result;
  }

  private Entry product(Entry a, Entry b) {
    Monomial p = monomial(a);
    Monomial q = monomial(b);
    if (p == null || q == null) {
      return Entry.UNKNOWN;
    }
    List<String> symbols = new ArrayList<>(p.symbols());
    symbols.addAll(q.symbols());
    long high = Math.multiplyHigh(p.number(), q.number());
    long number = p.number() * q.number();
    return high == number >> 63 ? entry(number, symbols) : Entry.UNKNOWN;
  }

  /** The exact quotient, or unknown where it may not be whole. */
  private Entry quotient(Entry a, Entry b) {
    Monomial p = monomial(a);
    Monomial q = monomial(b);
    if (p == null || q == null || q.number() == 0 || p.number() % q.number() != 0) {
      return Entry.UNKNOWN;
    }
    List<String> symbols = new ArrayList<>(p.symbols());
    for (String symbol : q.symbols()) {
      if (!symbols.remove(symbol)) {
        return Entry.UNKNOWN;
      }
    }
    return entry(p.number() / q.number(), symbols);
  }

  private Monomial monomial(Entry e) {
    if (e.isNumber()) {
      return new Monomial(e.number(), List.of());
    }
    if (e.symbol() == null) {
      return null;
    }
    Monomial composite = composites.get(e.symbol());
    return composite != null ? composite : new Monomial(1, List.of(e.symbol()));
  }

  private Entry entry(long number, List<String> symbols) {
    if (symbols.isEmpty() || number == 0) {
      return Entry.of(symbols.isEmpty() ? number : 0);
    }
    if (number < 0) {
      return Entry.UNKNOWN;
    }
    if (number == 1 && symbols.size() == 1) {
      return new Entry(null, symbols.get(0));
    }
    List<String> sorted = symbols.stream().sorted().toList();
    String symbol = (number == 1 ? "" : number + "\u00d7") + String.join("\u00d7", sorted);
    composites.put(symbol, new Monomial(number, sorted));
    return new Entry(null, symbol);
  }
}
