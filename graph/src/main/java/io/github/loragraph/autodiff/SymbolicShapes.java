package io.github.loragraph.autodiff;

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
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Finds out which axes of which values surely have the same size, by following symbols through the
 * graph. Exporters compute shapes inside the graph ({@code Shape}, {@code Gather}, {@code Concat},
 * {@code Reshape}), where a runtime's own inference loses sight of them; here small integer values
 * are followed as lists of symbols, too. An axis of unknown size gets a symbol of its own, so that
 * it stays equal to itself wherever it goes. Every rule is a proof: where nothing follows, nothing
 * is claimed.
 */
public final class SymbolicShapes {
  private static final int LARGEST_FOLLOWED = 16;

  private final Graph graph;
  private final ValueTypes known;
  private final Map<String, Shape> shapes = new HashMap<>();
  private final Map<String, Content> contents = new HashMap<>();
  private int fresh;

  /**
   * What a small integer value consists of, entry by entry; a scalar has one entry.
   *
   * @param entries of known size where the entry is that number, negative ones included
   */
  private record Content(List<Entry> entries) {}

  /** A number, or a symbol where {@code symbol} is not null; unknown where both are null. */
  private record Entry(Long number, String symbol) {
    static final Entry UNKNOWN = new Entry(null, null);

    static Entry of(long number) {
      return new Entry(number, null);
    }

    static Entry of(Dimension d) {
      return d.isKnown() ? of(d.size()) : new Entry(null, d.symbol());
    }

    boolean isKnown() {
      return number != null || symbol != null;
    }
  }

  private SymbolicShapes(Graph graph, ValueTypes known) {
    this.graph = graph;
    this.known = known;
  }

  /**
   * The known types with as many symbols as can be proved.
   *
   * @param known element types, and ranks and sizes as far as they are known already
   */
  public static ValueTypes refine(Graph graph, ValueTypes known) {
    return new SymbolicShapes(graph, known).refine();
  }

  private ValueTypes refine() {
    for (ValueInfo input : graph.inputs()) {
      if (input.type() != null) {
        put(input.name(), input.type().shape());
      }
    }
    for (Tensor tensor : graph.initializers().values()) {
      putConstant(tensor.name(), tensor);
    }
    for (Node node : graph.nodes()) {
      infer(node);
      for (String output : node.outputs()) {
        if (!output.isEmpty() && !shapes.containsKey(output)) {
          put(output, null);
        }
      }
    }
    Map<String, TensorType> refined = new HashMap<>();
    shapes.forEach(
        (value, shape) -> {
          TensorType type = known.get(value);
          if (type != null) {
            refined.put(value, new TensorType(type.elementType(), shape));
          }
        });
    return known.overriddenBy(new ValueTypes(refined));
  }

  private void putConstant(String name, Tensor tensor) {
    put(name, Shape.of(tensor.dims()));
    boolean integer =
        tensor.elementType() == ElementType.INT64 || tensor.elementType() == ElementType.INT32;
    if (integer && tensor.rank() <= 1 && tensor.elementCount() <= LARGEST_FOLLOWED) {
      contents.put(name, new Content(Arrays.stream(tensor.toLongs()).mapToObj(Entry::of).toList()));
    }
  }

  /** Notes a shape: what is already known of the value wins, then what was found, then symbols. */
  private void put(String value, Shape found) {
    TensorType type = known.get(value);
    Shape before = type == null ? null : type.shape();
    Shape basis = before != null ? before : found;
    if (basis == null) {
      return;
    }
    List<Dimension> dimensions = new ArrayList<>();
    for (int axis = 0; axis < basis.rank(); axis++) {
      Dimension d = basis.dimension(axis);
      if (!d.isKnown() && found != null && found.rank() == basis.rank()) {
        Dimension other = found.dimension(axis);
        d = other.isKnown() || other.symbol() != null ? other : d;
      }
      dimensions.add(d.isKnown() || d.symbol() != null ? d : own());
    }
    shapes.put(value, new Shape(dimensions));
  }

