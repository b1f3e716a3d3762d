package io.github.loragraph.adapter;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.Linear;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.PeftAdapters;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Takes the adapter out of a model, in PEFT's form: lora_A (r, in) and lora_B (out, r) of each
 * adapted module, and what was trained in full besides. Numbers are moved and never computed with.
 *
 * <p>Long because what PEFT's files say is put together here alone.
 */
public final class PeftExport {
  private static final Map<String, List<String>> HEADS =
      Map.of(
          "SEQ_CLS", List.of("classifier", "score"),
          "TOKEN_CLS", List.of("classifier", "score"),
          "QUESTION_ANS", List.of("qa_outputs"));

  private static final String BIAS = ".bias";
  private static final String ALL = "all";
  private static final String LORA_ONLY = "lora_only";

  private final OnnxModel injected;
  private final LoraMetadata metadata;
  private final About about;
  private final ModelParameters model;
  private final @Nullable ImportedConfig imported;
  private final PathPrefix prefix;
  private final Set<String> adapted;

  /**
   * What the model's graph does not say.
   *
   * @param baseModel what the base model is called, as Hugging Face's hub has it; null where that
   *     is not known
   * @param taskType PEFT's word for the task, as SEQ_CLS; null for none
   * @param prefix what the module paths have in front in PyTorch and not in the model, as {@code
   *     bert}; empty for nothing, null for what it had when it was imported
   */
  public record About(
      @Nullable String baseModel, @Nullable String taskType, @Nullable String prefix) {
    /** Nothing is known. */
    public static final About NOTHING = new About(null, null, null);
  }

  private PeftExport(OnnxModel injected, About about) {
    this.injected = injected;
    this.metadata = LoraMetadata.require(injected);
    this.about = about;
    this.model = new ModelParameters(injected);
    this.imported = ImportedConfig.of(injected).orElse(null);
    this.prefix = prefix(about.prefix, imported);
    this.adapted =
        metadata.targets().stream()
            .map(LoraMetadata.Target::path)
            .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  private static PathPrefix prefix(@Nullable String given, @Nullable ImportedConfig imported) {
    if (given != null) {
      return given.isEmpty() ? PathPrefix.NONE : new PathPrefix(given + ".", "");
    }
    return imported == null ? PathPrefix.NONE : imported.prefix();
  }

  /**
   * The adapter of a model.
   *
   * @throws LoraGraphException if the model has none, or trains a parameter that PEFT's form has no
   *     place for
   */
  public static PeftAdapter of(OnnxModel injected) {
    return of(injected, About.NOTHING);
  }

  /**
   * The same with what the graph does not say.
   *
   * @throws LoraGraphException as {@link #of(OnnxModel)}
   */
  public static PeftAdapter of(OnnxModel injected, About about) {
    return injected.namingFile(() -> new PeftExport(injected, about).exported());
  }

  private PeftAdapter exported() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (LoraMetadata.Target target : metadata.targets()) {
      String module = prefix.toAdapter(target.path());
      Tensor a = initializer(target.parameterA());
      Tensor b = initializer(target.parameterB());
      if (metadata.variant().init().isAnchored()) {
        // A B - A0 B0 as one product of twice the rank.
        a = Matrices.sideBySide(a, initializer(target.anchorA()));
        b = Matrices.stacked(b, Matrices.negated(initializer(target.anchorB())));
      }
      put(tensors, Matrices.transposed(a, PeftLayer.keyOfA(module)));
      put(tensors, Matrices.transposed(b, PeftLayer.keyOfB(module)));
      if (metadata.variant().useDora()) {
        Tensor magnitude = initializer(target.magnitude());
        put(tensors, magnitude.withName(PeftLayer.keyOfMagnitude(module)));
      }
    }
    Trained trained = trained();
    for (String module : trained.modules) {
      for (String name : model.namesIn(module)) {
        put(tensors, model.read(parameter(name), keyOf(name, "")));
      }
    }
    for (String name : trained.biases) {
      String module = ModelParameters.moduleOf(name);
      put(
          tensors,
          model.read(parameter(name), keyOf(name, adapted.contains(module) ? "base_layer." : "")));
    }
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put("format", "pt");
    texts.put(PeftAdapter.LORA_GRAPH, metadata.toJson());
    return new PeftAdapter(config(trained), tensors, texts);
  }

  private Tensor initializer(String name) {
    return Objects.requireNonNull(injected.graph().initializer(name));
  }

  private static void put(Map<String, Tensor> tensors, Tensor tensor) {
    tensors.put(tensor.name(), tensor);
  }

  private Parameter parameter(String name) {
    return Objects.requireNonNull(model.get(name));
  }

