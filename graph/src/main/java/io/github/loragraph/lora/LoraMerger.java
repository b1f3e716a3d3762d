package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.HalfPrecision;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Folds adapters into the weights: W' = W + alpha/r lora_A lora_B. */
public final class LoraMerger {
  private LoraMerger() {}

  /** Whether every lora_B is zero, as it is before training. */
  public static boolean changesNothing(OnnxModel model) {
    for (String path : LoraMetadata.adaptedPaths(model)) {
      Tensor b = Objects.requireNonNull(model.graph().initializer(Adapter.nameOfB(path)));
      for (float value : b.toFloats()) {
        if (value != 0) {
          return false;
        }
      }
    }
    return true;
  }

  /**
   * The model with the adapters in its weights, and the nodes that it had before the injection. A
   * weight that something else reads, too, stays as it is for the others. The given model is left
   * as it is.
   *
   * @throws LoraGraphException if the model has no adapters, they are damaged, or a merged weight
   *     would not be finite
   */
  public static OnnxModel merge(OnnxModel model) {
    return model.namingFile(() -> merged(model));
  }

  private static OnnxModel merged(OnnxModel model) {
    LoraMetadata metadata = LoraMetadata.require(model);
    Graph graph = model.graph().copy();
    Map<String, Adapter> adapters = new HashMap<>();
    for (LoraMetadata.Target target : metadata.targets()) {
      Adapter adapter = Adapter.of(graph, target);
      adapters.put(target.path(), adapter);
    }
    List<Linear> linears = LinearFinder.find(graph);
    for (LoraMetadata.Target target : metadata.targets()) {
      Linear linear = linear(linears, target.path());
      if (linear.part() != null) {
        // What was merged before may have given the parts another whole.
        linear = linear(LinearFinder.find(graph), target.path());
      }
      Tensor weight = weight(graph, linear);
      Adapter adapter = Objects.requireNonNull(adapters.get(target.path()));
      ByteBuffer merged = merged(linear, weight, adapter);
      put(graph, linear, weight, merged);
    }
    adapters.values().forEach(adapter -> adapter.removeFrom(graph));
    return model.withGraph(graph).withMetadata(LoraMetadata.KEY, null);
  }

  private static Tensor weight(Graph graph, Linear linear) {
    return Objects.requireNonNull(graph.constant(linear.weight()), linear.weight());
  }

  private static Linear linear(List<Linear> linears, String path) {
    return linears.stream()
        .filter(l -> l.path().equals(path))
        .findFirst()
        .orElseThrow(
            () ->
                new LoraGraphException(
                    "the model has an adapter for '%s', but no such Linear layer: start from the original model again"
                        .formatted(path)));
  }

  /**
   * The 16-bit types in which weights are stored that merging changes: what is merged is rounded to
   * them, and a small change may be lost.
   */
  public static Set<ElementType> rounded(OnnxModel model) {
    Set<String> adapted = LoraMetadata.adaptedPaths(model);
    Set<ElementType> types = EnumSet.noneOf(ElementType.class);
    for (Linear linear : LinearFinder.find(model.graph())) {
      ElementType type = weight(model.graph(), linear).elementType();
      if (adapted.contains(linear.path()) && type.bytes() == 2) {
        types.add(type);
      }
    }
    return types;
  }

