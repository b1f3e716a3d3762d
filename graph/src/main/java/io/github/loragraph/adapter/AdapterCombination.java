package io.github.loragraph.adapter;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.linalg.Matrix;
import io.github.loragraph.linalg.Svd;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * One adapter of several by weights, as {@code add_weighted_adapter} of PEFT (Hugging Face) makes
 * it. It counts as it stands (alpha is the rank). A module that only some have is combined of
 * those.
 *
 * <p>Two faults of PEFT are not repeated: where it decomposes deltas, it multiplies them by their
 * scale twice, which is another adapter wherever a scale is not 1; and of adapters with rsLoRA it
 * makes one whose scale is the root of its rank.
 *
 * <p>Long because each way to combine is held against the others where they are read together.
 */
public final class AdapterCombination {
  private static final TaskArithmetic.Method SUM = new TaskArithmetic.Method(false, false, false);
  private static final TaskArithmetic.Method TIES = new TaskArithmetic.Method(true, false, true);
  private static final TaskArithmetic.Method DARE = new TaskArithmetic.Method(false, true, false);
  private static final TaskArithmetic.Method DARE_TIES =
      new TaskArithmetic.Method(false, true, true);
  private static final TaskArithmetic.Method PRUNE = new TaskArithmetic.Method(true, false, false);

  /** PEFT's {@code combination_type}. */
  public enum Type {
    /** Sums of all A and of all B, each with the root of its weight and scale. */
    LINEAR(SUM, false),
    /** All A below and all B beside each other: exactly the weighted sum of the deltas. */
    CAT(SUM, false),
    /** The weighted sum of the deltas, in the nearest matrix of a rank. */
    SVD(SUM, true),
    TIES(AdapterCombination.TIES, false),
    TIES_SVD(AdapterCombination.TIES, true),
    DARE_LINEAR(DARE, false),
    DARE_TIES(AdapterCombination.DARE_TIES, false),
    DARE_LINEAR_SVD(DARE, true),
    DARE_TIES_SVD(AdapterCombination.DARE_TIES, true),
    MAGNITUDE_PRUNE(PRUNE, false),
    MAGNITUDE_PRUNE_SVD(PRUNE, true);

    private final TaskArithmetic.Method method;
    private final boolean decomposes;

    Type(TaskArithmetic.Method method, boolean decomposes) {
      this.method = method;
      this.decomposes = decomposes;
    }

