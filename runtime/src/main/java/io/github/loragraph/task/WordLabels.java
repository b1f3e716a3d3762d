package io.github.loragraph.task;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.data.EntitySpan;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.Sentence;
import io.github.loragraph.data.SpanLabels;
import io.github.loragraph.data.TagScheme;
import io.github.loragraph.data.Tagging;
import io.github.loragraph.data.Words;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.training.CrossEntropyLoss;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The labels of words: tags of a scheme that is recognised from all of them, or spans of
 * characters. Both are entities first, and then the tags that a head has classes for.
 */
final class WordLabels {
  private static final String IGNORED = Long.toString(CrossEntropyLoss.IGNORE_INDEX);

  private final LabelSet labels;
  private final TagScheme scheme;

  /** Of the rows themselves: two may have one place. */
  private final IdentityHashMap<Row, List<String>> tags;

  private final @Nullable Tagging tagging;
  private long entities;
  private long widened;
  private long lost;

  private WordLabels(
      LabelSet labels, IdentityHashMap<Row, List<String>> tags, @Nullable Tagging tagging) {
    this.labels = labels;
    this.scheme = TagScheme.of(labels.names()).orElse(TagScheme.BIO);
    this.tags = tags;
    this.tagging = tagging;
  }

  /**
   * Looks at all labels of some data.
   *
   * @param rows of texts, with labels
   * @param labels of the head
   * @param notices gets the line on the scheme
   * @throws LoraGraphException if the tags follow no scheme, or are more or fewer than the words;
   *     it names the line
   */
  static WordLabels of(List<Row> rows, LabelSet labels, Consumer<String> notices) {
    List<Tagging.Tagged> tagged = tagged(rows, labels);
    if (tagged.isEmpty()) {
      return new WordLabels(labels, new IdentityHashMap<>(), null);
    }
    Tagging tagging = Tagging.of(tagged);
    tell(rows, tagging, notices);
    IdentityHashMap<Row, List<String>> byRow = new IdentityHashMap<>();
    tagged.forEach(sentence -> byRow.put(sentence.row(), sentence.tags()));
    return new WordLabels(labels, byRow, tagging);
  }

  private static void tell(List<Row> rows, Tagging tagging, Consumer<String> notices) {
    if (tagging.note() != null) {
      notices.accept(rows.get(0).source() + ": " + tagging.note());
    }
  }

  private static List<Tagging.Tagged> tagged(List<Row> rows, LabelSet labels) {
    List<Tagging.Tagged> tagged = new ArrayList<>();
    for (Row row : rows) {
      Words words = row.words();
      if (words == null) {
        continue;
      }
      List<String> tags = new ArrayList<>();
      for (JsonNode entry : LabelList.required(row, "tags, one for each word")) {
        tags.add(named(entry, labels));
      }
      if (tags.size() != words.texts().size()) {
        throw new LoraGraphException(
            "%s has %d tags for %d words: give one each"
                .formatted(row.place(), tags.size(), words.texts().size()));
      }
      tagged.add(new Tagging.Tagged(row, tags));
    }
    return tagged;
  }

  /** A number that is no name is that of a class of the head. */
  private static String named(JsonNode entry, LabelSet labels) {
    String tag = entry.asText().strip();
    int index = tag.matches("\\d+") ? labels.indexOf(tag) : -1;
    return index < 0 ? tag : labels.names().get(index);
  }

  /**
   * The names of the classes that a head for some data needs.
   *
   * @param rows with labels, of words or with spans of characters
   * @throws LoraGraphException as {@link #of} does, or if there is no entity
   */
  static LabelSet classes(List<Row> rows, Consumer<String> notices) {
    Set<String> types = new TreeSet<>();
    Set<String> ofSeveralWords = new TreeSet<>();
    List<Tagging.Tagged> tagged = tagged(rows, new LabelSet(List.of()));
    if (tagged.isEmpty()) {
      for (Row row : rows) {
        SpanLabels.of(row).orElseThrow(() -> noSpans(row)).stream()
            .map(EntitySpan::type)
            .forEach(types::add);
      }
      ofSeveralWords.addAll(types);
    } else {
      Tagging tagging = Tagging.of(tagged);
      tell(rows, tagging, notices);
      if (tagging.scheme().isEmpty() && !isOutsideAlone(tagged)) {
        return LabelSet.of(rows, row -> Classes.names(LabelList.names(row.requireLabel())));
      }
      types.addAll(tagging.types());
      for (Tagging.Tagged sentence : tagged) {
        TagScheme.entities(sentence.tags()).stream()
            .filter(entity -> entity.end() - entity.start() > 1)
            .forEach(entity -> ofSeveralWords.add(entity.type()));
      }
    }
    if (types.isEmpty()) {
      throw new LoraGraphException(
          "%s: no word is of an entity: a head needs one type or more"
              .formatted(rows.get(0).source()));
    }
    List<String> names = new ArrayList<>(List.of(TagScheme.OUTSIDE));
    types.forEach(type -> names.addAll(TagScheme.BIO.tagsOf(type)));
    if (names.size() > LabelSet.MOST) {
      throw new LoraGraphException(
          "%s: %,d types of entities are more than a head has classes for"
              .formatted(rows.get(0).source(), types.size()));
    }
    List<String> single = types.stream().filter(type -> !ofSeveralWords.contains(type)).toList();
    if (!single.isEmpty()) {
      notices.accept(
          "%s: no entity of several words is of %s: the head has I- for it all the same"
              .formatted(rows.get(0).source(), new LabelSet(single)));
    }
    return new LabelSet(names);
  }

