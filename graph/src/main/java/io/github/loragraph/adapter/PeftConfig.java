package io.github.loragraph.adapter;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.InputFile;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import org.jspecify.annotations.Nullable;

/**
 * {@code adapter_config.json} of PEFT (Hugging Face), of any version since 0.2: what an adapter is
 * of and how it counts. Keys that this version does not know are kept. Never changes.
 *
 * <p>Long because each of PEFT's keys is read, checked and named here, and nowhere else.
 */
public final class PeftConfig {
  /** The name of the file in an adapter's folder. */
  public static final String FILE = "adapter_config.json";

  /** The rank, and the alpha, of a file that does not say them. */
  private static final int DEFAULT_RANK = 8;

  private static final int MOST_BYTES = 16 << 20;

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** What PEFT writes where nothing is asked for, in a version that most others read. */
  private static final String DEFAULTS =
      """
      {"alpha_pattern": {}, "auto_mapping": null, "base_model_name_or_path": null, "bias": "none",
       "fan_in_fan_out": false, "inference_mode": true, "init_lora_weights": true,
       "layer_replication": null, "layers_pattern": null, "layers_to_transform": null,
       "loftq_config": {}, "lora_alpha": 8, "lora_bias": false, "lora_dropout": 0.0,
       "modules_to_save": null, "peft_type": "LORA", "r": 8, "rank_pattern": {}, "revision": null,
       "target_modules": null, "task_type": null, "use_dora": false, "use_rslora": false}
      """;

  /** Keys that say nothing about what the adapter computes, or only how it was trained. */
  private static final Set<String> WITHOUT_EFFECT =
      Set.of(
          "auto_mapping",
          "base_model_name_or_path",
          "corda_config",
          "eva_config",
          "inference_mode",
          "loftq_config",
          "lora_dropout",
          "lora_ga_config",
          "megatron_core",
          "merge_weights",
          "peft_version",
          "qalora_group_size",
          "revision",
          "runtime_config",
          "task_type",
          "velora_config");

  private static final Set<String> READ =
      Set.of(
          "alpha_pattern",
          "bias",
          "exclude_modules",
          "fan_in_fan_out",
          "init_lora_weights",
          "layers_pattern",
          "layers_to_transform",
          "lora_alpha",
          "modules_to_save",
          "peft_type",
          "r",
          "rank_pattern",
          "target_modules",
          "use_dora",
          "use_rslora");

  /** What changes the computation and is not done here, each with what it is. */
  private static final Map<String, String> REFUSED =
      Map.ofEntries(
          Map.entry("alora_invocation_tokens", "activated LoRA"),
          Map.entry("arrow_config", "Arrow, a router between adapters"),
          Map.entry("enable_lora", "LoRA on parts of a layer"),
          Map.entry("ensure_weight_tying", "adapters of tied layers"),
          Map.entry("kasa_config", "KaSA, which changes the base model"),
          Map.entry("layer_replication", "layers that are there several times"),
          Map.entry("lora_bias", "a bias in lora_B"),
          Map.entry("megatron_config", "Megatron's parallel layers"),
          Map.entry("monteclora_config", "MonteCLoRA, which draws at random"),
          Map.entry("target_parameters", "adapters of parameters that are no layer's weight"),
          Map.entry("trainable_token_indices", "single rows of an embedding"),
          Map.entry("use_bdlora", "block-diagonal LoRA"),
          Map.entry("use_qalora", "QA-LoRA"));

  /** The ways to start that leave the base model as it is. */
  private static final Set<String> PLAIN_STARTS = Set.of("gaussian", "orthogonal", "eva");

  private final ObjectNode json;

  private PeftConfig(ObjectNode json) {
    this.json = json;
    check();
  }

  /** What PEFT writes for an adapter about which nothing is said. */
  public static PeftConfig defaults() {
    return parse(DEFAULTS);
  }