    private boolean prunes() {
      return method.prunesSmall() || method.prunesRandom();
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** How the sign of an entry is elected. */
  public enum MajoritySign {
    /** By the sum of the entries. */
    TOTAL,
    /** By the number of entries of each sign. */
    FREQUENCY
  }

  /**
   * One of the adapters.
   *
   * @param name what messages call it
   * @param weight any number; a negative one takes away
   */
  public record Input(String name, PeftAdapter adapter, double weight) {}

  /** What becomes of a parameter that was trained in full in several adapters. */
  public enum Heads {
    /** It is refused where it differs. */
    REFUSED,
    /** The mean by the weights. */
    MEAN,
    /** That of one adapter. */
    NAMED
  }

  /**
   * How to combine.
   *
   * @param rank of what is decomposed; the highest of the adapters unless given
   * @param density the share of entries that stay, above 0 and at most 1; for types that prune
   * @param seed decides what DARE drops
   * @param named the index of the adapter whose head is taken; read for {@link Heads#NAMED}
   */
  public record Options(
      Type type,
      OptionalInt rank,
      OptionalDouble density,
      MajoritySign majoritySign,
      long seed,
      Heads heads,
      int named) {}

  /**
   * What came out.
   *
   * @param notes lines of what was chosen or guessed
   */
  public record Combined(PeftAdapter adapter, List<String> notes) {}

  private final List<Input> inputs;
  private final List<Map<String, LayerDelta>> layers = new ArrayList<>();
  private final Options options;
  private final Type type;
  private final int highest;
  private final List<String> notes = new ArrayList<>();

  private AdapterCombination(List<Input> inputs, Options options) {
    this.inputs = inputs;
    this.options = options;
    check();
    boolean alone = inputs.size() == 1;
    this.type = alone ? Type.LINEAR : options.type();
    if (alone && options.type() != Type.LINEAR) {
      notes.add("one adapter alone is combined as 'linear', as PEFT does: it is weighted");
    }
    for (Input input : inputs) {
      layers.add(layersOf(input));
    }
    highest =
        layers.stream()
            .flatMap(each -> each.values().stream())
            .mapToInt(LayerDelta::rank)
            .max()
            .orElse(1);
  }

  /**
   * Combines adapters.
   *
   * @throws LoraGraphException if there is none, they do not fit together, their ranks or heads
   *     differ where that is not possible, one is a DoRA or has NaN in it, or an option is not
   *     possible or not one of the type
   */
  public static Combined of(List<Input> inputs, Options options) {
    return new AdapterCombination(inputs, options).combined();
  }

  private void check() {
    if (inputs.isEmpty()) {
      throw new LoraGraphException("there is no adapter to combine");
    }
    for (Input input : inputs) {
      if (!Double.isFinite(input.weight())) {
        throw new LoraGraphException(
            "the weight of %s is %s, and no number".formatted(input.name(), input.weight()));
      }
    }
    if (options.type().prunes() != options.density().isPresent()) {
      throw new LoraGraphException(
          options.type().prunes()
              ? "'%s' needs a density, the share of entries that stay".formatted(options.type())
              : "'%s' drops no entries, so it takes no density".formatted(options.type()));
    }
    double density = options.density().orElse(1);
    if (!(density > 0 && density <= 1)) {
      throw new LoraGraphException(
          "the density has to be above 0 and at most 1, and is " + density);
    }
    if (options.rank().isPresent() && !options.type().decomposes) {
      throw new LoraGraphException(
          "'%s' has the rank of its adapters: only types with svd take another"
              .formatted(options.type()));
    }
    if (options.rank().orElse(1) < 1) {
      throw new LoraGraphException(
          "the rank has to be at least 1, and is " + options.rank().getAsInt());
    }
  }

  private static Map<String, LayerDelta> layersOf(Input input) {
    return named(
        input,
        () -> {
          input.adapter().config().requireSupported();
          if (input.adapter().config().useDora()) {
            throw new LoraGraphException(
                "it is a DoRA, whose weights are no sum of the base model's and its own: merge it, or train without DoRA");
          }
          Map<String, LayerDelta> deltas = new LinkedHashMap<>();
          input.adapter().layers().forEach((name, l) -> deltas.put(name, LayerDelta.of(l)));
          return deltas;
        });
  }

  private static <T> T named(Input input, Supplier<T> work) {
    try {
      return work.get();
    } catch (LoraGraphException e) {
      throw new LoraGraphException(input.name() + ": " + e.getMessage(), e);
    }
  }

  private Combined combined() {
    Set<String> modules = new TreeSet<>(NumberedNames.ORDER);
    layers.forEach(each -> modules.addAll(each.keySet()));
    noteMissing(modules);
    requirePossibleRank(modules);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    Map<String, Integer> ranks = new LinkedHashMap<>();
    Map<String, Double> alphas = new LinkedHashMap<>();
    for (String module : modules) {
      Pair pair = combined(module);
      ElementType elementType = elementType(module);
      String keyOfA = PeftLayer.keyOfA(module);
      String keyOfB = PeftLayer.keyOfB(module);
      tensors.put(keyOfA, LayerDelta.tensor(keyOfA, pair.a(), elementType));
      tensors.put(keyOfB, LayerDelta.tensor(keyOfB, pair.b(), elementType));
      ranks.put(module, pair.a().rows());
      alphas.put(module, (double) pair.a().rows());
    }
    tensors.putAll(heads());
    PeftConfig config = NewConfig.of(config(modules), ranks, alphas);
    return new Combined(new PeftAdapter(config, tensors), List.copyOf(notes));
  }

  private void noteMissing(Set<String> modules) {
    for (int i = 0; i < layers.size(); i++) {
      Set<String> missing = new TreeSet<>(NumberedNames.ORDER);
      missing.addAll(modules);
      missing.removeAll(layers.get(i).keySet());
      if (!missing.isEmpty()) {
        notes.add(
            "%s has no adapter of %d modules that others adapt (%s%s): these are combined without it"
                .formatted(
                    inputs.get(i).name(),
                    missing.size(),
                    missing.iterator().next(),
                    missing.size() > 1 ? ", ..." : ""));
      }
    }
    Set<String> bases =
        inputs.stream()
            .map(input -> input.adapter().config().baseModel())
            .filter(Objects::nonNull)
            .collect(Collectors.toCollection(TreeSet::new));
    if (bases.size() > 1) {
      notes.add(
          "the adapters name different base models (%s): a sum of such has no meaning unless these are the same"
              .formatted(String.join(", ", bases)));
    }
  }

  private void requirePossibleRank(Set<String> modules) {
    if (options.rank().isEmpty() || !type.decomposes) {
      return;
    }
    int rank = options.rank().getAsInt();
    int most = modules.stream().mapToInt(this::mostRank).max().orElse(rank);
    if (rank > most) {
      throw new LoraGraphException(
          "rank %d is more than the %d that '%s' of these adapters can have"
              .formatted(rank, most, type));
    }
  }

  /** The rank that the sum for a module can have. */
  private int mostRank(String module) {
    List<LayerDelta> deltas = of(module).stream().map(Weighted::delta).toList();
    int size = Math.min(deltas.get(0).in(), deltas.get(0).out());
    return type == Type.SVD
        ? Math.min(size, deltas.stream().mapToInt(LayerDelta::rank).sum())
        : size;
  }

  /** A factor pair: A (r, in), B (out, r). */
  private record Pair(Matrix a, Matrix b) {}

  private record Weighted(String name, LayerDelta delta, double weight, ElementType type) {}

  /** Who has an adapter for a module. */
  private List<Weighted> of(String module) {
    List<Weighted> all = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      LayerDelta delta = layers.get(i).get(module);
      if (delta != null) {
        Input input = inputs.get(i);
        Tensor a = Objects.requireNonNull(input.adapter().layers().get(module)).a();
        all.add(new Weighted(input.name(), delta, input.weight(), a.elementType()));
      }
    }
    for (Weighted each : all) {
      all.get(0).delta().requireSameSize(each.delta(), all.get(0).name(), each.name());
    }
    return all;
  }

