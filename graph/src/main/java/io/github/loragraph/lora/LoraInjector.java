package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Puts LoRA adapters beside Linears (Hu et al., "LoRA: Low-Rank Adaptation of Large Language
 * Models", 2021): y = xW + b + alpha/r (x lora_A) lora_B, or a {@link LoraVariant} of that. The
 * outputs are at first what they were.
 */
public final class LoraInjector {
  private LoraInjector() {}

  /**
   * The model with adapters; the given one is left as it is. Nodes, names and metadata stay, but
   * for the name of the value that each adapted Linear itself makes.
   *
   * @throws LoraGraphException if nothing matches, the model has adapters already, or a matched
   *     Linear cannot have one; it names the Linear
   */
  public static OnnxModel inject(OnnxModel model, InjectionOptions options) {
    return model.namingFile(() -> injected(model, options));
  }

  /**
   * The module paths of the layers that {@link #inject} would put adapters beside, in the order of
   * the graph. No adapter is made.
   *
   * @throws LoraGraphException as {@link #inject} does
   */
  public static List<String> targets(OnnxModel model, InjectionOptions asked) {
    return model.namingFile(
        () -> {
          InjectionOptions options = AdaptedLayers.resolved(model, asked);
          requireNone(model);
          List<Linear> targets = AdaptedLayers.of(model, options);
          for (Linear linear : targets) {
            check(model.graph(), linear, target(linear, options), options.variant());
          }
          biases(Parameters.of(model), targets, options.variant().bias());
          return targets.stream().map(Linear::path).toList();
        });
  }

  private static void requireNone(OnnxModel model) {
    if (LoraMetadata.of(model).isPresent()) {
      throw new LoraGraphException("the model has adapters already", Remedy.REMOVE_OR_MERGE);
    }
  }

  private static LoraMetadata.Target target(Linear linear, InjectionOptions options) {
    String path = linear.path();
    return new LoraMetadata.Target(
        path, options.ranks().rankOf(path), options.ranks().alphaOf(path));
  }

  private static OnnxModel injected(OnnxModel model, InjectionOptions asked) {
    InjectionOptions options = AdaptedLayers.resolved(model, asked);
    requireNone(model);
    Graph graph = model.graph().copy();
    LoraVariant variant = options.variant();
    List<Linear> targets = AdaptedLayers.of(model.withGraph(graph), options);
    List<Parameter> before = Parameters.of(model);
    List<String> trainable = new ArrayList<>();
    List<LoraMetadata.Target> adapted = new ArrayList<>();
    for (Linear linear : targets) {
      LoraMetadata.Target target = target(linear, options);
      check(graph, linear, target, variant);
      add(graph, linear, target, options, model.opset());
      adapted.add(target);
      trainable.add(target.parameterA());
      trainable.add(target.parameterB());
      if (variant.useDora()) {
        trainable.add(target.magnitude());
      }
    }
    List<String> head =
        before.stream().filter(p -> p.isOf(options.head())).map(Parameter::name).toList();
    Set<String> all = new LinkedHashSet<>(trainable);
    all.addAll(head);
    all.addAll(biases(before, targets, variant.bias()));
    LoraMetadata metadata =
        new LoraMetadata(
            LoraMetadata.formatOf(variant),
            toolVersion(),
            options.selection().modules().expression().pattern(),
            options.ranks().rank(),
            options.ranks().alpha(),
            options.seed(),
            variant,
            adapted,
            head,
            List.copyOf(all));
    return metadata.putInto(model.withGraph(graph));
  }

  /** The names of the biases that are trained with the adapters. */
  private static List<String> biases(
      List<Parameter> parameters, List<Linear> targets, LoraBias bias) {
    if (bias == LoraBias.NONE) {
      return List.of();
    }
    Set<String> adapted = new HashSet<>();
    targets.stream().filter(l -> l.bias() != null).forEach(l -> adapted.add(l.biasName()));
    List<String> biases =
        parameters.stream()
            .filter(p -> p.obstacle() == null)
            .map(Parameter::name)
            .filter(
                name ->
                    adapted.contains(name)
                        || (bias == LoraBias.ALL
                            && (name.equals("bias") || name.endsWith(".bias"))))
            .toList();
    if (biases.isEmpty()) {
      throw new LoraGraphException(
          bias == LoraBias.ALL
              ? "the model has no biases to train"
              : "none of the adapted layers has a bias to train");
    }
    return biases;
  }

  /** The version of lora-graph that makes adapters now. */
  public static String toolVersion() {
    String version = LoraInjector.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  private static void check(
      Graph graph, Linear linear, LoraMetadata.Target target, LoraVariant variant) {
    requireAdaptable(graph, linear, variant);
    long largest = Math.min(linear.in(), linear.out());
    if (target.rank() > largest) {
      throw new LoraGraphException(
          "rank %d is above the size of '%s' (%d x %d): choose a rank of at most %d, or choose other layers"
              .formatted(target.rank(), linear.path(), linear.in(), linear.out(), largest));
    }
  }

  /**
   * Refuses a Linear that no adapter can be beside.
   *
   * @throws LoraGraphException if it does not compute in FLOAT, or the graph has a value with a
   *     name of the adapter's
   */
  static void requireAdaptable(Graph graph, Linear linear, LoraVariant variant) {
    if (linear.type() != ElementType.FLOAT) {
      throw new LoraGraphException(
          "'%s' is computed in %s, and adapters are for models that compute in FLOAT: export the model in float32, or convert it"
              .formatted(linear.path(), linear.type()));
    }
    if (variant.useDora()) {
      Dora.requirePossible(linear);
    }
    for (String name : Adapter.names(linear.path(), variant)) {
      if (graph.initializer(name) != null || graph.producer(name) != null || graph.isInput(name)) {
        throw new LoraGraphException(
            "the model has a value named '%s' already, which its adapter would be named"
                .formatted(name));
      }
    }
  }

  private static void add(
      Graph graph, Linear linear, LoraMetadata.Target target, InjectionOptions options, int opset) {
    String path = linear.path();
    LoraVariant variant = options.variant();
    int rank = target.rank();
    double scale = variant.scale(rank, target.alpha());
    WeightMatrix weight = WeightMatrix.of(graph, linear);
    InitialAdapter start =
        InitialAdapter.of(variant.init(), linear, weight, rank, scale, options.seed());
    graph.putInitializer(Tensor.ofFloats(Adapter.nameOfA(path), start.a(), linear.in(), rank));
    graph.putInitializer(Tensor.ofFloats(Adapter.nameOfB(path), start.b(), rank, linear.out()));
    graph.putInitializer(Tensor.scalar(Adapter.nameOfScale(path), ElementType.FLOAT, scale));
    if (variant.init().isAnchored()) {
      graph.putInitializer(
          Tensor.ofFloats(Adapter.nameOfAnchorA(path), start.a(), linear.in(), rank));
      graph.putInitializer(
          Tensor.ofFloats(Adapter.nameOfAnchorB(path), start.b(), rank, linear.out()));
    }
    if (variant.useDora()) {
      graph.putInitializer(Dora.initial(linear, weight.norms()));
    }
    addNodes(graph, linear, variant, opset);
  }

  /** Puts the nodes of an adapter beside all sites of a Linear; its initializers are there. */
  static void addNodes(Graph graph, Linear linear, LoraVariant variant, int opset) {
    if (variant.useDora()) {
      Dora.addNorm(graph, linear, variant, opset);
    }
    for (int site = 0; site < linear.sites().size(); site++) {
      Adapter.addTo(graph, linear.path(), linear.sites().get(site), site, variant);
    }
  }
}
