package io.github.loragraph;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.TextGroup;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A text or a pair of texts, or the tokens of one, with its label if it has one. Immutable.
 *
 * <p>Texts and labels lose the spaces around them, as in data files. What a label means is the
 * task's: the name of a class (or {@code "-100"}, which the loss leaves out), a number, several
 * names, or a name for each token.
 */
public final class Example {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final @Nullable String text;
  private final @Nullable String textPair;
  private final @Nullable String label;
  private final Map<String, Values> inputs;
  private final @Nullable String place;
  private final Map<String, @Nullable Object> fields;
  private final List<String> negatives;
  private final List<Double> scores;

  /** Null where there is a text. */
  private final @Nullable List<String> words;

  private Example(
      @Nullable String text,
      @Nullable String textPair,
      @Nullable String label,
      Map<String, Values> inputs,
      @Nullable String place,
      Map<String, @Nullable Object> fields) {
    this(text, textPair, label, inputs, place, fields, List.of(), List.of(), null);
  }

  private Example(
      @Nullable String text,
      @Nullable String textPair,
      @Nullable String label,
      Map<String, Values> inputs,
      @Nullable String place,
      Map<String, @Nullable Object> fields,
      List<String> negatives,
      List<Double> scores,
      @Nullable List<String> words) {
    this.words = words;
    this.text = text;
    this.textPair = textPair;
    this.label = label;
    this.inputs = inputs;
    this.place = place;
    this.fields = fields;
    this.negatives = negatives;
    this.scores = scores;
  }

  /** A text without a label. */
  public static Example of(String text) {
    return new Example(text.strip(), null, null, Map.of(), null, Map.of("text", text));
  }

  /** A text with the name of its class. */
  public static Example of(String text, String label) {
    return of(text).withLabel(label);
  }

  /** A text with the number that a model is to answer. */
  public static Example of(String text, double number) {
    return of(text).withNumber(number);
  }

  /** A text with the names of its classes, of which there may be none. */
  public static Example of(String text, List<String> labels) {
    return of(text).withLabels(labels);
  }

