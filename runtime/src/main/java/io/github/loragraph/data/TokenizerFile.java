package io.github.loragraph.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A {@code tokenizer.json}, looked at before native code reads it: what that takes at its word and
 * then ends the whole process at, where it does not hold, is refused here.
 *
 * <p>Long because its parts are read together.
 */
final class TokenizerFile {
  private static final long MOST_BYTES = 512L << 20;
  private static final int LONGEST_SHOWN = 60;

  /** Native code gives up at 128. */
  private static final int DEEPEST = 100;

  private static final List<String> MASK_TOKENS = List.of("<mask>", "[MASK]");

  /** Files of transformers beside this one, in which tokens have their parts. */
  private static final List<String> NAMING_TOKENS =
      List.of("tokenizer_config.json", "special_tokens_map.json");

  private static final Set<String> PADDING_TOKENS = Set.of("<pad>", "[PAD]", "<|pad|>");
  private static final ObjectMapper JSON =
      new ObjectMapper(
          JsonFactory.builder()
              .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
              .streamReadConstraints(
                  StreamReadConstraints.builder().maxNestingDepth(DEEPEST).build())
              .build());

  private final Path file;
  private final ObjectNode root;

  private TokenizerFile(Path file, ObjectNode root) {
    this.file = file;
    this.root = root;
  }

