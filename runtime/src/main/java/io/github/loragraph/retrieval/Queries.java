package io.github.loragraph.retrieval;

import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Queries by their ids, in the order of their file.
 *
 * @param file what they were read from
 * @param byId at least one
 */
public record Queries(Path file, Map<String, Row> byId) {
  private static final List<String> IDS =
      List.of("_id", "id", "query-id", "query_id", "qid", "topic");
  private static final List<String> TEXTS = List.of("text", "query", "question", "title");

  /**
   * Reads queries.
   *
   * @param notices gets a line for what was guessed
   * @throws LoraGraphException if the file cannot be read, holds nothing, an id comes twice, or a
   *     query is empty
   */
  public static Queries read(Path file, Consumer<String> notices) {
    Map<String, Row> byId = new LinkedHashMap<>();
    new TextFile(file, IDS, TEXTS, false, notices)
        .each(
            (id, text, body, place) -> {
              if (text.isEmpty()) {
                throw new LoraGraphException(
                    "%s: query '%s' is empty: mend or delete the line".formatted(place, id));
              }
              Row before = byId.put(id, new Row(text, null, null, Map.of(), place));
              if (before != null) {
                throw new LoraGraphException(
                    "%s: the id '%s' was there before, at %s: give each query its own"
                        .formatted(place, id, before.place()));
              }
            });
    return new Queries(file, byId);
  }
}
