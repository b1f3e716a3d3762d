package io.github.loragraph.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.error.Remedy;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Entities as spans of characters, as annotation tools write them: a JSON array of {@code [start,
 * end, type]} (spaCy, Doccano) or of objects with {@code start} or {@code start_offset}, {@code
 * end} or {@code end_offset}, and {@code label} or {@code type} (Prodigy, Doccano).
 */
public final class SpanLabels {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LONGEST_SHOWN = 60;

  private SpanLabels() {}

  /** Whether a row's label is a list of spans; an empty list is none. */
  public static boolean isIn(Row row) {
    JsonNode array = row.label() == null || row.words() != null ? null : array(row.label());
    return array != null && !array.isEmpty() && array.get(0).isContainerNode();
  }

  private static @Nullable JsonNode array(String label) {
    if (!label.startsWith("[")) {
      return null;
    }
    try {
      JsonNode array = JSON.readTree(label);
      return array.isArray() ? array : null;
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  /**
   * The spans of a row, in the order of the text.
   *
   * @return empty where the label is no list
   * @throws LoraGraphException if one is not in the text, or two overlap; it names the line
   */
  public static Optional<List<EntitySpan>> of(Row row) {
    JsonNode array = array(row.requireLabel());
    if (array == null) {
      return Optional.empty();
    }
    List<EntitySpan> spans = new ArrayList<>();
    for (JsonNode entry : array) {
      spans.add(span(row, entry));
    }
    spans.sort(Comparator.comparingInt(EntitySpan::start).thenComparingInt(EntitySpan::end));
    requireInText(row, spans);
    return Optional.of(spans);
  }

  private static EntitySpan span(Row row, JsonNode entry) {
    if (entry.isValueNode()) {
      throw new LoraGraphException(
          "%s has tags, '%s' is one, and a text whose words nobody knows"
              .formatted(row.place(), PlainText.shortened(entry.asText(), LONGEST_SHOWN)),
          Remedy.GIVE_WORDS);
    }
    boolean list = entry.isArray() && entry.size() == 3;
    JsonNode start = list ? entry.get(0) : either(entry, "start", "start_offset");
    JsonNode end = list ? entry.get(1) : either(entry, "end", "end_offset");
    JsonNode type = list ? entry.get(2) : either(entry, "label", "type");
    if (!start.isIntegralNumber()
        || !end.isIntegralNumber()
        || !start.canConvertToInt()
        || !end.canConvertToInt()
        || !type.isTextual()
        || type.asText().isBlank()) {
      throw new LoraGraphException(
          "%s has %s where a span is: write [start, end, type] or {\"start\": ..., \"end\": ..., \"label\": ...}"
              .formatted(row.place(), PlainText.shortened(entry.toString(), LONGEST_SHOWN)));
    }
    return new EntitySpan(start.asInt(), end.asInt(), type.asText().strip());
  }

  private static JsonNode either(JsonNode entry, String name, String other) {
    return entry.has(name) ? entry.path(name) : entry.path(other);
  }

  private static void requireInText(Row row, List<EntitySpan> spans) {
    String text = row.written() == null ? row.text() : row.written();
    EntitySpan before = null;
    for (EntitySpan span : spans) {
      // Where only labels are asked for, there is no text.
      int length = text == null ? Integer.MAX_VALUE : text.codePointCount(0, text.length());
      if (span.start() < 0 || span.end() > length || span.end() <= span.start()) {
        throw new LoraGraphException(
            text == null || span.end() <= span.start()
                ? "%s has the span %s, which is empty or begins before the text: mend it"
                    .formatted(row.place(), shown(span))
                : "%s has the span %s, and its text has %,d characters: mend it (characters are code points, from 0, and the end is not counted in)"
                    .formatted(row.place(), shown(span), length));
      }
      if (before != null && span.start() < before.end()) {
        throw new LoraGraphException(
            "%s has the spans %s and %s, which overlap: a word is of one entity, so leave one out"
                .formatted(row.place(), shown(before), shown(span)));
      }
      before = span;
    }
  }

  private static String shown(EntitySpan span) {
    return "[%d, %d, %s]"
        .formatted(span.start(), span.end(), PlainText.shortened(span.type(), LONGEST_SHOWN));
  }
}
