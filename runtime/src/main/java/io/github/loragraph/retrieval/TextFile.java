package io.github.loragraph.retrieval;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.data.ColumnNames;
import io.github.loragraph.data.DataFile;
import io.github.loragraph.data.NoticesOnce;
import io.github.loragraph.data.TableForm;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A file of texts with ids: BEIR's JSON lines, tables with a heading, or MS MARCO's table of id and
 * text without one.
 */
final class TextFile {
  private static final List<String> TITLE = List.of("title");
  private static final String ID = "id";
  private static final String TEXT = "text";

  private final Path file;
  private final List<String> idNames;
  private final List<String> textNames;
  private final boolean titled;
  private final Consumer<String> notices;
  private final NoticesOnce once;

  /**
   * @param titled whether a title stands before the text
   * @param notices gets a line for what was guessed
   */
  TextFile(
      Path file,
      List<String> idNames,
      List<String> textNames,
      boolean titled,
      Consumer<String> notices) {
    this.file = file;
    this.idNames = idNames;
    this.textNames = textNames;
    this.titled = titled;
    this.notices = notices;
    this.once = NoticesOnce.of(notices);
  }

  /** Takes texts one by one. */
  @FunctionalInterface
  interface Visitor {
    /**
     * @param text with its title, if it has one
     * @param body without
     * @param place {@code file:line}
     */
    void text(String id, String text, String body, String place);
  }

  /**
   * Hands over all texts; a text may be empty.
   *
   * @throws LoraGraphException if the file cannot be read, or a line of it has no id or no text
   */
  void each(Visitor visitor) {
    DataFile.ofFields(file, notices, new TableForm(this::headless, false))
        .fields((place, fields) -> row(place, fields, visitor));
  }

  private @Nullable List<String> headless(List<String> cells) {
    boolean named =
        cells.stream().anyMatch(cell -> idNames.stream().anyMatch(cell.strip()::equalsIgnoreCase));
    return named || cells.size() != 2 ? null : List.of(ID, TEXT);
  }

  private void row(String place, Map<String, JsonNode> fields, Visitor visitor) {
    List<String> names = List.copyOf(fields.keySet());
    String idName = ColumnNames.find(names, idNames, place, once);
    String textName = ColumnNames.find(names, textNames, place, once);
    String titleName = titled ? ColumnNames.find(names, TITLE, place, once) : null;
    if (idName == null || textName == null && titleName == null) {
      throw new LoraGraphException(
          "%s has no '%s'; it has %s: name the fields %s, or give a table of just id and text"
              .formatted(
                  place,
                  idName == null ? ID : TEXT,
                  DataFile.shortened(names),
                  titled ? "id, title and text" : "id and text"));
    }
    String id = text(fields, idName, place);
    if (id.isEmpty()) {
      throw new LoraGraphException(
          "%s has nothing in '%s': give each text an id of its own".formatted(place, idName));
    }
    String title = titleName == null ? "" : text(fields, titleName, place);
    String text = textName == null ? "" : text(fields, textName, place);
    visitor.text(id, title.isEmpty() ? text : (title + " " + text).strip(), text, place);
  }

  private static String text(Map<String, JsonNode> fields, String name, String place) {
    JsonNode value = fields.get(name);
    if (value == null || value.isNull()) {
      return "";
    }
    if (!value.isTextual() && !value.isNumber()) {
      throw new LoraGraphException(
          "%s: '%s' is no text: mend or delete the line".formatted(place, name));
    }
    return DataFile.checked(value.asText().strip(), name, place);
  }
}