  private static boolean isOutsideAlone(List<Tagging.Tagged> tagged) {
    return tagged.stream()
        .flatMap(sentence -> sentence.tags().stream())
        .allMatch(tag -> tag.equals(TagScheme.OUTSIDE) || tag.equals(IGNORED));
  }

  private static LoraGraphException noSpans(Row row) {
    return new LoraGraphException(
        "%s has the label '%s', which is neither a list of spans nor of tags: write [[start, end, type], ...]"
            .formatted(row.place(), LabelList.shown(row)));
  }

  /**
   * The class of each word of a row.
   *
   * @throws LoraGraphException if the head has none for one, or spans are not in the text or
   *     overlap; it names the line
   */
  int[] of(Row row, Sentence sentence) {
    List<String> given = tags.get(row);
    boolean plain = tagging != null && tagging.scheme().isEmpty();
    List<String> own =
        row.words() != null && given != null && plain
            ? given
            : scheme.tags(entities(row, sentence, given), sentence.size());
    int[] classes = new int[sentence.size()];
    for (int word = 0; word < classes.length; word++) {
      boolean ignored = given != null && given.get(word).equals(IGNORED);
      classes[word] =
          ignored ? (int) CrossEntropyLoss.IGNORE_INDEX : index(row, word, own.get(word));
    }
    return classes;
  }

  private int index(Row row, int word, String tag) {
    int index = labels.indexOf(tag);
    if (index < 0) {
      throw new LoraGraphException(
          "%s has the label '%s', which the model's head does not know; it knows %s"
              .formatted(
                  row.words() == null ? row.place() : row.placeOf(word),
                  PlainText.shortened(tag, LabelList.LONGEST_SHOWN),
                  labels),
          Remedy.ADD_HEAD_FOR_LABELS);
    }
    return index;
  }

  private List<EntitySpan> entities(Row row, Sentence sentence, @Nullable List<String> given) {
    if (given != null) {
      return TagScheme.entities(given);
    }
    Optional<List<EntitySpan>> spans = SpanLabels.of(row);
    return ofWords(spans.orElseThrow(() -> noSpans(row)), sentence);
  }

  /** Spans of characters as spans of words: of each word that has a character in one. */
  private List<EntitySpan> ofWords(List<EntitySpan> spans, Sentence sentence) {
    List<EntitySpan> found = new ArrayList<>();
    int word = 0;
    for (EntitySpan span : spans) {
      entities++;
      int start = span.start() - sentence.lead();
      int end = span.end() - sentence.lead();
      while (word < sentence.size() && sentence.ends()[word] <= start) {
        word++;
      }
      int first = word;
      while (word < sentence.size() && sentence.starts()[word] < end) {
        word++;
      }
      if (first == word) {
        lost++;
        continue;
      }
      widened += sentence.starts()[first] < start || sentence.ends()[word - 1] > end ? 1 : 0;
      found.add(new EntitySpan(first, word, span.type()));
    }
    return found;
  }

  /** What is worth saying of what became of spans, a line each. */
  List<String> notes(List<Row> rows) {
    List<String> notes = new ArrayList<>();
    String source = rows.isEmpty() ? "" : rows.get(0).source();
    if (widened > 0) {
      notes.add(
          "%s: %,d of %,d spans begin or end inside of a word: they are taken for its whole"
              .formatted(source, widened, entities));
    }
    if (lost > 0) {
      notes.add(
          "%s: %,d of %,d spans have no word to themselves, and count nothing"
              .formatted(source, lost, entities));
    }
    return notes;
  }

  /** Whether rows are read by words: texts are, single ones. */
  static void requireWords(List<Row> rows) {
    for (Row row : rows) {
      if (!row.isText()) {
        throw new LoraGraphException(
            row.place() + " mixes text and pre-tokenized rows: split the data");
      }
      if (row.textPair() != null) {
        throw new LoraGraphException(
            row.place() + " is a pair of texts, and entities are labelled in single texts");
      }
    }
  }
}
