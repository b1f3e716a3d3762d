package io.github.loragraph.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads groups of texts out of the files that {@link DataFile} reads: a column or field for the
 * anchor, one for the positive, any number of negatives ({@code negative}, {@code negative_1},
 * ...), and scores. In JSON lines {@code negatives} and {@code scores} may be lists, and a text may
 * be an object with numbers for the model's inputs.
 *
 * <p>Long because what counts as a group in each kind of row is told in one place.
 */
public final class GroupFile {
  private static final List<String> ANCHOR =
      List.of(
          "anchor",
          "query",
          "question",
          "sentence1",
          "question1",
          "text",
          "text1",
          "sentence",
          "premise");
  private static final List<String> POSITIVE =
      List.of(
          "positive",
          "passage",
          "document",
          "answer",
          "response",
          "sentence2",
          "question2",
          "text_pair",
          "text2",
          "hypothesis");
  private static final String IDS = "input_ids";

  private static final List<String> DOCUMENTS = List.of("documents", "passages", "docs", "texts");

  private static final List<String> SCORE =
      List.of("score", "similarity", "similarity_score", "scores", "label", "labels");
  private static final Pattern NEGATIVE =
      Pattern.compile("(?:hard_)?neg(?:ative)?s?(?:[_-]?\\d+)?", Pattern.CASE_INSENSITIVE);

  /** A teacher's score of one negative: {@code negative_2_score}. */
  private static final String SCORE_OF = "_score";

  private final Path file;
  private final @Nullable String anchor;
  private final @Nullable String positive;
  private final @Nullable String score;
  private final Consumer<String> notices;
  private final boolean candidates;
  private final boolean labelled;
  private final NoticesOnce once;

  /**
   * @param anchor the column of the anchor; null for the first that is there of the usual names
   * @param positive the column of the second text; null for the usual names
   * @param score the column of the score; null for the usual names
   * @param notices gets a line for whatever was guessed
   */
  public GroupFile(
      Path file,
      @Nullable String anchor,
      @Nullable String positive,
      @Nullable String score,
      Consumer<String> notices) {
    this(file, anchor, positive, score, notices, false, true);
  }

  private GroupFile(
      Path file,
      @Nullable String anchor,
      @Nullable String positive,
      @Nullable String score,
      Consumer<String> notices,
      boolean candidates,
      boolean labelled) {
    this.file = file;
    this.anchor = anchor;
    this.positive = positive;
    this.score = score;
    this.notices = notices;
    this.candidates = candidates;
    this.labelled = labelled;
    this.once = NoticesOnce.of(notices);
  }

  /**
   * The same for queries with candidates: {@code documents} (or {@code passages}, {@code docs}) may
   * be a list, of which {@code labels} or {@code scores} have one number each, and a row may be the
   * numbers of one pair for the model's inputs.
   *
   * @param toLearn whether what is learned from them has to be there: of one document and of a list
   *     how relevant they are
   */
  public GroupFile withCandidates(boolean toLearn) {
    return new GroupFile(file, anchor, positive, score, notices, true, toLearn);
  }

  /**
   * All groups.
   *
   * @throws LoraGraphException if the file is missing, of another kind or empty, or a line of it
   *     has not two texts; it names the line
   */
  public List<TextGroup> read() {
    List<TextGroup> groups = new ArrayList<>();
    new DataFile(file, Columns.NONE, notices)
        .fields((place, fields) -> groups.add(group(fields, place)));
    return groups;
  }

  private TextGroup group(Map<String, JsonNode> fields, String place) {
    List<String> names = List.copyOf(fields.keySet());
    if (candidates && fields.containsKey(IDS)) {
      return tokens(fields, place);
    }
    String list = candidates && positive == null ? listName(fields, place) : null;
    if (list != null) {
      return list(fields, list, place);
    }
    String anchorName = named(names, anchor, ANCHOR, "text", place);
    String positiveName = named(names, positive, POSITIVE, "text pair", place);
    String scoreName = scoreName(names, place);
    ColumnNames.refuseTwoRoles(anchorName, positiveName, scoreName, place);
    List<Row> texts = new ArrayList<>();
    List<String> negatives = new ArrayList<>();
    texts.add(required(fields, positiveName, place));
    for (String name : names) {
      if (NEGATIVE.matcher(name).matches() && !name.equals(positiveName)) {
        List<Row> rows = rows(fields.get(name), name, place);
        texts.addAll(rows);
        rows.forEach(row -> negatives.add(name));
      }
    }
    once.tell(
        file.toString(),
        ": '%s' with '%s'%s%s"
            .formatted(
                anchorName,
                positiveName,
                negatives.isEmpty()
                    ? ""
                    : " against '%s'".formatted(String.join("', '", distinct(negatives))),
                scoreName == null ? "" : ", score from '%s'".formatted(scoreName)));
    return new TextGroup(
        required(fields, anchorName, place),
        texts,
        scores(fields, scoreName, negatives, place),
        place,
        false);
  }

  private @Nullable String listName(Map<String, JsonNode> fields, String place) {
    List<String> names =
        fields.entrySet().stream()
            .filter(field -> field.getValue().isArray())
            .map(Map.Entry::getKey)
            .toList();
    return ColumnNames.find(names, DOCUMENTS, place, once);
  }