  /** The key of a parameter that was trained in full. */
  private String keyOf(String name, String between) {
    String path = isOfHead(name) ? name : prefix.toAdapter(name);
    int dot = path.lastIndexOf('.') + 1;
    return PeftAdapter.PREFIX + path.substring(0, dot) + between + path.substring(dot);
  }

  private boolean isOfHead(String name) {
    return metadata.head().contains(name)
        || InjectionOptions.DEFAULT_HEAD.matcher(ModelParameters.moduleOf(name)).find();
  }

  /**
   * What is trained besides the adapters.
   *
   * @param modules those of which all parameters are saved
   * @param biases the names of biases that are saved by themselves
   * @param mode PEFT's word for which biases those are
   */
  private record Trained(Set<String> modules, Set<String> biases, String mode) {}

  private Trained trained() {
    Set<String> modules = new LinkedHashSet<>();
    Set<String> biases = new LinkedHashSet<>();
    for (String name : metadata.trainable()) {
      if (LoraMetadata.isAdapterWeight(name)) {
        continue;
      }
      Parameter parameter = model.get(name);
      if (parameter == null) {
        throw new LoraGraphException(
            "the model trains '%s', and has no such parameter".formatted(name));
      }
      String module = ModelParameters.moduleOf(name);
      if (isOfHead(name)) {
        modules.add(headOf(module));
      } else if (name.endsWith(BIAS)) {
        biases.add(name);
      } else if (module.isEmpty() || containsAdapted(module)) {
        throw new LoraGraphException(
            "the model trains '%s', which has no place in PEFT's form: %s"
                .formatted(
                    name,
                    module.isEmpty()
                        ? "it belongs to no module"
                        : "its layer has an adapter as well"));
      } else {
        modules.add(module);
        parameter.copies().forEach(copy -> modules.add(ModelParameters.moduleOf(copy.name())));
      }
    }
    biases.removeIf(name -> modules.stream().anyMatch(m -> name.startsWith(m + ".")));
    return new Trained(modules, allOf(biases, modules), mode(biases));
  }

  private boolean containsAdapted(String module) {
    return adapted.stream().anyMatch(path -> path.equals(module) || path.startsWith(module + "."));
  }

  /** The head's outermost module, as PEFT saves it whole. */
  private static String headOf(String module) {
    Matcher head = InjectionOptions.DEFAULT_HEAD.matcher(module);
    return head.find() ? module.substring(0, head.end(3)) : module;
  }

  private String mode(Set<String> biases) {
    if (biases.isEmpty()) {
      return imported == null ? "none" : imported.config().bias();
    }
    return biases.stream().allMatch(b -> adapted.contains(ModelParameters.moduleOf(b)))
        ? LORA_ONLY
        : ALL;
  }

  /** PEFT saves all biases of a kind, where one is trained. */
  private Set<String> allOf(Set<String> biases, Set<String> modules) {
    String mode = mode(biases);
    Set<String> all = new LinkedHashSet<>();
    for (String name : model.names()) {
      boolean wanted =
          name.endsWith(BIAS)
              && (mode.equals(ALL)
                  || mode.equals(LORA_ONLY) && adapted.contains(ModelParameters.moduleOf(name)));
      if (wanted && modules.stream().noneMatch(m -> name.startsWith(m + "."))) {
        all.add(name);
      }
    }
    return all;
  }

  private PeftConfig config(Trained trained) {
    PeftConfig config = imported == null ? PeftConfig.defaults() : imported.config();
    if (about.taskType != null) {
      config = config.with("task_type", about.taskType);
    }
    if (about.baseModel != null) {
      config = config.with("base_model_name_or_path", about.baseModel);
    }
    if (imported != null && saysTheSame(config)) {
      return config;
    }
    config =
        withRanks(config)
            .with("use_rslora", metadata.variant().useRslora())
            .with("use_dora", metadata.variant().useDora())
            .with("init_lora_weights", start());
    List<String> saved = new ArrayList<>(modulesToSave(config.taskType(), trained.modules));
    return config
        .with("bias", trained.mode)
        .with("fan_in_fan_out", hasConv1D())
        .with("modules_to_save", saved.isEmpty() ? null : saved)
        .with("target_modules", targetModules(trained.modules));
  }

  private int rank(LoraMetadata.Target target) {
    return metadata.variant().init().isAnchored() ? 2 * target.rank() : target.rank();
  }

  /** So that the scale of the rank that is written is the model's. */
  private double alpha(LoraMetadata.Target target) {
    if (!metadata.variant().init().isAnchored()) {
      return target.alpha();
    }
    return target.alpha() * (metadata.variant().useRslora() ? Math.sqrt(2) : 2);
  }