  private ElementType elementType(String module) {
    List<ElementType> types = of(module).stream().map(Weighted::type).distinct().toList();
    return types.size() == 1 ? types.get(0) : ElementType.FLOAT;
  }

  private Pair combined(String module) {
    List<Weighted> all = of(module);
    if (type == Type.CAT || type == Type.SVD) {
      Pair cat = concatenated(all);
      if (type == Type.CAT) {
        return cat;
      }
      return pair(Svd.ofProduct(cat.b(), cat.a()).truncated(rank(module)));
    }
    SplittableRandom random = new SplittableRandom(options.seed() * 31 + module.hashCode());
    if (type.decomposes) {
      List<Matrix> deltas = all.stream().map(w -> w.delta().dense()).toList();
      double[] weights = all.stream().mapToDouble(Weighted::weight).toArray();
      return pair(Svd.leading(merged(deltas, weights, random), rank(module)));
    }
    requireOneRank(module, all);
    // The root of weight and scale goes to either factor, a sign to A alone.
    double[] counts = all.stream().mapToDouble(w -> w.weight() * w.delta().scale()).toArray();
    double[] ofB = Arrays.stream(counts).map(c -> Math.sqrt(Math.abs(c))).toArray();
    double[] ofA =
        Arrays.stream(counts).map(c -> Math.sqrt(Math.abs(c)) * (c >= 0 ? 1 : -1)).toArray();
    List<Matrix> a = all.stream().map(w -> w.delta().a()).toList();
    List<Matrix> b = all.stream().map(w -> w.delta().b()).toList();
    return new Pair(merged(a, ofA, random), merged(b, ofB, random));
  }

  private int rank(String module) {
    return Math.min(options.rank().orElse(highest), mostRank(module));
  }

  private Matrix merged(List<Matrix> matrices, double[] weights, SplittableRandom random) {
    return TaskArithmetic.merged(
        type.method,
        matrices,
        weights,
        options.density().orElse(1),
        options.majoritySign() == MajoritySign.FREQUENCY,
        random);
  }

  private static Pair concatenated(List<Weighted> all) {
    List<Matrix> a = new ArrayList<>();
    List<Matrix> b = new ArrayList<>();
    for (Weighted each : all) {
      a.add(each.delta().a().times(each.weight() * each.delta().scale()));
      b.add(each.delta().b().transposed());
    }
    return new Pair(Matrix.stacked(a), Matrix.stacked(b).transposed());
  }

  /** B = U diag(s) and A = V', as PEFT has them. */
  private static Pair pair(Svd svd) {
    return new Pair(svd.v().transposed(), svd.leftScaled());
  }

  private void requireOneRank(String module, List<Weighted> all) {
    for (Weighted each : all) {
      if (each.delta().rank() != all.get(0).delta().rank()) {
        throw new LoraGraphException(
            "'%s' needs adapters of one rank, and '%s' has %d in %s and %d in %s: use 'cat' or a type with svd, or resize one"
                .formatted(
                    type,
                    module,
                    all.get(0).delta().rank(),
                    all.get(0).name(),
                    each.delta().rank(),
                    each.name()));
      }
    }
  }