  /** A query with all its candidates. */
  private TextGroup list(Map<String, JsonNode> fields, String list, String place) {
    List<String> names = List.copyOf(fields.keySet());
    String anchorName = named(names, anchor, ANCHOR, "text", place);
    String scoreName = scoreName(names, place);
    ColumnNames.refuseTwoRoles(anchorName, list, scoreName, place);
    List<Row> texts = rows(fields.get(list), list, place);
    List<Double> scores = scores(fields, scoreName, List.of(), place);
    if (texts.isEmpty()) {
      throw new LoraGraphException(
          "%s: '%s' is empty: give the documents, or delete the line".formatted(place, list));
    }
    if (labelled && scores.isEmpty()) {
      throw new LoraGraphException(
          "%s has '%s' and no 'labels', which say of each how relevant it is"
              .formatted(place, list));
    }
    if (!scores.isEmpty() && scores.size() != texts.size()) {
      throw new LoraGraphException(
          "%s has %d labels for %d documents: give one for each"
              .formatted(place, scores.size(), texts.size()));
    }
    once.tell(
        file.toString(),
        ": '%s' with the candidates '%s'%s"
            .formatted(
                anchorName,
                list,
                scoreName == null ? "" : ", labels from '%s'".formatted(scoreName)));
    return new TextGroup(required(fields, anchorName, place), texts, scores, place, false);
  }

  /** One pair, as numbers; a text beside them names the query. */
  private TextGroup tokens(Map<String, JsonNode> fields, String place) {
    List<String> names = List.copyOf(fields.keySet());
    String scoreName = scoreName(names, place);
    String query = ColumnNames.find(names, anchor == null ? ANCHOR : List.of(anchor), place, once);
    Map<String, Values> inputs = new LinkedHashMap<>();
    fields.forEach(
        (name, value) -> {
          if (!name.equals(scoreName) && !name.equals(query)) {
            inputs.put(name, JsonLinesReader.numbers(name, value, place));
          }
        });
    Row named =
        query == null
            ? new Row(place, null, null, Map.of(), place)
            : required(fields, query, place);
    return new TextGroup(
        named,
        List.of(new Row(null, null, null, inputs, place)),
        scores(fields, scoreName, List.of(), place),
        place,
        false);
  }

  private static List<String> distinct(List<String> names) {
    return names.stream().distinct().toList();
  }

  private String named(
      List<String> names, @Nullable String own, List<String> usual, String role, String place) {
    List<String> candidates = own == null ? usual : List.of(own);
    String found = ColumnNames.find(names, candidates, place, once);
    if (found == null) {
      String what =
          "%s has no column '%s', and two texts are needed; it has %s"
              .formatted(place, candidates.get(0), DataFile.shortened(names));
      throw ColumnNames.missing(what, candidates, names, role);
    }
    return found;
  }

  private @Nullable String scoreName(List<String> names, String place) {
    if (score != null) {
      return named(names, score, SCORE, "label", place);
    }
    return ColumnNames.find(names, SCORE, place, once);
  }

  private static Row required(Map<String, JsonNode> fields, String name, String place) {
    List<Row> rows = rows(Objects.requireNonNull(fields.get(name)), name, place);
    if (rows.size() != 1) {
      throw new LoraGraphException(
          rows.isEmpty()
              ? "%s has nothing in '%s', where a text is needed: mend or delete the line"
                  .formatted(place, name)
              : "%s has %d texts in '%s' where one is needed: write a line for each"
                  .formatted(place, rows.size(), name));
    }
    return rows.get(0);
  }

  /** A text, several in a list, or none where the cell is empty. */
  private static List<Row> rows(@Nullable JsonNode value, String name, String place) {
    if (value == null || value.isNull() || value.isTextual() && value.asText().isBlank()) {
      return List.of();
    }
    if (value.isTextual()) {
      String text = DataFile.checked(value.asText().strip(), name, place);
      return List.of(new Row(text, null, null, Map.of(), place));
    }
    if (value.isObject()) {
      Map<String, Values> inputs = new LinkedHashMap<>();
      value
          .properties()
          .forEach(
              field ->
                  inputs.put(
                      field.getKey(),
                      JsonLinesReader.numbers(field.getKey(), field.getValue(), place)));
      return List.of(new Row(null, null, null, inputs, place));
    }
    if (value.isArray()) {
      List<Row> rows = new ArrayList<>();
      for (JsonNode element : value) {
        List<Row> one = element.isArray() ? List.of() : rows(element, name, place);
        if (one.size() != 1) {
          throw new LoraGraphException(
              "%s: '%s' is a list in which something is no text: mend or delete the line"
                  .formatted(place, name));
        }
        rows.addAll(one);
      }
      return rows;
    }
    throw new LoraGraphException(
        "%s: '%s' is no text: mend or delete the line".formatted(place, name));
  }

  private static List<Double> scores(
      Map<String, JsonNode> fields,
      @Nullable String scoreName,
      List<String> negatives,
      String place) {
    JsonNode own = scoreName == null ? null : fields.get(scoreName);
    if (own == null || own.isNull() || own.isTextual() && own.asText().isBlank()) {
      return List.of();
    }
    List<Double> scores = new ArrayList<>();
    if (own.isArray()) {
      own.forEach(element -> scores.add(number(element)));
      return scores;
    }
    scores.add(number(own));
    List<Double> ofNegatives = new ArrayList<>();
    for (String negative : distinct(negatives)) {
      JsonNode value = fields.get(negative + SCORE_OF);
      if (value != null && value.isArray()) {
        value.forEach(element -> ofNegatives.add(number(element)));
      } else if (value != null && !value.isNull()) {
        ofNegatives.add(number(value));
      }
    }
    if (!ofNegatives.isEmpty() && ofNegatives.size() != negatives.size()) {
      throw new LoraGraphException(
          "%s has %d negatives and %d scores of negatives: give one for each"
              .formatted(place, negatives.size(), ofNegatives.size()));
    }
    scores.addAll(ofNegatives);
    return scores;
  }

  private static double number(JsonNode value) {
    if (value.isNumber()) {
      return value.doubleValue();
    }
    return DecimalNumber.parsed(value.asText().strip());
  }
}