  private Dimension own() {
    return Dimension.named("?" + fresh++);
  }

  private Shape shape(Node node, int input) {
    return node.hasInput(input) ? shapes.get(node.input(input)) : null;
  }

  private Content content(Node node, int input) {
    return node.hasInput(input) ? contents.get(node.input(input)) : null;
  }

  private void infer(Node node) {
    if (!node.domain().isEmpty()) {
      return;
    }
    Shape x = shape(node, 0);
    switch (node.opType()) {
      case "Constant" -> {
        Tensor tensor = graph.constant(node.output(0));
        if (tensor != null) {
          putConstant(node.output(0), tensor);
        }
      }
      case "Shape" -> shapeContent(node, x);
      case "Identity", "Cast" -> {
        put(node.output(0), x);
        copyContent(node);
      }
      case "Abs",
          "Neg",
          "Sqrt",
          "Reciprocal",
          "Exp",
          "Log",
          "Erf",
          "Tanh",
          "Sigmoid",
          "Relu",
          "LeakyRelu",
          "Elu",
          "Softplus",
          "Gelu",
          "HardSwish",
          "HardSigmoid",
          "Clip",
          "Softmax",
          "LogSoftmax",
          "LayerNormalization",
          "Dropout",
          "Not",
          "Sin",
          "Cos",
          "Floor",
          "Ceil",
          "Round",
          "Sign",
          "CumSum",
          "Softsign",
          "Selu",
          "BatchNormalization",
          "Trilu" ->
          put(node.output(0), x);
      case "Add",
          "Sub",
          "Mul",
          "Div",
          "Pow",
          "Min",
          "Max",
          "Sum",
          "Mean",
          "Equal",
          "Less",
          "Greater",
          "And",
          "Or",
          "Where",
          "LessOrEqual",
          "GreaterOrEqual",
          "PRelu",
          "Mod" -> {
        put(node.output(0), broadcast(node));
        arithmetic(node);
      }
      case "MatMul" -> put(node.output(0), matMul(x, shape(node, 1)));
      case "Gemm" -> put(node.output(0), gemm(node, x, shape(node, 1)));
      case "Transpose" -> put(node.output(0), transpose(node, x));
      case "Reshape" -> put(node.output(0), reshape(node, x));
      case "Unsqueeze" -> unsqueeze(node, x);
      case "Squeeze" -> squeeze(node, x);
      case "Gather" -> gather(node, x);
      case "Concat" -> concat(node);
      case "Slice" -> slice(node, x);
      case "Expand" -> put(node.output(0), broadcast(x, asShape(content(node, 1))));
      case "ConstantOfShape" -> constantOfShape(node);
      case "ReduceSum",
          "ReduceMean",
          "ReduceMax",
          "ReduceMin",
          "ReduceSumSquare",
          "ReduceL1",
          "ReduceL2",
          "ReduceLogSumExp",
          "ReduceProd" ->
          put(node.output(0), reduce(node, x));
      default -> {
        // Nothing is claimed of other operators.
      }
    }
  }

  private void copyContent(Node node) {
    Content content = content(node, 0);
    if (content != null) {
      contents.put(node.output(0), content);
    }
  }

  private void shapeContent(Node node, Shape x) {
    if (x == null) {
      return;
    }
    int rank = x.rank();
    int start = clamped(node.attribute("start", 0L), rank);
    int end = clamped(node.attribute("end", (long) rank), rank);
    List<Dimension> part = x.dimensions().subList(start, Math.max(start, end));
    contents.put(node.output(0), new Content(part.stream().map(Entry::of).toList()));
    put(node.output(0), Shape.of(part.size()));
  }

  private static int clamped(long index, int size) {
    return (int) Math.max(0, Math.min(size, index < 0 ? index + size : index));
  }

  private Shape broadcast(Node node) {
    Shape result = shape(node, 0);
    for (int i = 1; i < node.inputs().size(); i++) {
      result = broadcast(result, shape(node, i));
    }
    return result;
  }

