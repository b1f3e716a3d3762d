package io.github.loragraph.adapter;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.lora.AdapterPlacement;
import io.github.loragraph.lora.InitializerUntying;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.Linear;
import io.github.loragraph.lora.LoraBias;
import io.github.loragraph.lora.LoraInit;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.LoraRemover;
import io.github.loragraph.lora.LoraVariant;
import io.github.loragraph.lora.NearestPaths;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.PeftAdapters;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Puts an adapter of PEFT's into a model. Each of its tensors gets a place, or is refused: those of
 * adapted modules beside the model's Linears, what was trained in full into the parameters of that
 * name. Numbers are moved and never computed with, so that {@link PeftExport} gives back the same
 * bits.
 *
 * <p>Long because each thing that an adapter may have is placed or refused here.
 */
public final class PeftImport {
  private static final int MOST_SUGGESTED = 3;

  /** What PEFT puts between the path of an adapted module and the name of its own parameter. */
  private static final String BASE_LAYER = ".base_layer.";

  private final OnnxModel base;
  private final PeftAdapter adapter;
  private final PeftConfig config;
  private final Consumer<String> notes;
  private final ModelParameters model;

  private PeftImport(OnnxModel base, PeftAdapter adapter, Consumer<String> notes) {
    this.base = base;
    this.adapter = adapter;
    this.config = adapter.config();
    this.notes = notes;
    this.model = new ModelParameters(base);
  }

  /**
   * The model with an adapter; the given one is left as it is.
   *
   * @param base the model that the adapter is for; adapters that it has are taken out
   * @throws LoraGraphException if the adapter asks for what is not supported, a tensor has no place
   *     in the model or another size there, or its configuration and its tensors contradict each
   *     other; the message names the key
   */
  public static OnnxModel into(OnnxModel base, PeftAdapter adapter) {
    return into(base, adapter, note -> {});
  }

  /**
   * The same with who hears what was guessed or left as it is, a line each.
   *
   * @throws LoraGraphException as {@link #into(OnnxModel, PeftAdapter)}
   */
  public static OnnxModel into(OnnxModel base, PeftAdapter adapter, Consumer<String> notes) {
    OnnxModel plain = LoraMetadata.of(base).isPresent() ? LoraRemover.remove(base) : base;
    return new PeftImport(plain, adapter, notes).imported();
  }

  private OnnxModel imported() {
    config.requireSupported();
    for (String key : config.unknownKeys()) {
      notes.accept(
          "%s has '%s', which is not known and counts for nothing here"
              .formatted(PeftConfig.FILE, key));
    }
    Map<String, PeftLayer> layers = adapter.layers();
    if (layers.isEmpty()) {
      throw new LoraGraphException(
          "it has no lora_A and lora_B (of its %d tensors the first is '%s')"
              .formatted(
                  adapter.tensors().size(),
                  adapter.keys().isEmpty() ? "none" : adapter.keys().get(0)));
    }
    PathPrefix prefix = prefix(layers.keySet());
    requireAgreement(layers.keySet(), prefix);
    noteTypes();
    Map<String, PeftLayer> byPath = new HashMap<>();
    for (PeftLayer layer : layers.values()) {
      byPath.put(linear(layer, prefix).path(), layer);
    }
    Map<String, Tensor> values = new LinkedHashMap<>();
    Set<String> placed = others(prefix, values);
    noteHead(placed);
    OnnxModel changed = values.isEmpty() ? base : InitializerUntying.withValues(base, values);
    LoraMetadata metadata = noted(byPath).orElseGet(() -> metadata(byPath, placed));
    OnnxModel adapted = AdapterPlacement.place(changed, metadata, tensors(metadata, byPath));
    return new ImportedConfig(config, prefix).putInto(adapted);
  }

