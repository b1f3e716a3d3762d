package io.github.loragraph.training;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.Kernels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Computes the products of frozen weights in 8 bits. {@code alpha x op(W) + b} becomes ONNX
 * Runtime's {@code DynamicQuantizeMatMul}, with the columns of op(W) in 127 steps of their largest
 * number each, and x in 255 steps of its range.
 */
final class QuantizedBase {
  /** From 0 to the largest number of 8 bits. */
  private static final int STEPS = 127;

  /** Products of smaller weights gain nothing. */
  private static final long SMALLEST = 1 << 14;

  private final Graph graph;

  /** What was quantized already, by weight and whether it was transposed. */
  private final Map<String, Quantized> quantized = new HashMap<>();

  private record Quantized(String weight, float[] scales) {}

  private QuantizedBase(Graph graph) {
    this.graph = graph;
  }

  /**
   * Puts products of frozen weights into 8 bits; weights that nothing reads then are gone.
   *
   * @param graph is changed: its initializers are frozen
   * @param wanted the nodes that may be in 8 bits
   * @throws LoraGraphException if there is no such product
   */
  static void in(Graph graph, Predicate<Node> wanted) {
    QuantizedBase pass = new QuantizedBase(graph);
    for (Node node : List.copyOf(graph.nodes())) {
      if (node.is("Gemm") && wanted.test(node) && pass.replaced(node)) {
        String weight = node.input(1);
        if (!graph.isRead(weight)) {
          graph.removeInitializer(weight);
        }
      }
    }
    if (pass.quantized.isEmpty()) {
      throw new LoraGraphException(
          "no frozen layer of the model is large enough for 8 bits: leave the base in fp32");
    }
  }

  private boolean replaced(Node node) {
    Tensor weight = graph.initializer(node.input(1));
    if (weight == null
        || weight.elementType() != ElementType.FLOAT
        || weight.rank() != 2
        || weight.elementCount() < SMALLEST
        || graph.isInput(node.input(1))
        || node.attribute("transA", 0L) != 0) {
      return false;
    }
    String sum = node.hasInput(2) ? node.input(2) : "";
    float beta = node.attribute("beta", 1f);
    if (!sum.isEmpty() && beta != 1f) {
      return false;
    }
    boolean transposed = node.attribute("transB", 0L) != 0;
    Quantized own =
        quantized.computeIfAbsent(weight.name() + transposed, k -> quantize(weight, transposed));
    float alpha = node.attribute("alpha", 1f);
    float[] scales = own.scales().clone();
    for (int i = 0; i < scales.length; i++) {
      scales[i] *= alpha;
    }
    String scale = graph.freshName(own.weight() + "_scale");
    graph.putInitializer(Tensor.ofFloats(scale, scales, scales.length));
    Tensor bias = sum.isEmpty() ? null : graph.initializer(sum);
    boolean inside = bias != null && bias.rank() == 1 && bias.elementCount() == scales.length;
    List<String> inputs = new ArrayList<>(List.of(node.input(0), own.weight(), scale));
    if (inside) {
      inputs.addAll(List.of("", sum));
    }
    String y = node.output(0);
    String product = sum.isEmpty() || inside ? y : graph.freshName(y + "_product");
    graph.replace(
        node,
        Node.of(node.name(), "DynamicQuantizeMatMul", inputs, List.of(product))
            .withDomain(Kernels.DOMAIN));
    if (!product.equals(y)) {
      graph.insertAfter(
          graph.requireProducer(product),
          Node.of(graph.freshName(node.name() + "/Add"), "Add", List.of(product, sum), List.of(y)));
    }
    return true;
  }

  /** op(W) as rows of 8 bits, and the size of a step in each column. */
  private Quantized quantize(Tensor weight, boolean transposed) {
    int rows = Math.toIntExact(weight.dim(transposed ? 1 : 0));
    int columns = Math.toIntExact(weight.dim(transposed ? 0 : 1));
    FloatBuffer from = weight.bytes().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    float[] scales = new float[columns];
    float[] column = new float[rows];
    ByteBuffer to = ByteBuffer.allocateDirect(rows * columns).order(ByteOrder.LITTLE_ENDIAN);
    float[] all = new float[rows * columns];
    from.get(all);
    for (int j = 0; j < columns; j++) {
      float largest = 0;
      for (int i = 0; i < rows; i++) {
        column[i] = transposed ? all[j * rows + i] : all[i * columns + j];
        largest = Math.max(largest, Math.abs(column[i]));
      }
      scales[j] = largest == 0 ? 1f : largest / STEPS;
      for (int i = 0; i < rows; i++) {
        to.put(i * columns + j, (byte) Math.round(column[i] / scales[j]));
      }
    }
    String name = graph.freshName(weight.name() + (transposed ? "_transposed_int8" : "_int8"));
    graph.putInitializer(Tensor.of(name, ElementType.INT8, to, rows, columns));
    return new Quantized(name, scales);
  }
}