  /** Whether an imported configuration is still true of the model's adapters. */
  private boolean saysTheSame(PeftConfig config) {
    boolean sameKind =
        config.useRslora() == metadata.variant().useRslora()
            && config.useDora() == metadata.variant().useDora();
    return sameKind
        && metadata.targets().stream()
            .allMatch(
                target -> {
                  String module = prefix.toAdapter(target.path());
                  return config.rank(module) == rank(target)
                      && config.alpha(module) == alpha(target)
                      && (config.targetModules() == null || config.targets(module));
                });
  }

  private PeftConfig withRanks(PeftConfig config) {
    Function<LoraMetadata.Target, Integer> rank = this::rank;
    Function<LoraMetadata.Target, Double> alpha = this::alpha;
    int usualRank = usual(metadata.targets(), rank);
    double usualAlpha = usual(metadata.targets(), alpha);
    return config
        .with("r", usualRank)
        .withAlpha(usualAlpha)
        .with("rank_pattern", pattern(rank, usualRank))
        .with("alpha_pattern", wholeNumbers(pattern(alpha, usualAlpha)));
  }

  /** The value that most have; of several the one that comes first. */
  private static <T> T usual(
      List<LoraMetadata.Target> targets, Function<LoraMetadata.Target, T> value) {
    Map<T, Integer> counts = new LinkedHashMap<>();
    targets.forEach(target -> counts.merge(value.apply(target), 1, Integer::sum));
    T usual = value.apply(targets.get(0));
    for (Map.Entry<T, Integer> count : counts.entrySet()) {
      if (count.getValue() > Objects.requireNonNull(counts.get(usual))) {
        usual = count.getKey();
      }
    }
    return usual;
  }

  /** Values that differ from the usual one, by the shortest ends of paths that tell them. */
  private <T> Map<String, T> pattern(Function<LoraMetadata.Target, T> value, T usual) {
    Map<T, Set<String>> paths = new LinkedHashMap<>();
    for (LoraMetadata.Target target : metadata.targets()) {
      paths
          .computeIfAbsent(value.apply(target), k -> new LinkedHashSet<>())
          .add(prefix.toAdapter(target.path()));
    }
    Map<String, T> pattern = new LinkedHashMap<>();
    for (Map.Entry<T, Set<String>> group : paths.entrySet()) {
      if (!group.getKey().equals(usual)) {
        Set<String> others = new LinkedHashSet<>();
        metadata.targets().forEach(target -> others.add(prefix.toAdapter(target.path())));
        others.removeAll(group.getValue());
        ModuleSuffixes.of(group.getValue(), others)
            .forEach(suffix -> pattern.put(suffix, group.getKey()));
      }
    }
    return pattern;
  }

  /**
   * PEFT's word for how lora_A and lora_B began, which PEFT asks for again where it resets them.
   */
  private Object start() {
    return switch (metadata.variant().init()) {
      case GAUSSIAN -> "gaussian";
      case ORTHOGONAL -> "orthogonal";
      case NORMAL, KAIMING, PISSA, OLORA -> true;
    };
  }

  private static Map<String, Number> wholeNumbers(Map<String, Double> pattern) {
    Map<String, Number> numbers = new LinkedHashMap<>();
    pattern.forEach((key, value) -> numbers.put(key, PeftConfig.wholeWherePossible(value)));
    return numbers;
  }

  private boolean hasConv1D() {
    return adapted.stream()
        .map(path -> model.linears().get(path))
        .anyMatch(linear -> linear != null && ModelParameters.isConv1D(linear));
  }

  private List<String> modulesToSave(@Nullable String taskType, Set<String> modules) {
    Set<String> saved =
        new LinkedHashSet<>(taskType == null ? List.of() : HEADS.getOrDefault(taskType, List.of()));
    for (String module : modules) {
      String path = isHead(module) ? module : prefix.toAdapter(module);
      if (saved.stream().noneMatch(path::endsWith)) {
        saved.add(path);
      }
    }
    return List.copyOf(saved);
  }

  private boolean isHead(String module) {
    return isOfHead(module + ".weight");
  }

  private List<String> targetModules(Collection<String> saved) {
    Set<String> chosen = new LinkedHashSet<>();
    adapted.forEach(path -> chosen.add(prefix.toAdapter(path)));
    Set<String> others = new LinkedHashSet<>();
    for (Map.Entry<String, Linear> linear : model.linears().entrySet()) {
      String path = linear.getKey();
      if (saved.stream().noneMatch(m -> path.equals(m) || path.startsWith(m + "."))
          && !PeftAdapters.isAdapter(path)) {
        others.add(prefix.toAdapter(path));
      }
    }
    for (String name : model.names()) {
      if (!LoraMetadata.isAdapterWeight(name) && !isOfHead(name)) {
        others.add(prefix.toAdapter(ModelParameters.moduleOf(name)));
      }
    }
    others.removeAll(chosen);
    return ModuleSuffixes.of(chosen, others);
  }
}
