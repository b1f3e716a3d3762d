package io.github.loragraph.passes;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Takes multiplications by a number into the matrix products beside them, whose {@code alpha} costs
 * nothing: {@code c (alpha a b + d)} is {@code (c alpha) a b + c d}, where {@code d} is a constant
 * vector, another such product, or gets its factor by {@code beta}; and where products alone read
 * {@code c x}, they read x.
 */
public final class FactorInGemm {
  /** A larger constant is not copied. */
  private static final int LARGEST_VECTOR_BYTES = 1 << 20;

  private final Graph graph;
  private final Set<String> kept;

  private FactorInGemm(Graph graph, Set<String> kept) {
    this.graph = graph;
    this.kept = kept;
  }

  /**
   * @param graph is changed
   * @param kept values that stay as they are, as the graph's outputs do
   */
  public static void in(Graph graph, Collection<String> kept) {
    FactorInGemm pass = new FactorInGemm(graph, Set.copyOf(kept));
    for (Node node : List.copyOf(graph.nodes())) {
      if (node.is("Mul")) {
        pass.moved(node);
      }
    }
  }

  private void moved(Node mul) {
    for (int i = 0; i < 2; i++) {
      Tensor number = graph.initializer(mul.input(1 - i));
      if (number == null
          || number.elementType() != ElementType.FLOAT
          || number.elementCount() != 1
          || number.rank() > 0) {
        continue;
      }
      float factor = number.toFloats()[0];
      String value = mul.input(i);
      String scaled = mul.output(0);
      if (takes(value, mul)) {
        scale(value, factor);
        graph.remove(mul);
        graph.rename(value, scaled);
        return;
      }
      if (isInner(scaled) && isReadByProductsAlone(scaled)) {
        for (Node product : List.copyOf(graph.consumers(scaled))) {
          int times = (int) product.inputs().subList(0, 2).stream().filter(scaled::equals).count();
          Node replacement = withAlpha(product, times == 2 ? factor * factor : factor);
          for (int k = 0; k < 2; k++) {
            replacement =
                product.input(k).equals(scaled) ? replacement.withInput(k, value) : replacement;
          }
          graph.replace(product, replacement);
        }
        graph.remove(mul);
        return;
      }
    }
  }

  private boolean isInner(String value) {
    return !graph.isOutput(value) && !kept.contains(value);
  }

  /** Whether a value is made of products alone, for one reader. */
  private boolean takes(String value, Node reader) {
    Node producer = graph.producer(value);
    if (producer == null || !isInner(value) || !graph.consumers(value).equals(List.of(reader))) {
      return false;
    }
    if (producer.is("Add")) {
      return !producer.input(0).equals(producer.input(1))
          && takes(producer.input(0), producer)
          && takes(producer.input(1), producer);
    }
    return producer.is("Gemm");
  }

  private void scale(String value, float factor) {
    Node producer = graph.requireProducer(value);
    if (producer.is("Add")) {
      scale(producer.input(0), factor);
      scale(producer.input(1), factor);
      return;
    }
    Node scaled = withAlpha(producer, factor);
    if (producer.hasInput(2)) {
      String sum = producer.input(2);
      String constant = scaledConstant(sum, factor);
      if (constant != null) {
        scaled = scaled.withInput(2, constant);
      } else if (producer.attribute("beta", 1f) == 1f
          && !producer.inputs().subList(0, 2).contains(sum)
          && takes(sum, producer)) {
        scale(sum, factor);
      } else {
        scaled = scaled.with("beta", producer.attribute("beta", 1f) * factor);
      }
    }
    graph.replace(producer, scaled);
  }

  private static Node withAlpha(Node product, float factor) {
    return product.with("alpha", product.attribute("alpha", 1f) * factor);
  }

  private @Nullable String scaledConstant(String name, float factor) {
    Tensor tensor = graph.initializer(name);
    if (tensor == null
        || tensor.elementType() != ElementType.FLOAT
        || tensor.bytes().remaining() > LARGEST_VECTOR_BYTES) {
      return null;
    }
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(tensor.bytes().remaining()).order(ByteOrder.LITTLE_ENDIAN);
    for (float number : tensor.toFloats()) {
      bytes.putFloat(number * factor);
    }
    String scaled = graph.freshName(name + "_scaled");
    graph.putInitializer(Tensor.of(scaled, ElementType.FLOAT, bytes.flip(), tensor.dims()));
    return scaled;
  }

  private boolean isReadByProductsAlone(String value) {
    List<Node> readers = graph.consumers(value);
    return !readers.isEmpty()
        && readers.stream()
            .allMatch(
                node ->
                    node.is("Gemm") && !(node.hasInput(2) && Objects.equals(node.input(2), value)));
  }
}
