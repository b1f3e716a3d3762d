package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Folds adapters into the weights: W' = W + s lora_A lora_B, less the anchor where the adapter has
 * one, and for DoRA each column brought to the length that its magnitude says.
 */
public final class LoraMerger {
  private LoraMerger() {}

  /** Whether the adapters are as they were before training, so that all they add is nothing. */
  public static boolean changesNothing(OnnxModel model) {
    Optional<LoraMetadata> metadata = LoraMetadata.of(model);
    if (metadata.isEmpty()) {
      return true;
    }
    LoraVariant variant = metadata.get().variant();
    if (variant.init() == LoraInit.ORTHOGONAL) {
      return false;
    }
    Graph graph = model.graph().copy();
    List<Adapter> adapters =
        metadata.get().targets().stream().map(t -> Adapter.of(graph, t, variant)).toList();
    if (!adapters.stream().allMatch(Adapter::isAsInjected)) {
      return false;
    }
    if (!variant.useDora()) {
      return true;
    }
    adapters.forEach(adapter -> adapter.removeFrom(graph));
    List<Linear> linears = LinearFinder.find(graph);
    return adapters.stream()
        .allMatch(
            adapter -> {
              Linear linear = linear(linears, adapter.path());
              double[] norms = WeightMatrix.of(graph, linear).norms();
              return Dora.initial(linear, norms)
                  .bytes()
                  .equals(Objects.requireNonNull(adapter.magnitude()).bytes());
            });
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
    List<Adapter> adapters = new ArrayList<>();
    for (LoraMetadata.Target target : metadata.targets()) {
      adapters.add(Adapter.of(graph, target, metadata.variant()));
    }
    adapters.forEach(adapter -> adapter.removeFrom(graph));
    List<Linear> linears = LinearFinder.find(graph);
    for (Adapter adapter : adapters) {
      Linear linear = linear(linears, adapter.path());
      if (linear.part() != null) {
        // What was merged before may have given the parts another whole.
        linear = linear(LinearFinder.find(graph), adapter.path());
      }
      put(graph, linear, merged(WeightMatrix.copyOf(graph, linear), linear, adapter));
    }
    return LoraMetadata.removeFrom(model.withGraph(graph));
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
      ElementType type = WeightMatrix.tensor(model.graph(), linear).elementType();
      if (adapted.contains(linear.path()) && type.bytes() == 2) {
        types.add(type);
      }
    }
    return types;
  }

  /** The adapted weight; summed in double precision, rounded once. */
  private static WeightMatrix merged(WeightMatrix weight, Linear linear, Adapter adapter) {
    int in = weight.in();
    int out = weight.out();
    if (adapter.a().dim(0) != in || adapter.b().dim(1) != out) {
      throw new LoraGraphException(
          "the adapter of '%s' is not of the size of its Linear layer (%d x %d)"
              .formatted(linear.path(), in, out));
    }
    AdaptedRows rows = new AdaptedRows(weight, adapter);
    double[] factors = rows.factors();
    for (int i = 0; i < in; i++) {
      double[] row = rows.row(i);
      for (int o = 0; o < out; o++) {
        if (!weight.put(i, o, row[o] * factors[o])) {
          throw new LoraGraphException(
              "the merged weight of '%s' is not finite%s: its adapter or its weight is damaged"
                  .formatted(
                      linear.path(), weight.type().bytes() == 2 ? " in " + weight.type() : ""));
        }
      }
    }
    return weight;
  }

  private static void put(Graph graph, Linear linear, WeightMatrix content) {
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
    graph.putInitializer(content.tensor(name));
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
