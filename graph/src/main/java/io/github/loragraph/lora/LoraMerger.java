package io.github.loragraph.lora;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Folds adapters into the weights: W' = W + alpha/r lora_A lora_B. */
public final class LoraMerger {
  private LoraMerger() {}

  /** Whether every lora_B is zero, as it is before training. */
  public static boolean changesNothing(OnnxModel model) {
    for (String path : LoraMetadata.adaptedPaths(model)) {
      for (float value : model.graph().initializer(Adapter.nameOfB(path)).toFloats()) {
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
    LoraMetadata metadata = LoraMetadata.require(model);
    Graph graph = model.graph().copy();
    Map<String, Adapter> adapters = new HashMap<>();
    for (LoraMetadata.Target target : metadata.targets()) {
      Adapter adapter = Adapter.of(graph, target);
      adapters.put(target.path(), adapter);
    }
    List<Linear> linears = LinearFinder.find(graph);
    for (LoraMetadata.Target target : metadata.targets()) {
      Linear linear =
          linears.stream()
              .filter(l -> l.path().equals(target.path()))
              .findFirst()
              .orElseThrow(
                  () ->
                      new LoraGraphException(
                          "the model has an adapter for '%s', but no such Linear layer: start from the original model again"
                              .formatted(target.path())));
      Tensor weight = graph.constant(linear.weight());
      ByteBuffer merged = merged(linear, weight, adapters.get(target.path()));
      put(graph, linear, weight, merged);
    }
    adapters.values().forEach(adapter -> adapter.removeFrom(graph));
    return model.withGraph(graph).withMetadata(LoraMetadata.KEY, null);
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
    boolean outIn = linear.layout() == WeightLayout.OUT_IN;
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(weight.bytes().remaining()).order(ByteOrder.LITTLE_ENDIAN);
    FloatBuffer result = bytes.asFloatBuffer();
    FloatBuffer source = weight.bytes().asFloatBuffer();
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
        int at = outIn ? o * in + i : i * out + o;
        float sum = (float) (source.get(at) + row[o]);
        if (!Float.isFinite(sum)) {
          throw new LoraGraphException(
              "the merged weight of '%s' is not finite: its adapter or its weight is damaged"
                  .formatted(linear.path()));
        }
        result.put(at, sum);
      }
    }
    return bytes;
  }

  private static void put(Graph graph, Linear linear, Tensor old, ByteBuffer content) {
    Set<Node> own = new HashSet<>();
    for (Linear.Site site : linear.sites()) {
      own.add(site.weightReader());
    }
    boolean alone =
        graph.initializer(linear.weight()) != null
            && linear.weight().equals(linear.weightValue())
            && own.containsAll(graph.consumers(linear.weight()))
            && !graph.isOutput(linear.weight());
    String name = alone ? linear.weight() : graph.freshName(linear.path() + ".weight");
    graph.putInitializer(Tensor.of(name, ElementType.FLOAT, content, old.dims()));
    if (alone) {
      return;
    }
    for (Node reader : own) {
      graph.replace(reader, reader.withInput(reader.is("Transpose") ? 0 : 1, name));
    }
  }
}