  /** The tensors of all targets by the names that they have in the model. */
  private Map<String, Tensor> tensors(LoraMetadata metadata, Map<String, PeftLayer> layers) {
    Map<String, Tensor> tensors = new HashMap<>();
    for (LoraMetadata.Target target : metadata.targets()) {
      PeftLayer layer = Objects.requireNonNull(layers.get(target.path()));
      Tensor a = turned(layer.a());
      Tensor b = turned(layer.b());
      if (metadata.variant().init().isAnchored()) {
        int rank = target.rank();
        tensors.put(target.parameterA(), Matrices.columns(a, 0, rank));
        tensors.put(target.anchorA(), Matrices.columns(a, rank, 2 * rank));
        tensors.put(target.parameterB(), Matrices.rows(b, 0, rank));
        tensors.put(target.anchorB(), Matrices.negated(Matrices.rows(b, rank, 2 * rank)));
      } else {
        tensors.put(target.parameterA(), a);
        tensors.put(target.parameterB(), b);
      }
      if (layer.magnitude() != null) {
        Tensor magnitude = floats(layer.magnitude());
        tensors.put(
            target.magnitude(),
            Tensor.of(target.magnitude(), ElementType.FLOAT, magnitude.bytes(), layer.out()));
      }
    }
    return tensors;
  }

  /** Where the model has the adapter's modules. */
  private PathPrefix prefix(Collection<String> modules) {
    Set<String> paths = new LinkedHashSet<>();
    for (String path : model.linears().keySet()) {
      if (!PeftAdapters.isAdapter(path)) {
        paths.add(path);
      }
    }
    PathPrefix prefix = PathPrefix.between(modules, paths);
    if (prefix != null) {
      return prefix;
    }
    // The module that is the trouble is one that has no place by what places most.
    String lost = modules.iterator().next();
    for (String module : modules) {
      if (PathPrefix.between(List.of(module), paths) == null) {
        lost = module;
        break;
      }
    }
    throw noPlace(PeftLayer.keyOfA(lost), lost, paths);
  }

  private static LoraGraphException noPlace(String key, String module, Collection<String> paths) {
    return new LoraGraphException(
        "its '%s' has no place in the model: the nearest of its Linear layers are %s"
            .formatted(
                key,
                String.join(", ", NearestPaths.of(module, List.copyOf(paths), MOST_SUGGESTED))));
  }

  private Linear linear(PeftLayer layer, PathPrefix prefix) {
    Linear linear = model.linears().get(prefix.toModel(layer.module()));
    if (linear == null) {
      throw noPlace(layer.a().name(), layer.module(), model.linears().keySet());
    }
    if (linear.in() != layer.in() || linear.out() != layer.out()) {
      throw new LoraGraphException(
          "its '%s' is for a layer of %d to %d features, and '%s' of the model has %d to %d"
              .formatted(
                  layer.module(),
                  layer.in(),
                  layer.out(),
                  linear.path(),
                  linear.in(),
                  linear.out()));
    }
    return linear;
  }

  /** What the configuration says is adapted must be what has tensors. */
  private void requireAgreement(Collection<String> modules, PathPrefix prefix) {
    if (config.targetModules() == null) {
      return;
    }
    for (String module : modules) {
      if (!config.targets(module)) {
        throw new LoraGraphException(
            "it has tensors for '%s', which its target_modules do not choose".formatted(module));
      }
    }
    Set<String> kinds = new HashSet<>();
    modules.forEach(module -> kinds.add(kind(module)));
    List<String> without = new ArrayList<>();
    for (String path : model.linears().keySet()) {
      String module = prefix.toAdapter(path);
      if (modules.contains(module) || !config.targets(module) || PeftAdapters.isAdapter(path)) {
        continue;
      }
      if (kinds.contains(kind(module)) || isNamedInVain(module, modules)) {
        throw new LoraGraphException(
            "its target_modules choose '%s', and it has no tensors for it".formatted(module));
      }
      without.add(path);
    }
    if (!without.isEmpty() && !config.isAllLinear()) {
      notes.accept(
          "the adapter's target_modules would choose '%s'%s of the model as well, for which it has nothing: left as it is"
              .formatted(
                  without.get(0),
                  without.size() == 1 ? "" : " and %d more".formatted(without.size() - 1)));
    }
  }

  /** Whether a name of target_modules chooses a module, and none of those that have tensors. */
  private boolean isNamedInVain(String module, Collection<String> modules) {
    ModuleNames targets = config.targetModules();
    return targets != null
        && targets.names() != null
        && targets.names().stream()
            .filter(name -> ModuleSuffixes.endsIn(module, name))
            .anyMatch(name -> modules.stream().noneMatch(m -> ModuleSuffixes.endsIn(m, name)));
  }