  private static Shape broadcast(Shape a, Shape b) {
    if (a == null || b == null) {
      return null;
    }
    int rank = Math.max(a.rank(), b.rank());
    List<Dimension> dimensions = new ArrayList<>();
    for (int axis = rank; axis >= 1; axis--) {
      Dimension one = Dimension.of(1);
      dimensions.add(
          broadcast(
              axis <= a.rank() ? a.dimension(-axis) : one,
              axis <= b.rank() ? b.dimension(-axis) : one));
    }
    return new Shape(dimensions);
  }

  private static Dimension broadcast(Dimension a, Dimension b) {
    if (a.isKnown() && a.size() == 1) {
      return b;
    }
    if ((b.isKnown() && b.size() == 1) || a.surelyEquals(b)) {
      return a;
    }
    if (isPartOf(a, b)) {
      return b;
    }
    if (isPartOf(b, a)) {
      return a;
    }
    // Of a number other than 1 and a symbol, the number is what comes out.
    return a.isKnown() ? a : b.isKnown() ? b : Dimension.unknown();
  }

  /**
   * Whether the first is what a table of a fixed number of rows has for the first {@code whole}
   * positions. Broadcast with all positions, nothing but {@code whole} can come out: fewer rows
   * than that, unless it is one position, do not broadcast at all.
   */
  private static boolean isPartOf(Dimension part, Dimension whole) {
    return part.symbol() != null
        && whole.symbol() != null
        && part.symbol().startsWith("min(")
        && part.symbol().endsWith("," + whole.symbol() + ")");
  }

  /** The length of a slice from 0 to a symbol of an axis of known size. */
  private static Dimension firstRows(long size, Entry end) {
    boolean simple =
        end.symbol() != null && end.symbol().chars().noneMatch(c -> "*,(".indexOf(c) >= 0);
    return simple && size > 1
        ? Dimension.named("min(%d,%s)".formatted(size, end.symbol()))
        : Dimension.unknown();
  }

  private static Shape matMul(Shape a, Shape b) {
    if (a == null || b == null || a.rank() < 2 || b.rank() < 2) {
      return null;
    }
    Shape batchA = new Shape(a.dimensions().subList(0, a.rank() - 2));
    Shape batchB = new Shape(b.dimensions().subList(0, b.rank() - 2));
    List<Dimension> dimensions = new ArrayList<>(broadcast(batchA, batchB).dimensions());
    dimensions.add(a.dimension(-2));
    dimensions.add(b.dimension(-1));
    return new Shape(dimensions);
  }

  private static Shape gemm(Node node, Shape a, Shape b) {
    if (a == null || b == null || a.rank() != 2 || b.rank() != 2) {
      return null;
    }
    return new Shape(
        List.of(
            a.dimension(node.attribute("transA", 0L) != 0 ? 1 : 0),
            b.dimension(node.attribute("transB", 0L) != 0 ? 0 : 1)));
  }

  private static Shape transpose(Node node, Shape x) {
    if (x == null) {
      return null;
    }
    List<Dimension> dimensions = new ArrayList<>();
    long[] permutation = node.longs("perm");
    if (permutation == null) {
      dimensions.addAll(x.dimensions());
      Collections.reverse(dimensions);
    } else {
      for (long axis : permutation) {
        dimensions.add(x.dimension((int) axis));
      }
    }
    return new Shape(dimensions);
  }

  private Shape reshape(Node node, Shape x) {
    Content target = content(node, 1);
    if (target == null) {
      return null;
    }
    boolean allowZero = node.attribute("allowzero", 0L) != 0;
    List<Dimension> dimensions = new ArrayList<>();
    int open = -1;
    for (int axis = 0; axis < target.entries().size(); axis++) {
      Entry e = target.entries().get(axis);
      if (e.number() != null && e.number() == -1) {
        open = axis;
        dimensions.add(Dimension.unknown());
      } else if (e.number() != null && e.number() == 0 && !allowZero) {
        dimensions.add(x != null && axis < x.rank() ? x.dimension(axis) : Dimension.unknown());
      } else {
        dimensions.add(dimension(e));
      }
    }
    if (open >= 0 && x != null) {
      dimensions.set(open, quotient(x.dimensions(), dimensions, open));
    }
    return new Shape(dimensions);
  }