  /** Two texts without a label. */
  public static Example pair(String text, String textPair) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("text", text);
    fields.put("text_pair", textPair);
    return new Example(text.strip(), textPair.strip(), null, Map.of(), null, fields);
  }

  /**
   * Tokens without a label.
   *
   * @param inputIds the numbers of the tokens, special ones included
   */
  public static Example ofTokens(int... inputIds) {
    return new Example(
        null, null, null, Map.of("input_ids", Values.of(inputIds.clone())), null, Map.of());
  }

  /**
   * The words of a text without labels. The text is the words with a space between them.
   *
   * @throws LoraGraphException if there are none
   */
  public static Example ofWords(List<String> words) {
    List<String> copy = List.copyOf(words);
    if (copy.isEmpty()) {
      throw new LoraGraphException("a text of no words is none: give one word or more");
    }
    Map<String, Object> fields = Map.of("tokens", copy);
    return new Example(
        String.join(" ", copy), null, null, Map.of(), null, fields, List.of(), List.of(), copy);
  }

  /**
   * The words of a text with a tag for each: of entities, {@code B-PER}, {@code I-PER} and {@code
   * O} for example, of the scheme that the tags of all examples show (IOB1, BIO, BIOES or BILOU);
   * or any labels of single words.
   *
   * @throws LoraGraphException if there are none, or not as many
   */
  public static Example ofWords(List<String> words, List<String> tags) {
    if (words.size() != tags.size()) {
      throw new LoraGraphException(
          "%d words have %d tags: give one each".formatted(words.size(), tags.size()));
    }
    return ofWords(words).withLabels(tags);
  }

  static Example of(Row row, Map<String, @Nullable Object> fields) {
    return new Example(
        row.text(),
        row.textPair(),
        row.label(),
        row.values(),
        row.place(),
        fields,
        List.of(),
        List.of(),
        row.words() == null ? null : row.words().texts());
  }

  /** The same with the name of its class. */
  public Example withLabel(String name) {
    return new Example(text, textPair, name, inputs, place, fields, negatives, scores, words);
  }

  /**
   * A text with the entities in it.
   *
   * @param spans of characters of the text as it was given; none where nothing is named in it
   */
  public Example withSpans(List<EntitySpan> spans) {
    try {
      return withLabel(JSON.writeValueAsString(spans));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** The same, for a few. */
  public Example withSpans(EntitySpan... spans) {
    return withSpans(List.of(spans));
  }

  /** The same with the number that a model is to answer. */
  public Example withNumber(double number) {
    return withLabel(Double.toString(number));
  }

  /** The same with the names of its classes, or with one for each token. */
  public Example withLabels(List<String> names) {
    try {
      return withLabel(JSON.writeValueAsString(names));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** The same with another input of the model, one number for each token. */
  public Example withInput(String name, int... numbers) {
    Map<String, Values> more = new LinkedHashMap<>(inputs);
    more.put(name, Values.of(numbers.clone()));
    return new Example(text, textPair, label, more, place, fields, negatives, scores, words);
  }

  /** The same with what messages are to call it; else it is called by its number in its data. */
  public Example withPlace(String name) {
    return new Example(text, textPair, label, inputs, name, fields, negatives, scores, words);
  }

  /**
   * The same pair with texts that are wrong for the first: negatives of a search or an embedding.
   */
  public Example withNegatives(String... texts) {
    return withNegatives(List.of(texts));
  }

  /** The same pair with texts that are wrong for the first. */
  public Example withNegatives(List<String> texts) {
    List<String> stripped = texts.stream().map(String::strip).toList();
    return new Example(text, textPair, label, inputs, place, fields, stripped, scores, words);
  }

  /**
   * The same with what a teacher says of its texts: a number for the second text of the pair, then
   * one for each negative.
   */
  public Example withScores(double... numbers) {
    List<Double> boxed = Arrays.stream(numbers).boxed().toList();
    return new Example(text, textPair, label, inputs, place, fields, negatives, boxed, words);
  }

  /** The text; empty where there are tokens instead. Of words it has a space between them. */
  public Optional<String> text() {
    return Optional.ofNullable(text);
  }

  /** The words; none where the text was given as one. */
  public List<String> words() {
    return words == null ? List.of() : words;
  }

  /** The second text of a pair. */
  public Optional<String> textPair() {
    return Optional.ofNullable(textPair);
  }

  /** The texts that are wrong for the first of a pair. */
  public List<String> negatives() {
    return negatives;
  }

  /** The label as it would be written in a data file: several as a JSON array. */
  public Optional<String> label() {
    return Optional.ofNullable(label);
  }

  /** What messages call it: {@code train.tsv:7}; empty where nothing does. */
  public Optional<String> place() {
    return Optional.ofNullable(place);
  }

  /**
   * All fields of its row in their order, where it was read from a file: in tables each is text, in
   * JSON lines what JSON has (text, numbers, booleans, null, lists and maps). Of an example of the
   * program {@code text} and {@code text_pair}.
   */
  public Map<String, @Nullable Object> fields() {
    return Collections.unmodifiableMap(fields);
  }

  /**
   * The row of a data file that it is.
   *
   * @param name what messages call it unless it has a name
   * @throws LoraGraphException if there is something in its text that no tokenizer takes
   */
  Row row(String name) {
    String called = place == null ? name : place;
    if (words != null) {
      return Row.given(words, label, called);
    }
    // Spans count the characters of the text as it was given.
    String whole = fields.get("text") instanceof String given ? given : text;
    boolean same = whole != null && whole.strip().equals(text);
    return Row.given(same ? whole : text, textPair, label, inputs, called);
  }

  /** Whether it is more than a pair with a label. */
  boolean hasGroup() {
    return !negatives.isEmpty() || !scores.isEmpty();
  }

  /**
   * The group of texts that it is.
   *
   * @param name what messages call it unless it has a name
   * @throws LoraGraphException if it has not two texts, or there is something in one that no
   *     tokenizer takes
   */
  TextGroup group(String name) {
    Row row = row(name);
    if (row.text() == null || row.text().isEmpty()) {
      throw new LoraGraphException(row.place() + " has no text: give two, as a pair");
    }
    List<Row> texts = new ArrayList<>();
    if (row.textPair() != null) {
      texts.add(text(row.textPair(), row.place()));
    }
    negatives.forEach(negative -> texts.add(text(negative, row.place())));
    if (row.textPair() == null && !texts.isEmpty()) {
      throw new LoraGraphException(row.place() + " has negatives and no second text: give a pair");
    }
    List<Double> numbers =
        !scores.isEmpty() ? scores : row.label() == null ? List.of() : List.of(number(row.label()));
    return new TextGroup(text(row.text(), row.place()), texts, numbers, row.place(), true);
  }

  private static Row text(String text, String place) {
    if (text.isEmpty()) {
      throw new LoraGraphException(place + " has an empty text: mend the example, or leave it out");
    }
    return Row.given(text, null, null, Map.of(), place);
  }

  private static double number(String label) {
    try {
      return Double.parseDouble(label);
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }

  @Override
  public String toString() {
    return "%s%s%s"
        .formatted(
            text == null ? "tokens " + inputs : text,
            textPair == null ? "" : " | " + textPair,
            label == null ? "" : ": " + label);
  }
}
