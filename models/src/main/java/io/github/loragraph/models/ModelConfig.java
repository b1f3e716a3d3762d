package io.github.loragraph.models;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.LoraGraphException;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.InputFile;
import io.github.loragraph.file.StagedFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/** A model's {@code config.json}, as Hugging Face's transformers write it. Immutable. */
public final class ModelConfig {
  /** The name of the file in a model folder. */
  public static final String FILE = "config.json";

  private static final ObjectMapper JSON = new ObjectMapper();

  private final ObjectNode root;

  private ModelConfig(ObjectNode root) {
    this.root = root;
  }

  /** A configuration of nothing. */
  public static ModelConfig empty() {
    return new ModelConfig(JSON.createObjectNode());
  }

  /**
   * Reads a configuration.
   *
   * @throws LoraGraphException if the file cannot be read or is no JSON object
   */
  public static ModelConfig read(Path file) {
    InputFile.requireOrdinary(file);
    try {
      if (JSON.readTree(file.toFile()) instanceof ObjectNode object) {
        return new ModelConfig(object);
      }
      throw new LoraGraphException(file + " is no JSON object, as a model's configuration is");
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(
          "%s is not JSON (line %d): mend it, or copy it again"
              .formatted(file, e.getLocation() == null ? 0 : e.getLocation().getLineNr()),
          e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
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
  byte[] bytes() {
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
    return new ModelConfig(copy);
  }

  /** The same with the names of the classes. */
  public ModelConfig withLabels(LabelSet labels) {
    ObjectNode copy = root.deepCopy();
    ObjectNode toLabel = copy.putObject("id2label");
    ObjectNode toId = copy.putObject("label2id");
    for (int i = 0; i < labels.size(); i++) {
      toLabel.put(Integer.toString(i), labels.names().get(i));
      toId.put(labels.names().get(i), i);
    }
    return new ModelConfig(copy);
  }

  /**
   * The names of the classes ({@code id2label}); empty where there are none.
   *
   * @throws LoraGraphException if the numbers are not 0, 1, 2 and so on
   */
  public Optional<LabelSet> labels() {
    JsonNode node = root.path("id2label");
    if (!node.isObject() || node.isEmpty()) {
      return Optional.empty();
    }
    Map<Integer, String> byNumber = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      byNumber.put(
          entry.getKey().matches("\\d{1,6}") ? Integer.parseInt(entry.getKey()) : -1,
          entry.getValue().asText());
    }
    List<String> names = new ArrayList<>();
    for (Map.Entry<Integer, String> entry : byNumber.entrySet()) {
      if (entry.getKey() != names.size()) {
        throw new LoraGraphException(
            "id2label in %s does not number the classes 0, 1, 2 and so on: mend it"
                .formatted(FILE));
      }
      names.add(entry.getValue());
    }
    return Optional.of(new LabelSet(names));
  }

  /** {@code model_type}; empty where it is not stated. */
  public Optional<String> modelType() {
    return text("model_type");
  }

  /** {@code problem_type}, the task as transformers name it; empty where it is not stated. */
  public Optional<String> problemType() {
    return text("problem_type");
  }

  private Optional<String> text(String key) {
    return root.path(key).isTextual() ? Optional.of(root.path(key).asText()) : Optional.empty();
  }

  /** {@code pad_token_id}; empty where it is not stated. */
  public OptionalInt padTokenId() {
    return number("pad_token_id");
  }

  private OptionalInt number(String key) {
    return root.path(key).isInt() ? OptionalInt.of(root.path(key).asInt()) : OptionalInt.empty();
  }

  /**
   * How many tokens the position table has room for: {@code max_position_embeddings}, less the
   * places that RoBERTa and its kin leave free up to the padding id.
   */
  public OptionalInt maxLength() {
    OptionalInt positions = number("max_position_embeddings");
    boolean offset =
        modelType().map(type -> type.contains("roberta") || type.equals("camembert")).orElse(false);
    if (positions.isEmpty() || !offset) {
      return positions;
    }
    return OptionalInt.of(positions.getAsInt() - padTokenId().orElse(1) - 1);
  }

  /** Whether the file exists beside a model. */
  static Optional<Path> beside(List<Path> folders) {
    return folders.stream().map(f -> f.resolve(FILE)).filter(Files::exists).findFirst();
  }
}