  /** What is left of the product of the old axes when the new ones but one are divided out. */
  private static Dimension quotient(List<Dimension> old, List<Dimension> target, int open) {
    long number = 1;
    Map<String, Integer> symbols = new TreeMap<>();
    for (Dimension d : old) {
      if (d.isKnown()) {
        number *= d.size();
      } else if (d.symbol() == null) {
        return Dimension.unknown();
      } else {
        for (String factor : d.symbol().split("\\*")) {
          symbols.merge(factor, 1, Integer::sum);
        }
      }
    }
    for (int axis = 0; axis < target.size(); axis++) {
      Dimension d = target.get(axis);
      if (axis == open) {
        continue;
      }
      if (d.isKnown()) {
        if (d.size() == 0 || number % d.size() != 0) {
          return Dimension.unknown();
        }
        number /= d.size();
      } else if (d.symbol() == null) {
        return Dimension.unknown();
      } else {
        for (String factor : d.symbol().split("\\*")) {
          if (symbols.merge(factor, -1, Integer::sum) < 0) {
            return Dimension.unknown();
          }
        }
      }
    }
    List<String> factors = new ArrayList<>();
    symbols.forEach((s, power) -> factors.addAll(Collections.nCopies(power, s)));
    if (factors.isEmpty()) {
      return Dimension.of(number);
    }
    if (number != 1) {
      factors.add(0, Long.toString(number));
    }
    return Dimension.named(String.join("*", factors));
  }

  private static Dimension dimension(Entry e) {
    if (e.number() != null) {
      return e.number() >= 0 ? Dimension.of(e.number()) : Dimension.unknown();
    }
    return e.symbol() == null ? Dimension.unknown() : Dimension.named(e.symbol());
  }

  private static Shape asShape(Content content) {
    return content == null
        ? null
        : new Shape(content.entries().stream().map(SymbolicShapes::dimension).toList());
  }

  private long[] numbers(Node node, int input) {
    Content content = content(node, input);
    if (content == null || content.entries().stream().anyMatch(e -> e.number() == null)) {
      return null;
    }
    return content.entries().stream().mapToLong(Entry::number).toArray();
  }

  /** The axes of an operator, which stand in an attribute before operator set 13. */
  private long[] axes(Node node, int input) {
    return node.hasAttribute("axes") ? node.longs("axes") : numbers(node, input);
  }

  private void unsqueeze(Node node, Shape x) {
    long[] axes = axes(node, 1);
    copyContent(node);
    if (x == null || axes == null) {
      return;
    }
    int rank = x.rank() + axes.length;
    boolean[] added = new boolean[rank];
    for (long axis : axes) {
      added[(int) (axis < 0 ? axis + rank : axis)] = true;
    }
    List<Dimension> dimensions = new ArrayList<>();
    int next = 0;
    for (int axis = 0; axis < rank; axis++) {
      dimensions.add(added[axis] ? Dimension.of(1) : x.dimension(next++));
    }
    put(node.output(0), new Shape(dimensions));
  }

  private void squeeze(Node node, Shape x) {
    long[] axes = axes(node, 1);
    Content content = content(node, 0);
    if (content != null && content.entries().size() == 1) {
      contents.put(node.output(0), content);
    }
    if (x == null || axes == null) {
      return;
    }
    List<Dimension> dimensions = new ArrayList<>(x.dimensions());
    for (long axis : axes) {
      dimensions.set((int) (axis < 0 ? axis + x.rank() : axis), null);
    }
    dimensions.removeIf(d -> d == null);
    put(node.output(0), new Shape(dimensions));
  }