  /** W + scale A B in the weight's own layout; summed in double precision, rounded once. */
  private static ByteBuffer merged(Linear linear, Tensor weight, Adapter adapter) {
    int in = Math.toIntExact(linear.in());
    int out = Math.toIntExact(linear.out());
    int rank = Math.toIntExact(adapter.a().dim(1));
    if (adapter.a().dim(0) != in || adapter.b().dim(1) != out) {
      throw new LoraGraphException(
          "the adapter of '%s' is not of the size of its Linear layer (%d x %d)"
              .formatted(linear.path(), in, out));
    }
    // A Gemm multiplies by its alpha what stands in the weight.
    double scale = adapter.scale() / linear.sites().get(0).node().attribute("alpha", 1f);
    float[] a = adapter.a().toFloats();
    float[] b = adapter.b().toFloats();
    ByteBuffer source = weight.bytes();
    ByteBuffer result =
        ByteBuffer.allocateDirect(source.remaining()).order(ByteOrder.LITTLE_ENDIAN);
    result.put(source.duplicate()).flip();
    int columns = Math.toIntExact(weight.dim(-1));
    Linear.Part part = linear.part();
    int start = part == null ? 0 : Math.toIntExact(part.start() * (part.axis() == 0 ? columns : 1));
    boolean outIn = linear.layout() == WeightLayout.OUT_IN;
    ElementType type = weight.elementType();
    double[] row = new double[out];
    for (int i = 0; i < in; i++) {
      Arrays.fill(row, 0);
      for (int k = 0; k < rank; k++) {
        double factor = scale * a[i * rank + k];
        for (int o = 0; o < out; o++) {
          row[o] += factor * b[k * out + o];
        }
      }
      for (int o = 0; o < out; o++) {
        int at = start + (outIn ? o * columns + i : i * columns + o);
        if (!put(result, type, at, number(source, type, at) + row[o])) {
          throw new LoraGraphException(
              "the merged weight of '%s' is not finite%s: its adapter or its weight is damaged"
                  .formatted(linear.path(), type.bytes() == 2 ? " in " + type : ""));
        }
      }
    }
    return result;
  }

  private static double number(ByteBuffer bytes, ElementType type, int at) {
    return switch (type) {
      case FLOAT -> bytes.getFloat(at * 4);
      case DOUBLE -> bytes.getDouble(at * 8);
      case FLOAT16 -> HalfPrecision.toFloat(bytes.getShort(at * 2));
      case BFLOAT16 -> HalfPrecision.bfloat16ToFloat(bytes.getShort(at * 2));
      default -> throw new IllegalStateException("a weight of type " + type);
    };
  }

  /**
   * @return whether the number is finite in the type
   */
  private static boolean put(ByteBuffer bytes, ElementType type, int at, double number) {
    switch (type) {
      case FLOAT -> bytes.putFloat(at * 4, (float) number);
      case DOUBLE -> bytes.putDouble(at * 8, number);
      case FLOAT16 -> bytes.putShort(at * 2, HalfPrecision.fromFloat((float) number));
      default -> bytes.putShort(at * 2, HalfPrecision.bfloat16FromFloat((float) number));
    }
    return Double.isFinite(number(bytes, type, at));
  }

  private static void put(Graph graph, Linear linear, Tensor old, ByteBuffer content) {
    Set<Node> own = new HashSet<>();
    for (Linear.Site site : linear.sites()) {
      own.add(site.weightReader());
    }
    boolean alone =
        graph.initializer(linear.weight()) != null
            && linear.weight().equals(linear.weightValue())
            && graph.consumers(linear.weight()).stream()
                .allMatch(n -> own.contains(n) || readsAnotherPart(graph, n, linear.part()))
            && !graph.isOutput(linear.weight());
    String name = alone ? linear.weight() : graph.freshName(linear.weightName());
    graph.putInitializer(Tensor.of(name, old.elementType(), content, old.dims()));
    if (alone) {
      return;
    }
    for (Node reader : own) {
      graph.replace(
          reader, reader.withInput(reader.is("MatMul") || reader.is("Gemm") ? 1 : 0, name));
    }
  }

  /** Whether a node takes rows or columns of a weight that a part of it does not have. */
  private static boolean readsAnotherPart(Graph graph, Node node, Linear.@Nullable Part part) {
    if (part == null || !node.is("Slice")) {
      return false;
    }
    Linear.Part other = MatrixPart.of(graph, node, node.output(0));
    return other != null
        && other.axis() == part.axis()
        && (other.start() + other.size() <= part.start()
            || part.start() + part.size() <= other.start());
  }
}