  /**
   * Reads a file.
   *
   * @throws LoraGraphException if it cannot be read, or is no such configuration; the message names
   *     it
   */
  public static PeftConfig read(Path file) {
    InputFile.requireOrdinary(file);
    String text;
    try {
      if (Files.size(file) > MOST_BYTES) {
        throw new LoraGraphException(file + " is larger than 16 MB: is that the right file?");
      }
      text = Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new LoraGraphException(file + " is not in UTF-8", e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
    return LoraGraphException.in(file, () -> parse(text));
  }

  /**
   * Reads the JSON.
   *
   * @throws LoraGraphException if it is none, or a value is not of its key's kind
   */
  public static PeftConfig parse(String text) {
    JsonNode tree;
    try {
      tree = JSON.readTree(text);
    } catch (JsonParseException e) {
      String message = e.getOriginalMessage();
      throw new LoraGraphException(
          message.startsWith("Duplicate field")
              ? "it has a key twice (%s)"
                  .formatted(message.substring("Duplicate field".length()).strip())
              : "it is no JSON (line %d, column %d)"
                  .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr()),
          e);
    } catch (JsonProcessingException e) {
      throw new LoraGraphException("it is no JSON that can be read", e);
    }
    if (!(tree instanceof ObjectNode object)) {
      throw new LoraGraphException("it is no JSON object with PEFT's configuration");
    }
    return new PeftConfig(object);
  }

  private void check() {
    String type = string("peft_type");
    if (type == null) {
      throw new LoraGraphException("it has no peft_type: is it an adapter's configuration?");
    }
    if (!type.equals("LORA")) {
      throw new LoraGraphException("its peft_type is '%s', and only LORA is read".formatted(type));
    }
    if (rank() < 1) {
      throw new LoraGraphException("its r is %d, and must be at least 1".formatted(rank()));
    }
    requirePositive("lora_alpha", alpha());
    if (!Set.of("none", "all", "lora_only").contains(bias())) {
      throw new LoraGraphException(
          "its bias is '%s', and must be none, all or lora_only".formatted(bias()));
    }
    rankPattern().forEach(PeftConfig::requirePattern);
    alphaPattern().forEach(PeftConfig::requirePattern);
    for (String flag : List.of("fan_in_fan_out", "use_dora", "use_rslora", "lora_bias")) {
      flag(flag);
    }
    targetModules();
    excludeModules();
    modulesToSave();
    layersToTransform();
    layersPattern();
    for (String key : List.of("base_model_name_or_path", "revision", "task_type")) {
      string(key);
    }
    JsonNode start = json.path("init_lora_weights");
    if (!isAbsent(start) && !start.isBoolean() && !start.isTextual()) {
      throw wrong("init_lora_weights", "true, false or a name");
    }
  }

  private static void requirePattern(String key, Number value) {
    ModuleNames.compile(key);
    requirePositive("pattern '%s'".formatted(key), value.doubleValue());
  }

  private static void requirePositive(String what, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw new LoraGraphException(
          "its %s is %s, and must be a positive number".formatted(what, value));
    }
  }

  /**
   * Refuses what is not computed here.
   *
   * @throws LoraGraphException if the configuration asks for such a thing, which is named
   */
  public void requireSupported() {
    json.properties()
        .forEach(
            field -> {
              String what = REFUSED.get(field.getKey());
              if (what != null && !isOff(field.getValue())) {
                throw new LoraGraphException(
                    "it asks for %s (%s), which is not supported".formatted(field.getKey(), what));
              }
            });
    JsonNode start = json.path("init_lora_weights");
    if (start.isTextual() && !PLAIN_STARTS.contains(start.textValue())) {
      throw new LoraGraphException(
          "its init_lora_weights is '%s', which may have changed the base model: save it from PEFT with path_initial_model_for_weight_conversion, which makes a plain LoRA of it"
              .formatted(start.textValue()));
    }
  }

  private static boolean isOff(JsonNode value) {
    return isAbsent(value)
        || value.isBoolean() && !value.booleanValue()
        || value.isContainerNode() && value.isEmpty();
  }

  private static boolean isAbsent(JsonNode value) {
    return value.isMissingNode() || value.isNull();
  }