  private void gather(Node node, Shape x) {
    Shape indices = shape(node, 1);
    long axis = node.attribute("axis", 0L);
    if (x != null && indices != null) {
      int at = (int) (axis < 0 ? axis + x.rank() : axis);
      List<Dimension> dimensions = new ArrayList<>(x.dimensions().subList(0, at));
      dimensions.addAll(indices.dimensions());
      dimensions.addAll(x.dimensions().subList(at + 1, x.rank()));
      put(node.output(0), new Shape(dimensions));
    }
    Content content = content(node, 0);
    long[] picked = numbers(node, 1);
    if (content != null && picked != null) {
      List<Entry> entries = new ArrayList<>();
      for (long index : picked) {
        entries.add(content.entries().get((int) (index < 0 ? index + size(content) : index)));
      }
      contents.put(node.output(0), new Content(entries));
    }
  }

  private static int size(Content content) {
    return content.entries().size();
  }

  private void concat(Node node) {
    List<Entry> entries = new ArrayList<>();
    boolean followed = true;
    List<Dimension> dimensions = null;
    long axis = node.attribute("axis", 0L);
    for (int i = 0; i < node.inputs().size(); i++) {
      Content content = content(node, i);
      followed &= content != null;
      if (content != null) {
        entries.addAll(content.entries());
      }
      Shape part = shape(node, i);
      if (part == null) {
        dimensions = null;
        break;
      }
      int at = (int) (axis < 0 ? axis + part.rank() : axis);
      if (dimensions == null) {
        dimensions = new ArrayList<>(part.dimensions());
      } else {
        Dimension sum = dimensions.get(at);
        Dimension more = part.dimension(at);
        dimensions.set(
            at,
            sum.isKnown() && more.isKnown()
                ? Dimension.of(sum.size() + more.size())
                : Dimension.unknown());
      }
    }
    if (dimensions != null) {
      put(node.output(0), new Shape(dimensions));
    }
    if (followed && entries.size() <= LARGEST_FOLLOWED) {
      contents.put(node.output(0), new Content(entries));
    }
  }

  private void slice(Node node, Shape x) {
    long[] starts = numbers(node, 1);
    long[] ends = numbers(node, 2);
    long[] axes = node.hasInput(3) ? numbers(node, 3) : null;
    long[] steps = node.hasInput(4) ? numbers(node, 4) : null;
    if (x == null || (node.hasInput(3) && axes == null)) {
      return;
    }
    Content content = content(node, 0);
    boolean plain =
        starts != null && ends != null && (!node.hasInput(4) || (steps != null && allOne(steps)));
    if (content != null && plain && starts.length == 1) {
      int from = clamped(starts[0], size(content));
      int to = clamped(ends[0], size(content));
      contents.put(
          node.output(0), new Content(content.entries().subList(from, Math.max(from, to))));
    }
    List<Dimension> dimensions = new ArrayList<>(x.dimensions());
    int count = axes != null ? axes.length : starts != null ? starts.length : x.rank();
    for (int i = 0; i < count; i++) {
      int axis = axes == null ? i : (int) (axes[i] < 0 ? axes[i] + x.rank() : axes[i]);
      Dimension d = x.dimension(axis);
      if (plain && starts[i] == 0 && ends[i] >= Integer.MAX_VALUE) {
        continue;
      }
      Content end = content(node, 2);
      boolean fromStart = starts != null && starts[i] == 0 && end != null && size(end) == count;
      boolean unitStep = !node.hasInput(4) || (steps != null && steps[i] == 1);
      if (!plain && fromStart && unitStep && d.isKnown()) {
        dimensions.set(axis, firstRows(d.size(), end.entries().get(i)));
        continue;
      }
      dimensions.set(
          axis,
          plain && d.isKnown()
              ? Dimension.of(
                  Math.max(
                      0, clamped(ends[i], (int) d.size()) - clamped(starts[i], (int) d.size())))
              : Dimension.unknown());
    }
    put(node.output(0), new Shape(dimensions));
  }

  private static boolean allOne(long[] steps) {
    return Arrays.stream(steps).allMatch(s -> s == 1);
  }

