package io.github.loragraph.sagemaker;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;

/** Small files with one JSON object. */
final class JsonFile {
  /** More is none of the platform's files. */
  private static final long LONGEST = 4L << 20;

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(com.fasterxml.jackson.core.JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

  private JsonFile() {}

  /**
   * The object of a file.
   *
   * @return empty where there is no file
   * @throws LoraGraphException if it cannot be read, or is no JSON object
   */
  static Optional<JsonNode> read(Path file) {
    // A link that leads nowhere, and what may not be seen, is not nothing.
    if (Files.notExists(file, LinkOption.NOFOLLOW_LINKS)) {
      return Optional.empty();
    }
    try {
      if (Files.size(file) > LONGEST) {
        throw new LoraGraphException("%s has more than %,d bytes".formatted(file, LONGEST));
      }
      JsonNode read = JSON.readTree(Files.readAllBytes(file));
      if (!read.isObject()) {
        throw new LoraGraphException(file + " is no JSON object: {\"name\": \"value\"}");
      }
      return Optional.of(read);
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(
          "%s:%d %s"
              .formatted(
                  file,
                  e.getLocation() == null ? 1 : e.getLocation().getLineNr(),
                  e.getOriginalMessage().startsWith("Duplicate")
                      ? "has a name twice"
                      : "is no JSON"),
          e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  /** What a text says in JSON; empty where it is none. */
  static Optional<JsonNode> parse(String text) {
    try {
      return Optional.ofNullable(JSON.readTree(text)).filter(node -> !node.isMissingNode());
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  /** A JSON value as Java has it. */
  static Object value(JsonNode node) {
    return JSON.convertValue(node, Object.class);
  }
}