  /** Keys with a value that this version does not know, as PEFT may have got them since. */
  public List<String> unknownKeys() {
    List<String> unknown = new ArrayList<>();
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      String key = field.getKey();
      if (!READ.contains(key)
          && !WITHOUT_EFFECT.contains(key)
          && !REFUSED.containsKey(key)
          && !isOff(field.getValue())) {
        unknown.add(key);
      }
    }
    return unknown;
  }

  /** r where no pattern says another. */
  public int rank() {
    JsonNode value = json.path("r");
    if (isAbsent(value)) {
      return DEFAULT_RANK;
    }
    if (!value.isIntegralNumber() || !value.canConvertToInt()) {
      throw wrong("r", "a whole number");
    }
    return value.intValue();
  }

  /** lora_alpha where no pattern says another. */
  public double alpha() {
    JsonNode value = json.path("lora_alpha");
    if (isAbsent(value)) {
      return DEFAULT_RANK;
    }
    if (!value.isNumber()) {
      throw wrong("lora_alpha", "a number");
    }
    return value.doubleValue();
  }

  /** Ranks of modules that have another, by expressions; the first that matches counts. */
  public Map<String, Integer> rankPattern() {
    Map<String, Integer> pattern = new LinkedHashMap<>();
    object("rank_pattern")
        .forEach(
            (key, value) -> {
              if (!value.isIntegralNumber() || !value.canConvertToInt()) {
                throw wrong("rank_pattern", "whole numbers by names");
              }
              pattern.put(key, value.intValue());
            });
    return pattern;
  }

  /** Alphas of modules that have another, by expressions; the first that matches counts. */
  public Map<String, Double> alphaPattern() {
    Map<String, Double> pattern = new LinkedHashMap<>();
    object("alpha_pattern")
        .forEach(
            (key, value) -> {
              if (!value.isNumber()) {
                throw wrong("alpha_pattern", "numbers by names");
              }
              pattern.put(key, value.doubleValue());
            });
    return pattern;
  }

  private Map<String, JsonNode> object(String key) {
    JsonNode value = json.path(key);
    if (isAbsent(value)) {
      return Map.of();
    }
    if (!value.isObject()) {
      throw wrong(key, "an object");
    }
    Map<String, JsonNode> fields = new LinkedHashMap<>();
    value.properties().forEach(e -> fields.put(e.getKey(), e.getValue()));
    return fields;
  }

  /**
   * The rank of one module.
   *
   * @param module its path in the base model
   */
  public int rank(String module) {
    return patternOf(rankPattern(), module, rank());
  }

  /**
   * The alpha of one module.
   *
   * @param module its path in the base model
   */
  public double alpha(String module) {
    return patternOf(alphaPattern(), module, alpha());
  }

  /** What the branch of a module is multiplied by: alpha / r, or alpha / sqrt(r). */
  public double scale(String module) {
    double rank = rank(module);
    return alpha(module) / (useRslora() ? Math.sqrt(rank) : rank);
  }

  private static <T> T patternOf(Map<String, T> pattern, String module, T other) {
    for (Map.Entry<String, T> entry : pattern.entrySet()) {
      if (ModuleNames.matches("(.*\\.)?(" + entry.getKey() + ")", module)) {
        return entry.getValue();
      }
    }
    return other;
  }

  /** Whether the scale is alpha / sqrt(r) (rsLoRA). */
  public boolean useRslora() {
    return flag("use_rslora");
  }

  /** Whether modules have a magnitude of their own (DoRA). */
  public boolean useDora() {
    return flag("use_dora");
  }

  /** Whether the base model's weights are (in, out), as GPT-2's; lora_A and lora_B are not. */
  public boolean fanInFanOut() {
    return flag("fan_in_fan_out");
  }

  private boolean flag(String key) {
    JsonNode value = json.path(key);
    if (isAbsent(value)) {
      return false;
    }
    if (!value.isBoolean()) {
      throw wrong(key, "true or false");
    }
    return value.booleanValue();
  }

  /** Which biases the file has: none, all or lora_only. */
  public String bias() {
    return Objects.requireNonNullElse(string("bias"), "none");
  }

  /** PEFT's name of the task, SEQ_CLS for one; null where none is said. */
  public @Nullable String taskType() {
    return string("task_type");
  }

  /** The base model, as its trainer named it; null where none is said. */
  public @Nullable String baseModel() {
    return string("base_model_name_or_path");
  }

  private @Nullable String string(String key) {
    JsonNode value = json.path(key);
    if (isAbsent(value)) {
      return null;
    }
    if (!value.isTextual()) {
      throw wrong(key, "a text");
    }
    return value.textValue();
  }

  /** The names of modules that were trained in full. */
  public List<String> modulesToSave() {
    return Objects.requireNonNullElse(strings("modules_to_save"), List.of());
  }

  private @Nullable List<String> strings(String key) {
    JsonNode value = json.path(key);
    if (isAbsent(value)) {
      return null;
    }
    List<String> strings = new ArrayList<>();
    for (JsonNode each : value) {
      if (!each.isTextual()) {
        throw wrong(key, "a list of names");
      }
      strings.add(each.textValue());
    }
    if (!value.isArray()) {
      throw wrong(key, "a list of names");
    }
    return strings;
  }

  /** Whether target_modules mean every Linear but the output layer. */
  public boolean isAllLinear() {
    ModuleNames targets = targetModules();
    return targets != null && targets.isAllLinear();
  }

  /** target_modules as a list: of an expression the one; empty where there are none. */
  public List<String> targetModuleNames() {
    ModuleNames targets = targetModules();
    if (targets == null) {
      return List.of();
    }
    return targets.expression() == null
        ? Objects.requireNonNullElse(targets.names(), List.of())
        : List.of(targets.expression());
  }

  @Nullable ModuleNames targetModules() {
    return moduleNames("target_modules");
  }

  @Nullable ModuleNames excludeModules() {
    return moduleNames("exclude_modules");
  }

  private @Nullable ModuleNames moduleNames(String key) {
    JsonNode value = json.path(key);
    if (value.isTextual()) {
      ModuleNames names = new ModuleNames(null, value.textValue());
      if (!names.isAllLinear()) {
        ModuleNames.compile(value.textValue());
      }
      return names;
    }
    List<String> names = strings(key);
    return names == null ? null : new ModuleNames(names, null);
  }

  /** The numbers of the layers that have adapters; null where all have. */
  @Nullable List<Integer> layersToTransform() {
    String key = "layers_to_transform";
    JsonNode value = json.path(key);
    if (isAbsent(value)) {
      return null;
    }
    List<Integer> layers = new ArrayList<>();
    for (JsonNode each : value.isArray() ? value : List.of(value)) {
      if (!each.isIntegralNumber() || !each.canConvertToInt()) {
        throw wrong(key, "a number or a list of numbers");
      }
      layers.add(each.intValue());
    }
    return layers.isEmpty() ? null : layers;
  }

  /** What the lists of layers are called; empty where it may be any name. */
  List<String> layersPattern() {
    JsonNode value = json.path("layers_pattern");
    if (value.isTextual()) {
      return value.textValue().isEmpty() ? List.of() : List.of(value.textValue());
    }
    return Objects.requireNonNullElse(strings("layers_pattern"), List.of());
  }

  /**
   * Whether a module is one of {@code target_modules}, as PEFT decides it: those of {@code
   * exclude_modules} and {@code modules_to_save} are none, and with {@code layers_to_transform}
   * only those in such a layer.
   *
   * @param module its path in the base model; that it is a Linear, and for {@code all-linear} not
   *     the output layer, is for the caller to see
   */
  public boolean targets(String module) {
    ModuleNames excluded = excludeModules();
    if (excluded != null && excluded.choose(module) || isSaved(module)) {
      return false;
    }
    ModuleNames targets = targetModules();
    if (targets == null || !targets.choose(module)) {
      return false;
    }
    List<Integer> layers = layersToTransform();
    List<String> names = targets.names();
    if (layers == null || names == null || names.contains(module)) {
      return true;
    }
    Integer layer = layerOf(module);
    return layer != null && layers.contains(layer);
  }

  /** Whether a module belongs to {@code modules_to_save}. */
  public boolean isSaved(String module) {
    return modulesToSave().stream()
        .anyMatch(name -> ModuleNames.matches("(^|.*\\.)" + name + "($|\\..*)", module));
  }

  /** The number of the layer that a module is in: the first of its path, if no name is given. */
  private @Nullable Integer layerOf(String module) {
    List<String> names = layersPattern();
    for (String name : names.isEmpty() ? List.of("[^.]*") : names) {
      Matcher found = ModuleNames.compile(".*?\\." + name + "\\.(\\d{1,9})\\.").matcher(module);
      if (found.lookingAt()) {
        return Integer.valueOf(found.group(found.groupCount()));
      }
    }
    return null;
  }

  /**
   * The same with another value for a key.
   *
   * @param value a text, number, truth value, list or map of such, or null
   * @throws LoraGraphException if it is not of the key's kind
   */
  public PeftConfig with(String key, @Nullable Object value) {
    ObjectNode copy = json.deepCopy();
    copy.set(key, JSON.valueToTree(value));
    return new PeftConfig(copy);
  }

  /** The same with an alpha, written as a whole number where it is one, as PEFT has it. */
  public PeftConfig withAlpha(double alpha) {
    return with("lora_alpha", wholeWherePossible(alpha));
  }

  /** A number that is written without a point where it is whole. */
  public static Number wholeWherePossible(double value) {
    if (value == Math.rint(value) && Math.abs(value) < Long.MAX_VALUE) {
      return (long) value;
    }
    return value;
  }

  /** All keys that it has, in alphabetical order. */
  public List<String> keys() {
    return json.properties().stream().map(Map.Entry::getKey).sorted().toList();
  }

  /** The value of a key as Java has it: text, number, truth value, list or map; null for none. */
  public @Nullable Object get(String key) {
    return JSON.convertValue(json.path(key), Object.class);
  }

  /** The content of {@code adapter_config.json}, to the byte as PEFT writes it. */
  public String toJson() {
    return PythonJson.write(json);
  }

  private static LoraGraphException wrong(String key, String what) {
    return new LoraGraphException("its %s is not %s".formatted(key, what));
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof PeftConfig that && that.json.equals(json);
  }

  @Override
  public int hashCode() {
    return json.hashCode();
  }

  @Override
  public String toString() {
    return toJson();
  }
}