  private void constantOfShape(Node node) {
    Shape shape = asShape(content(node, 0));
    if (shape == null) {
      return;
    }
    put(node.output(0), shape);
    Tensor value = node.tensor("value");
    boolean integer = value != null && value.elementType() == ElementType.INT64;
    if (integer && shape.rank() == 1 && shape.isStatic() && shape.sizes()[0] <= LARGEST_FOLLOWED) {
      contents.put(
          node.output(0),
          new Content(Collections.nCopies((int) shape.sizes()[0], Entry.of(value.toLongs()[0]))));
    }
  }

  private Shape reduce(Node node, Shape x) {
    long[] axes = axes(node, 1);
    if (x == null || (axes == null && (node.hasInput(1) || node.hasAttribute("axes")))) {
      return null;
    }
    boolean keep = node.attribute("keepdims", 1L) != 0;
    boolean none = axes == null || axes.length == 0;
    if (none && node.attribute("noop_with_empty_axes", 0L) != 0) {
      return x;
    }
    List<Dimension> dimensions = new ArrayList<>(x.dimensions());
    for (int axis = 0; axis < x.rank(); axis++) {
      int at = axis;
      if (none || Arrays.stream(axes).anyMatch(a -> (a < 0 ? a + x.rank() : a) == at)) {
        dimensions.set(axis, keep ? Dimension.of(1) : null);
      }
    }
    dimensions.removeIf(d -> d == null);
    return new Shape(dimensions);
  }

  /**
   * Entry by entry, where the result follows; {@code Where(shape == -1, ones, shape)} above all.
   */
  private void arithmetic(Node node) {
    Content a = content(node, 0);
    Content b = content(node, 1);
    if (a == null || b == null || (size(a) != size(b) && size(a) != 1 && size(b) != 1)) {
      return;
    }
    int size = Math.max(size(a), size(b));
    Content c = content(node, 2);
    if (node.is("Where") && (c == null || size(c) != size)) {
      return;
    }
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      Entry x = entry(a, i);
      Entry y = entry(b, i);
      entries.add(
          switch (node.opType()) {
            case "Mul" -> isNumber(x, 1) ? y : isNumber(y, 1) ? x : both(x, y, node);
            case "Div" -> isNumber(y, 1) ? x : both(x, y, node);
            case "Add", "Sub" -> isNumber(y, 0) ? x : both(x, y, node);
            case "Equal" -> equal(x, y);
            case "Where" -> x.number() == null ? Entry.UNKNOWN : x.number() != 0 ? y : entry(c, i);
            default -> Entry.UNKNOWN;
          });
    }
    if (entries.stream().anyMatch(Entry::isKnown)) {
      contents.put(node.output(0), new Content(entries));
    }
  }

  private static Entry entry(Content content, int index) {
    return content.entries().get(size(content) == 1 ? 0 : index);
  }

  private static boolean isNumber(Entry e, long number) {
    return e.number() != null && e.number() == number;
  }

  private static Entry both(Entry x, Entry y, Node node) {
    if (x.number() == null || y.number() == null) {
      return Entry.UNKNOWN;
    }
    return switch (node.opType()) {
      case "Mul" -> Entry.of(x.number() * y.number());
      case "Div" -> y.number() == 0 ? Entry.UNKNOWN : Entry.of(x.number() / y.number());
      case "Add" -> Entry.of(x.number() + y.number());
      case "Sub" -> Entry.of(x.number() - y.number());
      default -> Entry.UNKNOWN;
    };
  }

  /** 1 or 0; a size is never negative. */
  private static Entry equal(Entry x, Entry y) {
    if (x.number() != null && y.number() != null) {
      return Entry.of(x.number().equals(y.number()) ? 1 : 0);
    }
    boolean size = x.symbol() != null || y.symbol() != null;
    boolean negative =
        (x.number() != null && x.number() < 0) || (y.number() != null && y.number() < 0);
    return size && negative ? Entry.of(0) : Entry.UNKNOWN;
  }
}
