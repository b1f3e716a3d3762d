package io.github.loragraph.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.error.Remedy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Rows of JSON lines: an object in each, with text or with numbers for the model's inputs. */
final class JsonLinesReader {
  private static final String IDS = "input_ids";
  private static final int LONGEST_REASON = 200;
  private static final ObjectReader JSON =
      new ObjectMapper(
              JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .reader(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private final DataFile.Request request;
  private final Columns columns;

  /** What was found under which name first, by its option. */
  private final Map<String, String> firstNames = new LinkedHashMap<>();

  private final NoticesOnce once;

  JsonLinesReader(DataFile.Request request) {
    this.request = request;
    this.columns = request.columns();
    this.once = NoticesOnce.of(request.notices());
  }

  void read(TextLines text, DataFile.Visitor visitor) {
    text.each(
        reader -> {
          TextLines.Lines lines = text.lines(reader);
          for (String line = lines.nextFilled(); line != null; line = lines.nextFilled()) {
            JsonNode object = object(line, request.place(lines.number()));
            visitor.row(row(object, request.place(lines.number())), fields(object));
          }
        });
  }

  private Map<String, JsonNode> fields(JsonNode object) {
    if (!request.fields()) {
      return Map.of();
    }
    Map<String, JsonNode> fields = new LinkedHashMap<>();
    object.properties().forEach(field -> fields.put(field.getKey(), field.getValue()));
    return fields;
  }

  private static JsonNode object(String line, String place) {
    JsonNode object;
    try {
      object = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      String reason = reason(e);
      throw new LoraGraphException(
          reason.startsWith("Duplicate")
              ? "%s has a field twice: %s".formatted(place, reason)
              : "%s is not JSON: %s%s"
                  .formatted(
                      place,
                      reason,
                      line.strip().startsWith("[") || line.strip().equals("{")
                          ? " (each line is one object: write the file as JSON lines)"
                          : ""),
          e);
    }
    if (!object.isObject()) {
      throw new LoraGraphException(
          place
              + " is no JSON object: each line is one example, as {\"text\": ..., \"label\": ...}");
    }
    return object;
  }

  /** Without the parser's words on where it stood: the line is named. */
  private static String reason(JsonProcessingException e) {
    String first = e.getOriginalMessage().lines().findFirst().orElse("");
    int position = first.indexOf(" (start marker");
    first = position < 0 ? first : first.substring(0, position);
    return PlainText.shortened(first, LONGEST_REASON);
  }

  private Row row(JsonNode object, String place) {
    String labelName = present(object, columns.label(), "label", place);
    if (labelName == null && (request.labelled() || columns.label().size() == 1)) {
      throw missing(object, columns.label(), "label", place);
    }
    String label = labelName == null ? null : label(object.get(labelName), labelName, place);
    Words words = words(object, labelName, place);
    if (words != null) {
      return Row.of(words, label, place);
    }
    if (!request.texts()) {
      return new Row(null, null, label, Map.of(), place);
    }
    String textName = present(object, columns.text(), "text", place);
    if (textName == null && columns.text().size() == 1) {
      throw missing(object, columns.text(), "text", place);
    }
    if (textName != null && !object.has(IDS)) {
      String pairName =
          isAnnotation(object, labelName, place)
              ? null
              : present(object, columns.textPair(), "text pair", place);
      if (pairName == null && columns.textPair().size() == 1) {
        throw missing(object, columns.textPair(), "text pair", place);
      }
      ColumnNames.refuseTwoRoles(textName, pairName, request.labelled() ? labelName : null, place);
      return new Row(
              text(object, textName, place),
              pairName == null ? null : text(object, pairName, place),
              label,
              Map.of(),
              place)
          .writtenAs(object.get(textName).asText());
    }
    if (textName != null) {
      once.tell(place, " has text and input_ids: input_ids are taken");
    }
    Map<String, Values> values = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : object.properties()) {
      String name = field.getKey();
      if (!name.equals(labelName)
          && !columns.label().contains(name)
          && !columns.text().contains(name)
          && !columns.textPair().contains(name)) {
        values.put(name, numbers(name, field.getValue(), place));
      }
    }
    if (values.isEmpty()) {
      throw missing(object, columns.text(), "text", place);
    }
    return new Row(null, null, label, values, place);
  }

  /**
   * The words of a text, as a list of texts; null where the row has none, or entities are given by
   * their places in a text.
   */
  private @Nullable Words words(JsonNode object, @Nullable String labelName, String place) {
    List<String> names = columns.text().size() == 1 ? columns.text() : Columns.WORDS;
    // Where only the fields are read, no names are looked for.
    if (columns.text().isEmpty() || object.has(IDS) || hasSpans(object, labelName)) {
      return null;
    }
    for (String name : names) {
      JsonNode list = object.path(name);
      if (!list.isArray()) {
        continue;
      }
      List<String> words = new ArrayList<>();
      for (JsonNode word : list) {
        if (!word.isTextual()) {
          // Prodigy's tokens are objects, beside the text; a pre-tokenized input may have the name.
          if (words.isEmpty() && columns.text().size() != 1) {
            return null;
          }
          throw new LoraGraphException(
              "%s: '%s' has an entry that is no text: words are a list of texts"
                  .formatted(place, name));
        }
        words.add(DataFile.checked(word.asText(), name, place));
      }
      if (words.isEmpty()) {
        throw new LoraGraphException(
            "%s: '%s' is empty: mend or delete the line".formatted(place, name));
      }
      if (columns.text().stream().anyMatch(text -> !text.equals(name) && object.hasNonNull(text))) {
        once.tell(place, " has text and '%s': '%s' are taken".formatted(name, name));
      }
      return new Words(words, false);
    }
    return null;
  }

  private static boolean hasSpans(JsonNode object, @Nullable String labelName) {
    JsonNode label = object.path(labelName == null ? "" : labelName);
    return label.isArray() && !label.isEmpty() && label.get(0).isContainerNode()
        || labelName != null && isSpans(labelName);
  }

  private static boolean isSpans(String name) {
    return name.equals("entities") || name.equals("spans");
  }

  /** What annotation tools write: there 'answer' says whether it was accepted. */
  private boolean isAnnotation(JsonNode object, @Nullable String labelName, String place) {
    if (labelName == null || !isSpans(labelName) || columns.textPair().size() == 1) {
      return false;
    }
    String answer = object.path("answer").asText("accept");
    if (answer.equals("reject") || answer.equals("ignore")) {
      throw new LoraGraphException(
          "%s is marked '%s' by who annotated it: leave the line out".formatted(place, answer));
    }
    return answer.equals("accept");
  }

  /** The first of the names under which an object has something. */
  private @Nullable String present(JsonNode object, List<String> names, String role, String place) {
    String found = names.stream().filter(object::hasNonNull).findFirst().orElse(null);
    if (found == null && names.stream().noneMatch(object::has)) {
      List<String> there = new ArrayList<>();
      object.fieldNames().forEachRemaining(there::add);
      found = ColumnNames.find(there, names, place, once);
      found = found == null || object.hasNonNull(found) ? found : null;
    }
    if (found != null) {
      String first = firstNames.putIfAbsent(role, found);
      if (first != null && !first.equals(found)) {
        once.tell(
            place,
            " has '%s' where lines before have '%s': it is taken for the same"
                .formatted(found, first));
      } else if (first == null && role.equals("text pair") && names.size() > 1) {
        once.tell(
            request.file().toString(),
            ": pairs of '%s' and '%s'".formatted(firstNames.get("text"), found));
      }
    }
    return found;
  }

  private static LoraGraphException missing(
      JsonNode object, List<String> names, String role, String place) {
    List<String> there = new ArrayList<>();
    object.fieldNames().forEachRemaining(there::add);
    if (names.stream().anyMatch(object::has)) {
      return new LoraGraphException(
          "%s: '%s' is null: mend or delete the line".formatted(place, names.get(0)));
    }
    return ColumnNames.missing(
        "%s has no '%s'; it has %s".formatted(place, names.get(0), DataFile.shortened(there)),
        names,
        there,
        Remedy.NAME_FIELD.with(role));
  }

  private static String label(JsonNode value, String name, String place) {
    if (value.isObject()) {
      throw new LoraGraphException(
          "%s: '%s' is an object: a label is a name, a number or a list of them"
              .formatted(place, name));
    }
    String label = value.isValueNode() ? value.asText().strip() : value.toString();
    return DataFile.checked(label, name, place);
  }

  private String text(JsonNode object, String name, String place) {
    JsonNode value = object.get(name);
    if (!value.isTextual() || value.asText().isBlank() && !request.emptyTexts()) {
      throw new LoraGraphException(
          "%s: '%s' is no text, or empty: mend or delete the line".formatted(place, name));
    }
    return DataFile.checked(value.asText().strip(), name, place);
  }

  /** A number, or lists of numbers in lists of one length. */
  static Values numbers(String name, JsonNode value, String place) {
    List<JsonNode> numbers = new ArrayList<>();
    List<Integer> shape = new ArrayList<>();
    for (JsonNode inner = value; inner != null && inner.isArray(); inner = inner.get(0)) {
      shape.add(inner.size());
    }
    Function<String, LoraGraphException> refusal =
        reason -> new LoraGraphException("%s: '%s' %s".formatted(place, name, reason));
    if (!flatten(value, shape, 0, numbers)) {
      throw refusal.apply("is no list of numbers (or lists of one length), as a model input is");
    }
    int[] sizes = shape.stream().mapToInt(Integer::intValue).toArray();
    if (numbers.stream().allMatch(JsonNode::isIntegralNumber)) {
      if (!numbers.stream().allMatch(JsonNode::canConvertToInt)) {
        throw refusal.apply("has an integer of more than 32 bits");
      }
      return Values.shaped(numbers.stream().mapToInt(JsonNode::intValue).toArray(), sizes);
    }
    float[] floats = new float[numbers.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = numbers.get(i).floatValue();
      if (!Float.isFinite(floats[i])) {
        throw refusal.apply("has a number that no 32-bit float holds");
      }
    }
    return Values.shaped(floats, sizes);
  }

  private static boolean flatten(
      JsonNode value, List<Integer> shape, int axis, List<JsonNode> numbers) {
    if (axis == shape.size()) {
      numbers.add(value);
      return value.isNumber();
    }
    if (!value.isArray() || value.size() != shape.get(axis)) {
      return false;
    }
    for (JsonNode element : value) {
      if (!flatten(element, shape, axis + 1, numbers)) {
        return false;
      }
    }
    return true;
  }
}
