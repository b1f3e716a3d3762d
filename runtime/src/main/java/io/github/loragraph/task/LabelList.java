package io.github.loragraph.task;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A label that is a list: a JSON array, or divided by commas. */
final class LabelList {
  /** Characters of a label in a message. */
  static final int LONGEST_SHOWN = 60;

  private static final ObjectMapper JSON = new ObjectMapper();

  private LabelList() {}

  /** A row's label for a message. */
  static String shown(Row row) {
    return PlainText.shortened(row.requireLabel(), LONGEST_SHOWN);
  }

  /**
   * The entries of a label that has to be a JSON array.
   *
   * @param what its entries have to be, for the message
   * @throws LoraGraphException if it is none; it names the line
   */
  static List<JsonNode> required(Row row, String what) {
    List<JsonNode> entries = parsed(row.requireLabel());
    if (entries == null) {
      throw new LoraGraphException(
          "%s has the label '%s', which is no %s of %s"
              .formatted(row.place(), shown(row), row.given() ? "list" : "JSON array", what));
    }
    return entries;
  }

  /** The names in a label; one that is no JSON array is divided at commas. */
  static List<String> names(String label) {
    List<JsonNode> entries = label.startsWith("[") ? parsed(label) : null;
    return entries == null
        ? Arrays.stream(label.split(","))
            .map(String::strip)
            .filter(name -> !name.isEmpty())
            .toList()
        : entries.stream().map(JsonNode::asText).toList();
  }

  /** The entries of a JSON array; null where it is none, or has anything but values in it. */
  private static @Nullable List<JsonNode> parsed(String label) {
    List<JsonNode> entries = new ArrayList<>();
    try {
      JsonNode array = JSON.readTree(label);
      if (array.isArray()) {
        array.forEach(entries::add);
        return entries.stream().allMatch(e -> e.isValueNode() && !e.isNull()) ? entries : null;
      }
    } catch (JsonProcessingException e) {
      // As every other label that is no array.
    }
    return null;
  }
}