  /**
   * Reads a file and checks it.
   *
   * @throws LoraGraphException if it cannot be read, is no tokenizer, or contradicts itself
   */
  static TokenizerFile read(Path file) {
    JsonNode root;
    try {
      if (Files.size(file) > MOST_BYTES) {
        throw refusal(file, "it has more than 512 MB", null);
      }
      root = JSON.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw refusal(file, e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
    if (!(root instanceof ObjectNode object) || !root.path("model").isObject()) {
      throw refusal(file, "it has no \"model\"", null);
    }
    TokenizerFile tokenizer = new TokenizerFile(file, object);
    tokenizer.checkModel((ObjectNode) object.get("model"));
    tokenizer.checkAddedTokens(object.path("added_tokens"));
    tokenizer.checkTemplates(object.path("post_processor"));
    tokenizer.checkReplacements(object, "");
    return tokenizer;
  }

  static LoraGraphException refusal(Path file, @Nullable String reason, @Nullable Throwable cause) {
    String line = String.valueOf(reason).lines().findFirst().orElse("");
    return new LoraGraphException(
        "%s is no tokenizer.json of Hugging Face's tokenizers: %s"
            .formatted(file, PlainText.shortened(line, 200)),
        cause);
  }

  private LoraGraphException refusal(String reason, Object... arguments) {
    return refusal(file, reason.formatted(arguments), null);
  }

  private static String shown(JsonNode value) {
    return PlainText.shortened(value.toString(), LONGEST_SHOWN);
  }

  private void checkModel(ObjectNode model) {
    JsonNode vocabulary = model.path("vocab");
    if (!vocabulary.isContainerNode() || vocabulary.isEmpty()) {
      throw refusal("its model has no vocabulary");
    }
    // Old files do not state the type.
    String type = model.path("type").asText("");
    if (vocabulary.isArray()) {
      checkPieces(vocabulary);
      JsonNode unknown = model.path("unk_id");
      boolean stated = !unknown.isMissingNode() && !unknown.isNull();
      if (stated
          && (!unknown.canConvertToInt()
              || !unknown.isIntegralNumber()
              || unknown.asInt() < 0
              || unknown.asInt() >= vocabulary.size())) {
        throw refusal(
            "its unk_id %s is not in its vocabulary of %d", shown(unknown), vocabulary.size());
      }
      return;
    }
    for (Map.Entry<String, JsonNode> entry : vocabulary.properties()) {
      requireId(
          "the id of '" + PlainText.shortened(entry.getKey(), LONGEST_SHOWN) + "'",
          entry.getValue());
    }
    String unknown = unknownToken(model, type);
    if (unknown != null && !vocabulary.has(unknown)) {
      throw refusal(
          "its unk_token '%s' is not in its vocabulary",
          PlainText.shortened(unknown, LONGEST_SHOWN));
    }
    if (model.path("max_input_chars_per_word").isNumber()
        && model.path("max_input_chars_per_word").asLong() < 1) {
      throw refusal("its max_input_chars_per_word is below 1");
    }
    checkMerges(model, vocabulary);
  }

  /** What stands for unknown characters; null where nothing does. */
  private static @Nullable String unknownToken(ObjectNode model, String type) {
    JsonNode stated = model.path("unk_token");
    if (stated.isTextual()) {
      // BPE files of byte-level tokenizers have "" where nothing is unknown.
      return type.equals("BPE") && stated.asText().isEmpty() ? null : stated.asText();
    }
    return type.equals("WordPiece") ? "[UNK]" : type.equals("WordLevel") ? "<unk>" : null;
  }

  private void checkPieces(JsonNode pieces) {
    for (JsonNode piece : pieces) {
      if (!piece.isArray()
          || piece.size() != 2
          || !piece.get(0).isTextual()
          || !piece.get(1).isNumber()
          || !Double.isFinite(piece.get(1).asDouble())) {
        throw refusal(
            "its vocabulary has %s where it should have a piece and a score", shown(piece));
      }
    }
  }

  private void checkMerges(ObjectNode model, JsonNode vocabulary) {
    String prefix = model.path("continuing_subword_prefix").asText("");
    for (JsonNode merge : model.path("merges")) {
      String[] parts =
          merge.isArray() && merge.size() == 2
              ? new String[] {merge.get(0).asText(), merge.get(1).asText()}
              : merge.asText().split(" ", -1);
      if (parts.length != 2) {
        throw refusal("its merge %s is no pair", shown(merge));
      }
      if (!parts[1].startsWith(prefix)) {
        throw refusal("its merge %s does not go on with the prefix '%s'", shown(merge), prefix);
      }
      String whole = parts[0] + parts[1].substring(prefix.length());
      for (String part : new String[] {parts[0], parts[1], whole}) {
        if (!vocabulary.has(part)) {
          throw refusal(
              "its merge %s needs '%s', which is not in its vocabulary",
              shown(merge), PlainText.shortened(part, LONGEST_SHOWN));
        }
      }
    }
  }

  private void checkAddedTokens(JsonNode tokens) {
    for (JsonNode token : tokens) {
      if (!token.path("content").isTextual()) {
        throw refusal("an added token has no text: %s", shown(token));
      }
      requireId("the id of the added token " + shown(token.path("content")), token.path("id"));
    }
  }

  private void checkTemplates(JsonNode processor) {
    JsonNode known = processor.path("special_tokens");
    for (String template : new String[] {"single", "pair"}) {
      for (JsonNode piece : processor.path(template)) {
        JsonNode token = piece.path("SpecialToken").path("id");
        if (token.isTextual() && !known.has(token.asText())) {
          throw refusal(
              "its post_processor puts in '%s', which is not one of its special_tokens",
              PlainText.shortened(token.asText(), LONGEST_SHOWN));
        }
      }
    }
    for (JsonNode token : known) {
      for (JsonNode id : token.path("ids")) {
        requireId("an id of the special token " + shown(token.path("id")), id);
      }
    }
    processor.path("processors").forEach(this::checkTemplates);
  }

  /** Native code is not prepared for a search for nothing, nor for nothing put before a text. */
  private void checkReplacements(JsonNode node, String key) {
    JsonNode pattern = node.path("pattern");
    for (String kind : new String[] {"String", "Regex"}) {
      if (pattern.path(kind).isTextual() && pattern.path(kind).asText().isEmpty()) {
        throw refusal("it has an empty pattern in its %s", key);
      }
    }
    if (node.path("prepend").isTextual() && node.path("prepend").asText().isEmpty()) {
      throw refusal("it prepends nothing in its %s", key);
    }
    if (key.equals("model")) {
      return;
    }
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      checkReplacements(field.getValue(), field.getKey());
    }
    if (node.isArray()) {
      node.forEach(element -> checkReplacements(element, key));
    }
  }

  private void requireId(String what, JsonNode id) {
    if (!id.isIntegralNumber() || !id.canConvertToInt() || id.asInt() < 0) {
      throw refusal("%s is %s where it should be a number from 0 to 2147483647", what, shown(id));
    }
  }

  /** The id that fills up short rows; 0 where the file names none. */
  long padId() {
    JsonNode stated = root.path("padding").path("pad_id");
    if (!stated.isMissingNode()) {
      requireId("its pad_id", stated);
      return stated.asLong();
    }
    for (JsonNode token : root.path("added_tokens")) {
      if (PADDING_TOKENS.contains(token.path("content").asText())) {
        return token.path("id").asLong();
      }
    }
    return 0;
  }

  /** The ids of tokens that are no text: those that are said to be special, or are put around. */
  Set<Integer> specialIds() {
    Set<Integer> ids = new HashSet<>();
    for (JsonNode token : root.path("added_tokens")) {
      if (token.path("special").asBoolean(false)) {
        ids.add(token.path("id").asInt());
      }
    }
    addIdsAround(root.path("post_processor"), ids);
    return ids;
  }

  private static void addIdsAround(JsonNode processor, Set<Integer> ids) {
    for (String name : new String[] {"sep", "cls"}) {
      // A pair of name and id.
      if (processor.path(name).path(1).canConvertToInt()) {
        ids.add(processor.path(name).path(1).asInt());
      }
    }
    for (JsonNode token : processor.path("special_tokens")) {
      token.path("ids").forEach(id -> ids.add(id.asInt()));
    }
    processor.path("processors").forEach(inner -> addIdsAround(inner, ids));
  }

  /**
   * The token that stands for one that is to be found: the one that the files beside this one name,
   * or one of the usual name; empty where there is none.
   */
  Optional<MaskVocabulary> masks() {
    List<String> names = new ArrayList<>();
    for (String beside : NAMING_TOKENS) {
      nameIn(file.resolveSibling(beside)).ifPresent(names::add);
    }
    names.addAll(MASK_TOKENS);
    Map<String, Integer> ids = ids();
    int size = 1 + ids.values().stream().mapToInt(Integer::intValue).max().orElse(-1);
    return names.stream()
        .filter(ids::containsKey)
        .findFirst()
        .map(
            name ->
                new MaskVocabulary(
                    Objects.requireNonNull(ids.get(name)), name, size, specialIds()));
  }

  /** {@code mask_token} in a file of transformers: text, or an object with its text. */
  private static Optional<String> nameIn(Path beside) {
    if (!Files.isRegularFile(beside)) {
      return Optional.empty();
    }
    try {
      JsonNode token = JSON.readTree(Files.readAllBytes(beside)).path("mask_token");
      JsonNode text = token.isObject() ? token.path("content") : token;
      return text.isTextual() ? Optional.of(text.asText()) : Optional.empty();
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(
          "%s is not JSON: %s".formatted(beside, PlainText.shortened(e.getOriginalMessage(), 200)),
          e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + beside + ": " + AtomicFile.reason(e), e);
    }
  }

  /** The ids of all tokens by their texts. */
  private Map<String, Integer> ids() {
    Map<String, Integer> ids = new HashMap<>();
    JsonNode vocabulary = root.path("model").path("vocab");
    if (vocabulary.isArray()) {
      for (int i = 0; i < vocabulary.size(); i++) {
        ids.put(vocabulary.get(i).path(0).asText(), i);
      }
    } else {
      vocabulary.properties().forEach(token -> ids.put(token.getKey(), token.getValue().asInt()));
    }
    for (JsonNode token : root.path("added_tokens")) {
      ids.put(token.path("content").asText(), token.path("id").asInt());
    }
    return ids;
  }

  /** The file without its own truncation and padding, which are not used. */
  byte[] withoutLengths() {
    ObjectNode without = root.objectNode().setAll(root);
    without.putNull("truncation");
    without.putNull("padding");
    return without.toString().getBytes(StandardCharsets.UTF_8);
  }
}
