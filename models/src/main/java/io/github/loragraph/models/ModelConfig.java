package io.github.loragraph.models;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.InputFile;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.task.Task;
import io.github.loragraph.task.Thresholds;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;

/**
 * A model's {@code config.json}, as Hugging Face's transformers write it. Immutable.
 *
 * <p>Long because each entry that is read is checked here, and all are of one file.
 */
public final class ModelConfig {
  /** The name of the file in a model folder. */
  public static final String FILE = "config.json";

  private static final ObjectMapper JSON =
      new ObjectMapper(
          JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build());

  /** Architectures whose positions begin after the padding id. */
  private static final Set<String> POSITIONS_AFTER_PADDING =
      Set.of(
          "camembert",
          "data2vec-text",
          "ibert",
          "layoutlmv3",
          "lilt",
          "longformer",
          "luke",
          "markuplm",
          "mpnet",
          "xmod");

  /** What sentence-transformers make of a cross-encoder's logits. */
  private static final String ACTIVATION = "activation_fn";

  /**
   * From which probability on each class of a multi-label model is answered, by their names; our
   * own entry, which transformers keep and do not read.
   */
  private static final String THRESHOLDS = "thresholds";

  private static final int LONGEST_SHOWN = 60;

  private final ObjectNode root;

  /** What messages call the file. */
  private final String name;

  /** The entries that say what the answers of a model mean. */
  private static final List<String> OF_ANSWERS =
      List.of(
          "id2label",
          "label2id",
          "problem_type",
          THRESHOLDS,
          "sentence_transformers",
          "sbert_ce_default_activation_function");

  private ModelConfig(ObjectNode root, String name) {
    this.root = root;
    this.name = name;
  }

  /** A configuration of nothing. */
  public static ModelConfig empty() {
    return new ModelConfig(JSON.createObjectNode(), FILE);
  }

