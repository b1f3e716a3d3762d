package io.github.loragraph.autodiff;

import static org.junit.jupiter.api.Assertions.fail;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * Rules put together at random: small graphs of smooth operators, in which values are read several
 * times and shapes have axes of size 1 and 0, against finite differences. Values are kept small, so
 * that the differences are exact to the tolerance.
 */
class RandomGraphTest {
  private static final int GRAPHS = 120;
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());

  @Test
  void gradientsOfRandomGraphs() {
    for (int i = 0; i < GRAPHS; i++) {
      Plan plan = new Plan(new Random(SEED + i));
      try {
        plan.check();
      } catch (AssertionError | RuntimeException e) {
        fail("graph %d of -Dtest.seed=%d: %s".formatted(i, SEED, plan.log), e);
      }
    }
  }

  /** A value of a graph to be: its place in the list of values, and its shape. */
  private record Value(int index, long[] shape) {
    long count() {
      return LongStream.of(shape).reduce(1, (a, b) -> a * b);
    }

    int rank() {
      return shape.length;
    }
  }

  /** What a graph consists of; shapes are worked out here, not by the code under test. */
  private static final class Plan {
    private final Random random;
    private final Map<String, long[]> parameters = new LinkedHashMap<>();
    private final List<BiFunction<GraphBuilder, List<String>, String>> makers = new ArrayList<>();
    private final List<Value> values = new ArrayList<>();
    private final Set<Integer> read = new HashSet<>();
    private final List<String> log = new ArrayList<>();

    Plan(Random random) {
      this.random = random;
      parameter(shape());
      int steps = 3 + random.nextInt(8);
      for (int i = 0; i < steps; i++) {
        List<Value> withAxes = values.stream().filter(v -> v.rank() > 0).toList();
        step(withAxes.get(random.nextInt(withAxes.size())));
      }
    }

    void check() {
      FiniteDifferences differences = FiniteDifferences.ofAll(this::build);
      parameters.forEach(differences::input);
      differences.withRanksKnown().check();
    }

    /** Every value that none reads is an output. */
    private List<String> build(GraphBuilder b) {
      List<String> names = new ArrayList<>();
      makers.forEach(maker -> names.add(maker.apply(b, names)));
      List<String> outputs = new ArrayList<>();
      for (Value value : values) {
        if (!read.contains(value.index())) {
          outputs.add(names.get(value.index()));
        }
      }
      return outputs;
    }

    private long[] shape() {
      long[] shape = new long[1 + random.nextInt(3)];
      for (int i = 0; i < shape.length; i++) {
        shape[i] = random.nextInt(25) == 0 ? 0 : 1 + random.nextInt(3);
      }
      return shape;
    }

    private Value parameter(long... shape) {
      String name = "p" + parameters.size();
      parameters.put(name, shape);
      return add(name, shape, (b, names) -> name);
    }

    private Value add(
        String what, long[] shape, BiFunction<GraphBuilder, List<String>, String> maker) {
      log.add("%d = %s %s".formatted(values.size(), what, Arrays.toString(shape)));
      makers.add(maker);
      Value value = new Value(values.size(), shape);
      values.add(value);
      return value;
    }

    private interface Maker {
      String of(GraphBuilder b, String x, String y);
    }

    private Value unary(String what, Value x, long[] shape, Maker maker) {
      return binary(what, x, x, shape, maker);
    }

    private Value binary(String what, Value x, Value y, long[] shape, Maker maker) {
      read.add(x.index());
      read.add(y.index());
      return add(
          "%s(%d, %d)".formatted(what, x.index(), y.index()),
          shape,
          (b, names) -> maker.of(b, names.get(x.index()), names.get(y.index())));
    }

    private static String tanh(GraphBuilder b, String x) {
      return b.op("Tanh", x);
    }

    private static String number(GraphBuilder b, double value) {
      return b.scalar(ElementType.DOUBLE, value);
    }

    private void step(Value x) {
      switch (random.nextInt(20)) {
        case 0 -> unary("Tanh", x, x.shape(), (b, v, w) -> tanh(b, v));
        case 1 -> unary("Sigmoid", x, x.shape(), (b, v, w) -> b.op("Sigmoid", v));
        case 2 -> unary("Exp", x, x.shape(), (b, v, w) -> b.exp(tanh(b, v)));
        case 3 -> unary("Sqrt", x, x.shape(), (b, v, w) -> b.sqrt(b.add(tanh(b, v), number(b, 2))));
        case 4 -> arithmetic("Add", x);
        case 5 -> arithmetic("Mul", x);
        case 6 -> arithmetic("Sub", x);
        case 7 -> arithmetic("Div", x);
        case 8, 9 -> matMul(x);
        case 10 -> transpose(x);
        case 11 -> reshape(x);
        case 12 -> concat(x);
        case 13 -> slice(x);
        case 14 -> gather(x);
        case 15 -> reduce(x);
        case 16 -> softmax(x);
        case 17 -> pad(x);
        case 18 -> where(x);
        default -> expand(x);
      }
    }

    /** With a value of the same shape, or a parameter that is broadcast, on either side. */
    private void arithmetic(String op, Value x) {
      List<Value> alike = values.stream().filter(v -> Arrays.equals(v.shape(), x.shape())).toList();
      Value y = alike.get(random.nextInt(alike.size()));
      if (random.nextBoolean()) {
        long[] smaller = Arrays.copyOfRange(x.shape(), random.nextInt(x.rank() + 1), x.rank());
        for (int i = 0; i < smaller.length; i++) {
          smaller[i] = random.nextBoolean() ? 1 : smaller[i];
        }
        y = parameter(smaller);
      }
      boolean swapped = random.nextBoolean();
      binary(
          op,
          x,
          y,
          x.shape(),
          (b, v, w) -> {
            String first = tanh(b, swapped ? w : v);
            String second = tanh(b, swapped ? v : w);
            return op.equals("Div")
                ? b.div(first, b.add(second, number(b, 2)))
                : b.op(op, first, second);
          });
    }

    private void matMul(Value x) {
      long inner = x.shape()[x.rank() - 1];
      // ONNX Runtime does not multiply a matrix without rows by a vector.
      int kind = random.nextInt(3);
      if (kind == 0 && x.count() > 0) {
        Value vector = parameter(inner);
        // A scalar would end here: most steps need an axis.
        boolean scalar = x.rank() == 1;
        binary(
            "MatMul",
            x,
            vector,
            scalar ? new long[] {1} : Arrays.copyOf(x.shape(), x.rank() - 1),
            (b, v, w) -> {
              String product = b.matMul(tanh(b, v), w);
              return scalar ? b.unsqueeze(product, 0) : product;
            });
        return;
      }
      long columns = 1L + random.nextInt(3);
      Value matrix =
          kind == 1 || x.rank() < 3
              ? parameter(inner, columns)
              : parameter(random.nextBoolean() ? 1 : x.shape()[x.rank() - 3], inner, columns);
      long[] shape = x.shape().clone();
      shape[x.rank() - 1] = columns;
      binary("MatMul", x, matrix, shape, (b, v, w) -> b.matMul(tanh(b, v), w));
    }

    private void transpose(Value x) {
      List<Integer> order = new ArrayList<>();
      for (int i = 0; i < x.rank(); i++) {
        order.add(i);
      }
      Collections.shuffle(order, random);
      long[] perm = order.stream().mapToLong(Integer::longValue).toArray();
      long[] shape = Arrays.stream(perm).map(axis -> x.shape()[(int) axis]).toArray();
      unary("Transpose", x, shape, (b, v, w) -> b.transpose(v, perm));
    }

    private void reshape(Value x) {
      if (x.count() > 0) {
        long[] shape = random.nextBoolean() ? new long[] {x.count()} : new long[] {1, x.count()};
        unary("Reshape", x, shape, (b, v, w) -> b.reshape(v, shape));
      }
    }

    private void concat(Value x) {
      int axis = random.nextInt(x.rank());
      List<Value> alike = values.stream().filter(v -> Arrays.equals(v.shape(), x.shape())).toList();
      Value y = alike.get(random.nextInt(alike.size()));
      long[] shape = x.shape().clone();
      shape[axis] *= 2;
      if (shape[axis] <= 6) {
        int written = random.nextBoolean() ? axis : axis - x.rank();
        binary("Concat", x, y, shape, (b, v, w) -> b.concat(written, v, w));
      }
    }

    private void slice(Value x) {
      int axis = random.nextInt(x.rank());
      long size = x.shape()[axis];
      if (size < 2) {
        return;
      }
      boolean backwards = random.nextBoolean();
      long[] shape = x.shape().clone();
      shape[axis] = backwards ? size : size - 1;
      unary(
          "Slice",
          x,
          shape,
          (b, v, w) ->
              backwards
                  ? b.op("Slice", v, b.longs(-1), b.longs(-size - 1), b.longs(axis), b.longs(-1))
                  : b.op("Slice", v, b.longs(1), b.longs(size), b.longs(axis)));
    }

    private void gather(Value x) {
      int axis = random.nextInt(x.rank());
      long size = x.shape()[axis];
      if (size == 0) {
        return;
      }
      long[] index = random.longs(1 + random.nextInt(4), -size, size).toArray();
      long[] shape = x.shape().clone();
      shape[axis] = index.length;
      unary("Gather", x, shape, (b, v, w) -> b.gather(v, b.longs(index), axis));
    }

    private void reduce(Value x) {
      if (x.count() == 0) {
        return;
      }
      Set<Integer> axes = new TreeSet<>();
      axes.add(random.nextInt(x.rank()));
      axes.add(random.nextInt(x.rank()));
      boolean keep = axes.size() == x.rank() || random.nextBoolean();
      long[] written =
          axes.stream().mapToLong(a -> random.nextBoolean() ? a : a - x.rank()).toArray();
      List<Long> shape = new ArrayList<>();
      for (int i = 0; i < x.rank(); i++) {
        if (!axes.contains(i)) {
          shape.add(x.shape()[i]);
        } else if (keep) {
          shape.add(1L);
        }
      }
      String op =
          List.of("ReduceSum", "ReduceMean", "ReduceSumSquare", "ReduceLogSumExp")
              .get(random.nextInt(4));
      unary(
          op,
          x,
          shape.stream().mapToLong(Long::longValue).toArray(),
          (b, v, w) -> b.reduce(op, tanh(b, v), b.longs(written), keep));
    }

    private void softmax(Value x) {
      if (x.count() > 0) {
        int axis = random.nextInt(2 * x.rank()) - x.rank();
        String op = random.nextBoolean() ? "Softmax" : "LogSoftmax";
        unary(op, x, x.shape(), (b, v, w) -> b.op(op, n -> n.with("axis", axis), v));
      }
    }

    private void pad(Value x) {
      int axis = random.nextInt(x.rank());
      long[] pads = new long[2 * x.rank()];
      pads[axis] = random.nextInt(2);
      pads[x.rank() + axis] = 1;
      long[] shape = x.shape().clone();
      shape[axis] += pads[axis] + 1;
      if (shape[axis] <= 6) {
        unary("Pad", x, shape, (b, v, w) -> b.op("Pad", v, b.longs(pads)));
      }
    }

    private void where(Value x) {
      boolean[] mask = new boolean[(int) x.shape()[x.rank() - 1]];
      for (int i = 0; i < mask.length; i++) {
        mask[i] = random.nextBoolean();
      }
      unary(
          "Where",
          x,
          x.shape(),
          (b, v, w) -> {
            String name = b.graph().freshName("mask");
            String condition = b.initializer(Tensor.ofBooleans(name, mask, mask.length));
            return b.where(condition, v, b.mul(v, number(b, 0.5)));
          });
    }

    private void expand(Value x) {
      long[] shape = new long[x.rank() + 1];
      shape[0] = 2;
      System.arraycopy(x.shape(), 0, shape, 1, x.rank());
      if (shape.length <= 4 && x.count() <= 12) {
        unary("Expand", x, shape, (b, v, w) -> b.expand(v, b.longs(shape)));
      }
    }
  }
}
