package io.github.loragraph.evaluation;

import io.github.loragraph.data.HostTensor;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Random input that a model accepts, to compare two models with: indices stay within the embedding
 * tables that they are looked up in, masks end in padding, numbers are drawn from N(0, 1).
 */
public final class ProbeInput {
  /** A gigabyte of the largest type. */
  private static final double MOST_NUMBERS = 1 << 27;

  private ProbeInput() {}

  /**
   * Makes a batch.
   *
   * @param batch the size of the first axis where the model leaves it open
   * @param sequence the size of every further open axis; an axis whose name is a sum or a product
   *     of others' names is as long as that makes it
   * @throws LoraGraphException if an input is of a type or a size that cannot be made up
   */
  public static List<HostTensor> of(Graph graph, int batch, int sequence, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    OpenSizes sizes = new OpenSizes(graph.requiredInputs(), batch, sequence);
    List<HostTensor> tensors = new ArrayList<>();
    for (ValueInfo input : graph.requiredInputs()) {
      TensorType type = input.type();
      if (type == null || type.shape() == null || type.elementType().bytes() == 0) {
        throw new LoraGraphException(
            "the input '%s' is of %s, which cannot be made up"
                .formatted(
                    input.name(),
                    type == null
                        ? "no tensor type"
                        : type.shape() == null ? "unknown shape" : "type " + type.elementType()));
      }
      long[] shape = new long[type.shape().rank()];
      for (int axis = 0; axis < shape.length; axis++) {
        shape[axis] = sizes.of(type.shape().dimension(axis), axis);
      }
      tensors.add(tensor(graph, input.name(), type.elementType(), shape, random));
    }
    return tensors;
  }

  private static HostTensor tensor(
      Graph graph, String name, ElementType type, long[] shape, SplittableRandom random) {
    double numbers = Arrays.stream(shape).asDoubleStream().reduce(1, (a, b) -> a * b);
    if (numbers > MOST_NUMBERS) {
      throw new LoraGraphException(
          "the input '%s' is of shape %s, too large to be made up"
              .formatted(name, Arrays.toString(shape)),
          Remedy.SMALLER_SHAPE);
    }
    int count = (int) numbers;
    int width = shape.length == 0 ? 1 : Math.toIntExact(shape[shape.length - 1]);
    long limit = indexLimit(graph, name);
    boolean mask = name.contains("mask");
    ByteBuffer data =
        ByteBuffer.allocateDirect(count * type.bytes()).order(ByteOrder.nativeOrder());
    for (int i = 0; i < count; i++) {
      int row = i / Math.max(width, 1);
      int column = i % Math.max(width, 1);
      // Later rows have more padding at their end, and no row is all padding.
      boolean padding = column >= Math.max(1, width - row);
      double value =
          mask
              ? (padding ? 0 : 1)
              : type.isFloatingPoint()
                  ? gaussian(random)
                  : name.contains("position") ? column : random.nextLong(limit);
      put(data, type, value, name);
    }
    return new HostTensor(name, type, shape, data.flip());
  }

  private static void put(ByteBuffer data, ElementType type, double value, String name) {
    switch (type) {
      case FLOAT -> data.putFloat((float) value);
      case DOUBLE -> data.putDouble(value);
      case INT64 -> data.putLong((long) value);
      case FLOAT16 -> data.put(Tensor.scalar("", type, value).bytes());
      case INT16, UINT16 -> data.putShort((short) value);
      case INT32, UINT32 -> data.putInt((int) value);
      case BOOL, INT8, UINT8 -> data.put((byte) value);
      default ->
          throw new LoraGraphException(
              "the input '%s' is of type %s, which cannot be made up".formatted(name, type));
    }
  }

  /** The Box-Muller transform. */
  private static double gaussian(SplittableRandom random) {
    double radius = Math.sqrt(-2 * Math.log(1 - random.nextDouble()));
    return radius * Math.cos(2 * Math.PI * random.nextDouble());
  }

  /** The rows of the smallest table that an input indexes directly; 2 for none: a flag. */
  private static long indexLimit(Graph graph, String input) {
    long limit = Long.MAX_VALUE;
    List<String> open = new ArrayList<>(List.of(input));
    while (!open.isEmpty()) {
      String value = open.remove(0);
      for (Node consumer : graph.consumers(value)) {
        if (consumer.is("Gather") && consumer.input(1).equals(value)) {
          Tensor table = graph.constant(consumer.input(0));
          if (table != null && table.rank() == 2) {
            limit = Math.min(limit, table.dim(0));
          }
        } else if (consumer.is("Cast") || consumer.is("Identity")) {
          open.add(consumer.output(0));
        }
      }
    }
    return limit == Long.MAX_VALUE ? 2 : limit;
  }
}
