package io.github.loragraph.search;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The parts of a search that are done, in a file with a line for each, in the order in which they
 * ended. A search that is begun again takes them from here: run folders have gone on since.
 * Failures are kept once anything was measured; where nothing ever was, the fault is that of all
 * trials, and a search that is begun again tries them again.
 */
final class SearchJournal {
  static final String FILE = "parts.jsonl";

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final Map<Integer, JsonNode> parts = new LinkedHashMap<>();

  /**
   * @throws LoraGraphException if the file is there and cannot be read
   */
  SearchJournal(Path folder) {
    this.file = folder.resolve(FILE);
    if (!Files.exists(file)) {
      return;
    }
    try {
      for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
        JsonNode part = JSON.readTree(line);
        parts.put(part.path("part").asInt(), part);
      }
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(file + " is damaged: replace the whole search", e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  /**
   * How a part ended.
   *
   * @throws LoraGraphException if the file has another part under its number
   */
  Optional<TrialFigure> find(TrialPart part) {
    JsonNode line = parts.get(part.number());
    if (line == null) {
      return Optional.empty();
    }
    if (line.path("trial").asInt() != part.trial() + 1
        || line.path("rung").asInt() != part.rung()
        || !line.path("parameters").equals(parameters(part))) {
      throw new LoraGraphException(
          "%s is of another search: trial %d has other parameters there; replace the whole search, or take another folder"
              .formatted(file, part.trial() + 1));
    }
    return Optional.of(
        new TrialFigure(
            line.has("failure") ? TrialFigure.Status.FAILED : TrialFigure.Status.MEASURED,
            line.path("objective").asDouble(Double.NaN),
            line.path("step").asLong(),
            line.path("totalSteps").asLong(),
            line.path("seconds").asDouble(),
            line.path("failure").asText("")));
  }

  /** Read as it was written: 1e-4 and 0.0001 are one number, 1 and 1.0 are two. */
  private static JsonNode parameters(TrialPart part) {
    try {
      return JSON.readTree(JSON.writeValueAsBytes(part.parameters()));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Whether anything was measured so far. */
  private boolean hasFigure() {
    return parts.values().stream().anyMatch(part -> !part.has("failure"));
  }

  /** Notes how a part ended. */
  void add(TrialPart part, TrialFigure figure) {
    ObjectNode line = JSON.createObjectNode();
    line.put("part", part.number());
    line.put("trial", part.trial() + 1);
    line.put("rung", part.rung());
    line.set("parameters", parameters(part));
    if (Double.isNaN(figure.objective())) {
      line.putNull("objective");
    } else {
      line.put("objective", figure.objective());
    }
    line.put("step", figure.step());
    line.put("totalSteps", figure.totalSteps());
    line.put("seconds", figure.seconds());
    if (figure.status() == TrialFigure.Status.FAILED) {
      line.put("failure", figure.message());
    }
    parts.put(part.number(), line);
    if (hasFigure()) {
      write();
    }
  }

  private void write() {
    StringBuilder lines = new StringBuilder();
    parts.values().forEach(part -> lines.append(part).append('\n'));
    AtomicFile.write(
        file, true, out -> out.write(lines.toString().getBytes(StandardCharsets.UTF_8)));
  }
}