  /** What the modules of all layers of a kind have in common. */
  private static String kind(String module) {
    return module.replaceAll("(?<=\\.|^)\\d+(?=\\.|$)", "#");
  }

  private Tensor turned(Tensor tensor) {
    return Matrices.transposed(floats(tensor), tensor.name());
  }

  private Tensor floats(Tensor tensor) {
    if (!tensor.elementType().isFloatingPoint()) {
      throw new LoraGraphException(
          "its '%s' is of type %s, and must be of floating-point numbers"
              .formatted(tensor.name(), tensor.elementType()));
    }
    return Matrices.toFloat(tensor);
  }

  /**
   * Finds the places of what was trained in full.
   *
   * @param values gets the numbers by the names of the parameters' values
   * @return the names of the parameters
   */
  private Set<String> others(PathPrefix prefix, Map<String, Tensor> values) {
    Set<String> placed = new LinkedHashSet<>();
    IdentityHashMap<Parameter, Set<String>> keys = new IdentityHashMap<>();
    for (Map.Entry<String, Tensor> other : adapter.others().entrySet()) {
      String key = other.getKey();
      if (key.contains(".original_module.")) {
        notes.accept(
            "the adapter's '%s' is the layer from before its training: left out".formatted(key));
        continue;
      }
      Parameter parameter = parameter(key, prefix);
      Tensor tensor = floats(other.getValue());
      if (!Arrays.equals(tensor.dims(), model.dims(parameter))) {
        throw new LoraGraphException(
            "its '%s' has shape %s, and '%s' of the model has %s"
                .formatted(
                    key,
                    Arrays.toString(tensor.dims()),
                    parameter.name(),
                    Arrays.toString(model.dims(parameter))));
      }
      Tensor written = model.written(parameter, tensor);
      Tensor before = values.put(parameter.value(), written);
      if (before != null && !before.bytes().equals(written.bytes())) {
        throw new LoraGraphException(
            "its '%s' and another of its tensors are both for '%s' of the model, and differ"
                .formatted(key, parameter.name()));
      }
      placed.add(parameter.name());
      keys.computeIfAbsent(parameter, k -> new HashSet<>()).add(key);
    }
    keys.forEach(PeftImport::requireWhole);
    return placed;
  }

  /**
   * A parameter that is tied gets its numbers in all of its places, so the adapter must have the
   * same for each of them: PEFT trains a copy of one alone.
   */
  private static void requireWhole(Parameter parameter, Set<String> keys) {
    if (keys.size() < 1 + parameter.copies().size()) {
      throw new LoraGraphException(
          "its '%s' is one of several that are tied in the model ('%s', '%s'), and it has not the same for all: not supported"
              .formatted(
                  keys.iterator().next(), parameter.name(), parameter.copies().get(0).name()));
    }
  }

  private Parameter parameter(String key, PathPrefix prefix) {
    String name =
        PeftLayer.module(key)
            .replace(".modules_to_save.default.", ".")
            .replace(".modules_to_save.", ".");
    if (name.contains(BASE_LAYER) && name.endsWith(".bias") && config.bias().equals("none")) {
      throw new LoraGraphException(
          "it has '%s', and its bias is none, as if no bias were trained".formatted(key));
    }
    name = name.replace(BASE_LAYER, ".");
    for (String place : prefix.placesOf(name)) {
      Parameter parameter = model.get(place);
      if (parameter != null) {
        return parameter;
      }
    }
    if (isOfHead(name) && !hasHead()) {
      throw new LoraGraphException(
          "its '%s' is of a head, and the model has none".formatted(key), Remedy.ADD_HEAD);
    }
    throw new LoraGraphException(
        "its '%s' has no place in the model: the nearest of its parameters are %s"
            .formatted(
                key,
                String.join(
                    ", ", NearestPaths.of(name, List.copyOf(model.names()), MOST_SUGGESTED))));
  }

  private boolean hasHead() {
    return model.names().stream().anyMatch(PeftImport::isOfHead);
  }

  private static boolean isOfHead(String parameter) {
    return InjectionOptions.DEFAULT_HEAD.matcher(ModelParameters.moduleOf(parameter)).find();
  }