  /**
   * Reads a configuration.
   *
   * @throws LoraGraphException if the file cannot be read, is no JSON object, names something
   *     twice, or states what no model has: positions, a padding id or classes of another kind
   */
  public static ModelConfig read(Path file) {
    InputFile.requireOrdinary(file);
    try {
      return parse(file.toString(), JSON.readTree(file.toFile()));
    } catch (JsonProcessingException e) {
      throw damaged(file.toString(), e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  /**
   * Reads a configuration out of memory.
   *
   * @param name for messages
   * @throws LoraGraphException as {@link #read} does
   */
  public static ModelConfig of(String name, String json) {
    try {
      return parse(name, JSON.readTree(json));
    } catch (JsonProcessingException e) {
      throw damaged(name, e);
    }
  }

  private static ModelConfig parse(String name, JsonNode tree) {
    if (tree instanceof ObjectNode object) {
      ModelConfig config = new ModelConfig(object, name);
      config.labels();
      config.thresholds();
      config.maxLength();
      config.modelType();
      config.problemType();
      return config;
    }
    throw new LoraGraphException(name + " is no JSON object, as a model's configuration is");
  }

  private static LoraGraphException damaged(String name, JsonProcessingException e) {
    boolean twice = String.valueOf(e.getOriginalMessage()).startsWith("Duplicate");
    return new LoraGraphException(
        "%s:%d %s: mend it, or copy it again"
            .formatted(
                name,
                e.getLocation() == null ? 0 : e.getLocation().getLineNr(),
                twice ? "has a name that was there before" : "is not JSON"),
        e);
  }

  /** Writes the file, whole or not at all. */
  public void write(Path file, boolean replace) {
    AtomicFile.write(file, replace, out -> out.write(bytes()));
  }

  /** Puts the file among others that appear together. */
  public void stage(Path file, StagedFiles files) {
    files.write(file, out -> out.write(bytes()));
  }

  /** What the file holds. */
  public byte[] bytes() {
    try {
      return (JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n")
          .getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The same with one entry set. */
  public ModelConfig with(String key, Object value) {
    ObjectNode copy = root.deepCopy();
    copy.set(key, JSON.valueToTree(value));
    return new ModelConfig(copy, name);
  }

  /** The same with the names of the classes; thresholds of others are left out. */
  public ModelConfig withLabels(LabelSet labels) {
    ObjectNode copy = root.deepCopy();
    copy.remove(THRESHOLDS);
    ObjectNode toLabel = copy.putObject("id2label");
    ObjectNode toId = copy.putObject("label2id");
    for (int i = 0; i < labels.size(); i++) {
      toLabel.put(Integer.toString(i), labels.names().get(i));
      toId.put(labels.names().get(i), i);
    }
    return new ModelConfig(copy, name);
  }

  /**
   * The names of the classes ({@code id2label}); empty where there are none.
   *
   * @throws LoraGraphException if it is no object from the numbers 0, 1, 2 and so on to different
   *     names
   */
  public Optional<LabelSet> labels() {
    JsonNode node = root.path("id2label");
    if (node.isMissingNode() || node.isNull()) {
      return Optional.empty();
    }
    if (!node.isObject()) {
      throw wrong("id2label", node, "an object such as {\"0\": \"negative\", \"1\": \"positive\"}");
    }
    Map<Integer, String> byNumber = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (!entry.getValue().isTextual() && !entry.getValue().isNumber()) {
        throw wrong("id2label", node, "an object whose values are names");
      }
      byNumber.put(
          entry.getKey().matches("0|[1-9]\\d{0,6}") ? Integer.parseInt(entry.getKey()) : -1,
          entry.getValue().asText());
    }
    List<String> names = new ArrayList<>();
    for (Map.Entry<Integer, String> entry : byNumber.entrySet()) {
      if (entry.getKey() != names.size()) {
        throw new LoraGraphException(
            "%s: id2label does not number the classes 0, 1, 2 and so on: mend it".formatted(name));
      }
      names.add(entry.getValue());
    }
    if (names.size() != node.size()) {
      throw new LoraGraphException(
          "%s: id2label does not number the classes 0, 1, 2 and so on: mend it".formatted(name));
    }
    try {
      return names.isEmpty() ? Optional.empty() : Optional.of(new LabelSet(names));
    } catch (LoraGraphException e) {
      throw new LoraGraphException(
          "%s: id2label: %s: name each class once".formatted(name, e.getMessage()), e);
    }
  }

  /**
   * From which probability on each class of a multi-label model is answered, by their names; empty
   * where nothing is stated.
   *
   * @throws LoraGraphException if it is no object whose values are above 0 and at most 1
   */
  public Map<String, Double> thresholds() {
    JsonNode node = root.path(THRESHOLDS);
    if (node.isMissingNode() || node.isNull()) {
      return Map.of();
    }
    Map<String, Double> thresholds = new LinkedHashMap<>();
    node.properties().forEach(e -> thresholds.put(e.getKey(), e.getValue().asDouble()));
    if (!node.isObject() || !thresholds.values().stream().allMatch(t -> t > 0 && t <= 1)) {
      throw wrong(THRESHOLDS, node, "an object of a probability above 0 for each class");
    }
    return thresholds;
  }

  /**
   * The thresholds of classes, in their order; empty where nothing is stated.
   *
   * @throws LoraGraphException if not each of the classes has one, or others have
   */
  public Optional<Thresholds> thresholds(LabelSet classes) {
    Map<String, Double> stated = thresholds();
    if (stated.isEmpty()) {
      return Optional.empty();
    }
    if (!stated.keySet().equals(Set.copyOf(classes.names()))) {
      throw new LoraGraphException(
          "%s: '%s' is of the classes %s, and the model has %s: leave the entry out, or mend it"
              .formatted(
                  name,
                  THRESHOLDS,
                  PlainText.shortened(String.join(", ", stated.keySet()), LONGEST_SHOWN),
                  PlainText.shortened(String.join(", ", classes.names()), LONGEST_SHOWN)));
    }
    return Optional.of(new Thresholds(classes.names().stream().map(stated::get).toList()));
  }

  /** The same with thresholds of its classes; with none, it decides by a half. */
  public ModelConfig withThresholds(Map<String, Double> thresholds) {
    if (!thresholds.isEmpty()) {
      return with(THRESHOLDS, thresholds);
    }
    ObjectNode copy = root.deepCopy();
    copy.remove(THRESHOLDS);
    return new ModelConfig(copy, name);
  }

  private LoraGraphException wrong(String key, JsonNode value, String right) {
    return new LoraGraphException(
        "%s: '%s' is %s where it should be %s: mend it"
            .formatted(name, key, PlainText.shortened(value.toString(), LONGEST_SHOWN), right));
  }

  /** {@code model_type}; empty where it is not stated. */
  public Optional<String> modelType() {
    return text("model_type");
  }

  /**
   * {@code problem_type}, the task as transformers name it; {@link Task#CROSS_ENCODER} where it is
   * not stated and sentence-transformers have noted that the model is a cross-encoder, and it has
   * one output; else empty.
   */
  public Optional<String> problemType() {
    Optional<String> stated = text("problem_type");
    boolean noted =
        root.path("sentence_transformers").hasNonNull(ACTIVATION)
            || root.hasNonNull("sbert_ce_default_activation_function");
    return stated.isEmpty() && noted && labels().map(LabelSet::size).orElse(2) == 1
        ? Optional.of(Task.CROSS_ENCODER)
        : stated;
  }

  /**
   * The same with what {@link #problemType} is to say. That of a cross-encoder is written as
   * sentence-transformers do, since transformers refuse types that they do not know.
   */
  public ModelConfig withProblemType(String type) {
    if (!type.equals(Task.CROSS_ENCODER)) {
      return with("problem_type", type);
    }
    ObjectNode copy = root.deepCopy();
    copy.remove("problem_type");
    copy.withObjectProperty("sentence_transformers")
        .put(ACTIVATION, "torch.nn.modules.activation.Sigmoid");
    return new ModelConfig(copy, name);
  }

  /**
   * The class of a model that answers masked tokens ({@code architectures}: {@code
   * RobertaForMaskedLM}), where the vocabulary that is stated has as many tokens as a model has
   * answers; else empty. Encoders are often exported with the configuration of their pretraining.
   *
   * @param outputs the size of the logits' last axis
   */
  Optional<String> maskedLanguageModel(int outputs) {
    if (problemType().isPresent() || number("vocab_size", 1).orElse(outputs) != outputs) {
      return Optional.empty();
    }
    for (JsonNode architecture : root.path("architectures")) {
      if (architecture.asText().endsWith("ForMaskedLM")) {
        return Optional.of(architecture.asText());
      }
    }
    return Optional.empty();
  }

  /** The same model, whose answers mean what another configuration says. */
  public ModelConfig answering(ModelConfig other) {
    ObjectNode copy = root.deepCopy();
    for (String key : OF_ANSWERS) {
      copy.remove(key);
      if (other.root.has(key)) {
        copy.set(key, other.root.get(key).deepCopy());
      }
    }
    return new ModelConfig(copy, other.name);
  }

  private Optional<String> text(String key) {
    JsonNode value = root.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return Optional.empty();
    }
    if (!value.isTextual()) {
      throw wrong(key, value, "text");
    }
    return Optional.of(value.asText());
  }

  /**
   * {@code pad_token_id}; empty where it is not stated.
   *
   * @throws LoraGraphException if it is no number of a token
   */
  public OptionalInt padTokenId() {
    return number("pad_token_id", 0);
  }

  private OptionalInt number(String key, int least) {
    JsonNode value = root.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return OptionalInt.empty();
    }
    if (!value.isIntegralNumber() || !value.canConvertToInt() || value.asInt() < least) {
      throw wrong(key, value, "a whole number from %d to 2147483647".formatted(least));
    }
    return OptionalInt.of(value.asInt());
  }

  /**
   * How many tokens the position table has room for: {@code max_position_embeddings}, less the
   * places that RoBERTa and its kin leave free up to the padding id.
   *
   * @throws LoraGraphException if it is no number of positions
   */
  public OptionalInt maxLength() {
    OptionalInt positions = number("max_position_embeddings", 1);
    int padding = padTokenId().orElse(1);
    boolean offset =
        modelType()
            .map(type -> type.contains("roberta") || POSITIONS_AFTER_PADDING.contains(type))
            .orElse(false);
    if (positions.isEmpty() || !offset) {
      return positions;
    }
    if (positions.getAsInt() - 1L - padding < 1) {
      throw new LoraGraphException(
          "%s: 'max_position_embeddings' %d leaves no position after 'pad_token_id' %d: mend it"
              .formatted(name, positions.getAsInt(), padding));
    }
    return OptionalInt.of(positions.getAsInt() - padding - 1);
  }

  /** Whether the file exists beside a model. */
  static Optional<Path> beside(List<Path> folders) {
    return folders.stream().map(f -> f.resolve(FILE)).filter(Files::exists).findFirst();
  }
}
