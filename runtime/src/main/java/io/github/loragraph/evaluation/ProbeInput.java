package io.github.loragraph.evaluation;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Random input that a model accepts, to compare two models with: indices stay within the embedding
 * tables that they are looked up in, masks end in padding, numbers are drawn from N(0, 1).
 */
public final class ProbeInput {
  private static final String MASK = "attention_mask";

  private ProbeInput() {}

  /**
   * Makes a batch.
   *
   * @param batch the size of the first axis where the model leaves it open
   * @param sequence the size of every further open axis
   * @throws LoraGraphException if an input is of a type that cannot be made up
   */
  public static List<HostTensor> of(Graph graph, int batch, int sequence, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Map<String, Long> symbols = new HashMap<>();
    List<HostTensor> tensors = new ArrayList<>();
    for (ValueInfo input : graph.requiredInputs()) {
      TensorType type = input.type();
      if (type == null || type.shape() == null || type.elementType().bytes() == 0) {
        throw new LoraGraphException(
            "input '%s' of type %s cannot be made up for a check".formatted(input.name(), type));
      }
      long[] shape = new long[type.shape().rank()];
      for (int axis = 0; axis < shape.length; axis++) {
        Shape.Dimension d = type.shape().dimension(axis);
        long open = axis == 0 ? batch : sequence;
        shape[axis] =
            d.isKnown()
                ? d.size()
                : d.symbol() == null ? open : symbols.computeIfAbsent(d.symbol(), s -> open);
      }
      tensors.add(tensor(graph, input.name(), type.elementType(), shape, random));
    }
    return tensors;
  }

  private static HostTensor tensor(
      Graph graph, String name, ElementType type, long[] shape, SplittableRandom random) {
    int bytes = HostTensor.byteCount(name, type, shape);
    int count = bytes / type.bytes();
    int width = shape.length == 0 ? 1 : Math.toIntExact(shape[shape.length - 1]);
    long limit = indexLimit(graph, name);
    boolean mask = name.contains("mask");
    ByteBuffer data = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
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
      case INT32 -> data.putInt((int) value);
      case BOOL, INT8, UINT8 -> data.put((byte) value);
      default ->
          throw new LoraGraphException(
              "input '%s' of type %s cannot be made up for a check".formatted(name, type));
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