  /**
   * PEFT says nothing where an adapter has no head, and the model answers with an untrained one.
   */
  private void noteHead(Set<String> placed) {
    List<String> left =
        model.names().stream()
            .filter(name -> isOfHead(name) && !placed.contains(name))
            .map(ModelParameters::moduleOf)
            .distinct()
            .toList();
    if (!left.isEmpty()) {
      notes.accept(
          "the adapter has nothing for the model's head (%s), which stays as it is"
              .formatted(String.join(", ", left)));
    }
  }

  /** Numbers of 16 bits are exactly such of 32; those of 64 are rounded. */
  private void noteTypes() {
    Map<ElementType, Long> counts =
        adapter.tensors().values().stream()
            .collect(
                Collectors.groupingBy(Tensor::elementType, TreeMap::new, Collectors.counting()));
    counts.keySet().removeIf(type -> type == ElementType.FLOAT || !type.isFloatingPoint());
    counts.forEach(
        (type, count) ->
            notes.accept(
                "%d of the adapter's tensors are in %s, and %s FLOAT"
                    .formatted(
                        count, type, type == ElementType.DOUBLE ? "rounded to" : "put in as")));
  }

  /**
   * What lora-graph noted of its own adapter, where it is true of this model; empty where the
   * adapter is from elsewhere.
   */
  private Optional<LoraMetadata> noted(Map<String, PeftLayer> layers) {
    String json = adapter.metadata().get(PeftAdapter.LORA_GRAPH);
    if (json == null) {
      return Optional.empty();
    }
    LoraMetadata noted;
    try {
      noted = LoraMetadata.parse(json);
    } catch (LoraGraphException e) {
      throw new LoraGraphException(
          "the '%s' metadata of its %s is malformed, or of a newer version: export the adapter again"
              .formatted(PeftAdapter.LORA_GRAPH, PeftAdapter.TENSORS_FILE),
          e);
    }
    Set<String> names = new HashSet<>(model.names());
    int ranks = noted.variant().init().isAnchored() ? 2 : 1;
    boolean fits = noted.targets().size() == layers.size();
    for (LoraMetadata.Target target : noted.targets()) {
      names.addAll(List.of(target.parameterA(), target.parameterB(), target.magnitude()));
      PeftLayer layer = layers.get(target.path());
      fits &=
          layer != null
              && layer.rank() == ranks * target.rank()
              && (float) layer.scale() == (float) noted.scale(target)
              && (layer.magnitude() != null) == noted.variant().useDora();
    }
    fits &= names.containsAll(noted.trainable()) && names.containsAll(noted.head());
    if (!fits) {
      notes.accept(
          "what the adapter notes of its injection is of a model with other names, and left out");
      return Optional.empty();
    }
    return Optional.of(noted);
  }

  private LoraMetadata metadata(Map<String, PeftLayer> layers, Set<String> placed) {
    List<LoraMetadata.Target> ordered = new ArrayList<>();
    Set<String> trainable = new LinkedHashSet<>();
    for (String path : model.linears().keySet()) {
      PeftLayer layer = layers.get(path);
      if (layer != null) {
        LoraMetadata.Target target = new LoraMetadata.Target(path, layer.rank(), layer.alpha());
        ordered.add(target);
        trainable.add(target.parameterA());
        trainable.add(target.parameterB());
        if (config.useDora()) {
          trainable.add(target.magnitude());
        }
      }
    }
    List<String> head = model.names().stream().filter(PeftImport::isOfHead).toList();
    trainable.addAll(head);
    trainable.addAll(placed);
    LoraVariant variant =
        new LoraVariant(
            config.useRslora(),
            config.useDora(),
            LoraInit.NORMAL,
            LoraBias.valueOf(config.bias().toUpperCase(Locale.ROOT)));
    List<String> ends =
        ordered.stream()
            .map(target -> target.path().substring(target.path().lastIndexOf('.') + 1))
            .distinct()
            .map(Pattern::quote)
            .toList();
    return new LoraMetadata(
        LoraMetadata.formatOf(variant),
        LoraInjector.toolVersion(),
        "(^|\\.)(%s)$".formatted(String.join("|", ends)),
        config.rank(),
        config.alpha(),
        0,
        variant,
        ordered,
        head,
        List.copyOf(trainable));
  }
}
