package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;

/**
 * Puts LoRA adapters beside Linears (Hu et al., "LoRA: Low-Rank Adaptation of Large Language
 * Models", 2021): y = xW + b + alpha/r (x lora_A) lora_B. lora_A is N(0, 1) / sqrt(in), lora_B
 * zero, so that the outputs are at first what they were.
 */
public final class LoraInjector {
  /** Before this version of the format every initializer is a graph input, too. */
  private static final int MOST_SUGGESTED = 5;

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

  private static OnnxModel injected(OnnxModel model, InjectionOptions options) {
    if (LoraMetadata.of(model).isPresent()) {
      throw new LoraGraphException("the model has adapters already", Remedy.REMOVE_OR_MERGE);
    }
    Graph graph = model.graph().copy();
    List<Linear> targets = targets(model.withGraph(graph), options);
    List<Parameter> before = Parameters.of(model);
    List<String> trainable = new ArrayList<>();
    List<LoraMetadata.Target> adapted = new ArrayList<>();
    for (Linear linear : targets) {
      check(graph, linear, options);
      add(graph, linear, options);
      adapted.add(new LoraMetadata.Target(linear.path(), options.rank(), options.alpha()));
      trainable.add(Adapter.nameOfA(linear.path()));
      trainable.add(Adapter.nameOfB(linear.path()));
    }
    List<String> head =
        before.stream().filter(p -> p.isOf(options.head())).map(Parameter::name).toList();
    trainable.addAll(head);
    LoraMetadata metadata =
        new LoraMetadata(
            LoraMetadata.FORMAT_VERSION,
            toolVersion(),
            options.match().pattern(),
            options.rank(),
            options.alpha(),
            options.seed(),
            adapted,
            head,
            trainable);
    return metadata.putInto(model.withGraph(graph));
  }

  private static String toolVersion() {
    String version = LoraInjector.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  private static List<Linear> targets(OnnxModel model, InjectionOptions options) {
    List<Linear> linears =
        LinearFinder.find(model.graph()).stream()
            .filter(l -> !PeftAdapters.isAdapter(l.path()))
            .toList();
    List<Linear> body =
        linears.stream().filter(l -> !options.head().matcher(l.path()).find()).toList();
    List<Linear> targets = body.stream().filter(l -> l.matches(options.match())).toList();
    if (!targets.isEmpty()) {
      return targets;
    }
    List<UnrecognisedLayer> unrecognised = UnrecognisedLayer.find(model);
    List<UnrecognisedLayer> matched =
        unrecognised.stream().filter(l -> l.matches(options.match())).toList();
    if (!matched.isEmpty()) {
      String none =
          "'%s' matches no layer that can be adapted: %s"
              .formatted(options.match(), matched.get(0));
      int more = matched.size() - 1;
      throw more == 0
          ? new LoraGraphException(none)
          : new LoraGraphException("%s (and %d more)".formatted(none, more), Remedy.LIST_LAYERS);
    }
    if (linears.isEmpty() && !unrecognised.isEmpty()) {
      throw new LoraGraphException(
          "the model has no Linear layers to adapt, but %d of another form, as %s"
              .formatted(unrecognised.size(), unrecognised.get(0)));
    }
    if (linears.isEmpty()) {
      throw new LoraGraphException(
          "the model has no Linear layers (MatMul or Gemm with a constant weight) to adapt");
    }
    if (linears.stream().anyMatch(l -> l.matches(options.match()))) {
      throw new LoraGraphException(
          "'%s' matches the head only, which is trained in full and not adapted: choose other layers"
              .formatted(options.match()));
    }
    if (body.isEmpty()) {
      throw new LoraGraphException(
          "the model has no Linear layers besides its head (%s), which is trained in full and not adapted%s"
              .formatted(
                  shortened(linears.stream().map(Linear::path).toList()),
                  unrecognised.isEmpty()
                      ? ""
                      : ", and layers of another form, as " + unrecognised.get(0)));
    }
    throw new LoraGraphException(
        "'%s' matches no Linear layer; the nearest are %s"
            .formatted(
                options.match(),
                String.join(
                    ", ",
                    NearestPaths.of(
                        options.match().pattern(),
                        body.stream().map(Linear::path).toList(),
                        MOST_SUGGESTED))),
        Remedy.LIST_LAYERS);
  }

  private static String shortened(List<String> names) {
    int most = Math.min(MOST_SUGGESTED, names.size());
    String first = String.join(", ", names.subList(0, most));
    return names.size() == most ? first : first + " and %d more".formatted(names.size() - most);
  }

  private static void check(Graph graph, Linear linear, InjectionOptions options) {
    if (linear.type() != ElementType.FLOAT) {
      throw new LoraGraphException(
          "'%s' is computed in %s, and adapters are for models that compute in FLOAT: export the model in float32, or convert it"
              .formatted(linear.path(), linear.type()));
    }
    long largest = Math.min(linear.in(), linear.out());
    if (options.rank() > largest) {
      throw new LoraGraphException(
          "rank %d is above the size of '%s' (%d x %d): choose a rank of at most %d, or choose other layers"
              .formatted(options.rank(), linear.path(), linear.in(), linear.out(), largest));
    }
    for (String name :
        List.of(
            Adapter.nameOfA(linear.path()),
            Adapter.nameOfB(linear.path()),
            Adapter.nameOfScale(linear.path()))) {
      if (graph.initializer(name) != null || graph.producer(name) != null || graph.isInput(name)) {
        throw new LoraGraphException(
            "the model has a value named '%s' already, which its adapter would be named"
                .formatted(name));
      }
    }
  }

  private static void add(Graph graph, Linear linear, InjectionOptions options) {
    String path = linear.path();
    int rank = options.rank();
    List<Tensor> tensors =
        List.of(
            Tensor.ofFloats(Adapter.nameOfA(path), initialA(linear, options), linear.in(), rank),
            Tensor.filled(Adapter.nameOfB(path), ElementType.FLOAT, 0, rank, linear.out()),
            Tensor.scalar(Adapter.nameOfScale(path), ElementType.FLOAT, options.alpha() / rank));
    tensors.forEach(graph::putInitializer);
    for (int site = 0; site < linear.sites().size(); site++) {
      Adapter.addTo(graph, path, linear.sites().get(site), site);
    }
  }

  /**
   * N(0, 1) / sqrt(in) by {@link Random#nextGaussian}, seeded by the seed and the path's CRC-32, so
   * that an adapter starts the same whichever others there are.
   */
  private static float[] initialA(Linear linear, InjectionOptions options) {
    CRC32 hash = new CRC32();
    hash.update(linear.path().getBytes(StandardCharsets.UTF_8));
    Random random = new Random(options.seed() * 0x9e3779b97f4a7c15L + hash.getValue());
    float[] values = new float[Math.toIntExact(linear.in() * options.rank())];
    double deviation = 1 / Math.sqrt(linear.in());
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() * deviation);
    }
    return values;
  }
}