  /** The parameters that were trained in full. */
  private Map<String, Tensor> heads() {
    Map<String, List<Integer>> owners = new LinkedHashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      for (String key : inputs.get(i).adapter().others().keySet()) {
        owners.computeIfAbsent(key, k -> new ArrayList<>()).add(i);
      }
    }
    Map<String, Tensor> heads = new LinkedHashMap<>();
    Map<String, Set<String>> single = new LinkedHashMap<>();
    for (Map.Entry<String, List<Integer>> entry : owners.entrySet()) {
      String key = entry.getKey();
      List<Integer> owned = entry.getValue();
      Tensor first = full(owned.get(0), key);
      if (owned.stream().allMatch(i -> isSame(first, full(i, key)))) {
        heads.put(key, first);
        if (owned.size() < inputs.size()) {
          single
              .computeIfAbsent(inputs.get(owned.get(0)).name(), k -> new TreeSet<>())
              .add(PeftLayer.module(key));
        }
      } else {
        heads.put(key, ofSeveral(key, owned));
      }
    }
    single.forEach(
        (name, keys) ->
            notes.add(
                "%s is taken from %s as it is, since not all have it"
                    .formatted(
                        keys.iterator().next()
                            + (keys.size() > 1 ? " with %d others".formatted(keys.size() - 1) : ""),
                        name)));
    return heads;
  }

  private Tensor full(int input, String key) {
    return Objects.requireNonNull(inputs.get(input).adapter().others().get(key));
  }

  private static boolean isSame(Tensor one, Tensor other) {
    return one.type().equals(other.type()) && one.bytes().equals(other.bytes());
  }

  private Tensor ofSeveral(String key, List<Integer> owned) {
    String name = PeftLayer.module(key);
    if (options.heads() == Heads.NAMED) {
      // One that does not have it leaves it to the first that does.
      return full(owned.contains(options.named()) ? options.named() : owned.get(0), key);
    }
    if (options.heads() == Heads.REFUSED) {
      throw new LoraGraphException(
          "'%s' was trained in full, and differently, in %s and %s: say whose head is taken, or that it is their mean"
              .formatted(name, inputs.get(owned.get(0)).name(), inputs.get(owned.get(1)).name()));
    }
    Tensor first = full(owned.get(0), key);
    double[] sum = new double[Math.toIntExact(first.elementCount())];
    double weights = 0;
    for (int i : owned) {
      Tensor tensor = full(i, key);
      if (!tensor.shape().equals(first.shape())) {
        throw new LoraGraphException(
            "'%s' is %s in %s and %s in %s, so it has no mean: say whose head is taken"
                .formatted(
                    name,
                    first.shape(),
                    inputs.get(owned.get(0)).name(),
                    tensor.shape(),
                    inputs.get(i).name()));
      }
      double weight = inputs.get(i).weight();
      weights += weight;
      double[] values =
          named(
              inputs.get(i),
              () -> {
                LayerDelta.requireFinite(tensor);
                return tensor.toDoubles();
              });
      for (int k = 0; k < sum.length; k++) {
        sum[k] += weight * values[k];
      }
    }
    if (!(weights > 0)) {
      throw new LoraGraphException(
          "the weights sum to %s, so '%s' has no mean by them: say whose head is taken"
              .formatted(weights, name));
    }
    double divisor = weights;
    return LayerDelta.tensor(
        key, Arrays.stream(sum).map(v -> v / divisor).toArray(), first.elementType(), first.dims());
  }

  /** What the new adapter says of its modules: what the first does, where all say the same. */
  private PeftConfig config(Set<String> modules) {
    List<PeftConfig> all = inputs.stream().map(input -> input.adapter().config()).toList();
    PeftConfig config = all.get(0).with("use_rslora", false);
    List<String> choosing =
        List.of("target_modules", "exclude_modules", "layers_to_transform", "layers_pattern");
    boolean same =
        choosing.stream()
            .allMatch(
                key -> all.stream().allMatch(c -> Objects.equals(c.get(key), all.get(0).get(key))));
    if (!same) {
      config =
          config
              .with("target_modules", List.copyOf(modules))
              .with("layers_to_transform", null)
              .with("layers_pattern", null)
              .with("exclude_modules", null);
    }
    Set<String> saved = new TreeSet<>();
    all.forEach(c -> saved.addAll(c.modulesToSave()));
    if (!saved.isEmpty()) {
      config = config.with("modules_to_save", List.copyOf(saved));
    }
    for (String bias : List.of("lora_only", "all")) {
      if (all.stream().anyMatch(c -> c.bias().equals(bias))) {
        config = config.with("bias", bias);
      }
    }
    if (config.taskType() == null) {
      for (PeftConfig each : all) {
        if (each.taskType() != null) {
          return config.with("task_type", each.taskType());
        }
      }
    }
    return config;
  }
}
