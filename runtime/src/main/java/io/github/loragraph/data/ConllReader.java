package io.github.loragraph.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Sentences as CoNLL's shared tasks wrote them: a word in each line, in columns that tabs or spaces
 * divide, and an empty line after each sentence. The first column is the word and the last one its
 * tag, unless others are named by their numbers, from 1. Lines that begin with {@code -DOCSTART-},
 * and comments before a sentence, are passed over.
 *
 * <p>Universal Dependencies' form, of files whose name says so, has ten columns (<a
 * href="https://universaldependencies.org/format.html">CoNLL-U</a>): its second one is the word,
 * its fourth the part of speech. Ranges of words that stand in one ({@code 1-2}) and words that are
 * not in the text ({@code 1.1}) are passed over.
 */
final class ConllReader {
  private static final Pattern ENDING =
      Pattern.compile(".*\\.(conll|conllu|conll03|bio|iob|iob2|iob1|bioes|iobes|bilou)(\\.txt)?");
  private static final Pattern SPACES = Pattern.compile(" +");
  private static final Pattern UNIVERSAL = Pattern.compile(".*\\.conllu(\\.txt)?");
  private static final int UNIVERSAL_COLUMNS = 10;
  private static final int FORM = 1;
  private static final int UPOS = 3;

  /** What CoNLL-U writes where there is nothing. */
  private static final String NOTHING = "_";

  /** The first column of what is no word of the text. */
  private static final Pattern NO_WORD = Pattern.compile("\\d+[-.]\\d+");

  private static final String DOCUMENT = "-DOCSTART-";
  private static final String MEND = "mend or delete the line";

  private final DataFile.Request request;

  /** Columns from 0; negative for the last. */
  private final int word;

  private final int tag;
  private final boolean universal;
  private final boolean wordIsNamed;
  private final boolean tagIsNamed;
  private long firstLine;
  private int size;
  private boolean tabs;

  ConllReader(DataFile.Request request) {
    this.request = request;
    Path name = request.file().getFileName();
    this.universal =
        name != null && UNIVERSAL.matcher(name.toString().toLowerCase(Locale.ROOT)).matches();
    this.wordIsNamed = request.columns().text().size() == 1;
    this.tagIsNamed = request.columns().label().size() == 1;
    this.word = column(request.columns().text(), universal ? FORM : 0, "words");
    this.tag = column(request.columns().label(), universal ? UPOS : -1, "tags");
  }

  /** Whether a file of that name, in lower case, is read so. */
  static boolean reads(String name) {
    return ENDING.matcher(name).matches();
  }

  /** A column that was named by itself is a number here. */
  private int column(List<String> names, int usual, String what) {
    if (names.size() != 1) {
      return usual;
    }
    String name = names.get(0);
    if (!name.matches("[1-9]\\d{0,3}")) {
      throw new LoraGraphException(
          "%s has no column '%s': its columns have no names, so name that of the %s by its number, from 1 on"
              .formatted(request.file(), DataFile.shortened(names), what));
    }
    return Integer.parseInt(name) - 1;
  }

  void read(TextLines text, DataFile.Visitor visitor) {
    text.each(
        reader -> {
          TextLines.Lines lines = text.lines(reader);
          List<String> words = new ArrayList<>();
          List<String> tags = new ArrayList<>();
          long start = 0;
          for (String line = lines.next(); line != null; line = lines.next()) {
            long number = lines.number();
            if (line.isBlank() || line.startsWith(DOCUMENT)) {
              sentence(words, tags, start, visitor);
            } else if (universal ? !isNoWord(line) : !words.isEmpty() || !isComment(line)) {
              start = words.isEmpty() ? number : start;
              word(line, number, words, tags);
            }
          }
          sentence(words, tags, start, visitor);
        });
  }

  /** A number sign may be a word, too: then it has as many columns as other words. */
  private boolean isNoWord(String line) {
    List<String> cells = cells(line, line.contains("\t"));
    return NO_WORD.matcher(cells.get(0)).matches()
        || line.startsWith("#") && cells.size() != (size == 0 ? UNIVERSAL_COLUMNS : size);
  }

  /** A number sign may be a word, too: then it has a tag. */
  private boolean isComment(String line) {
    if (!line.startsWith("#")) {
      return false;
    }
    List<String> cells = cells(line, line.contains("\t"));
    int column = tag < 0 ? cells.size() - 1 : tag;
    return cells.size() < 2
        || size > 0 && cells.size() != size
        || column >= cells.size()
        || !cells.get(column).equals(TagScheme.OUTSIDE)
            && (cells.get(column).length() < 3 || !TagScheme.isTag(cells.get(column)));
  }

  private static List<String> cells(String line, boolean byTabs) {
    return byTabs
        ? Arrays.stream(line.split("\t", -1)).map(String::strip).toList()
        : List.of(SPACES.split(line.strip()));
  }

  private void word(String line, long number, List<String> words, List<String> tags)
      throws IOException {
    String place = request.place(number);
    boolean byTabs = line.stripTrailing().contains("\t");
    if (size == 0) {
      firstLine = number;
      tabs = byTabs;
    } else if (byTabs != tabs && size > 1) {
      throw new LoraGraphException(
          "%s is divided by %s, and line %d by %s: divide all by tabs"
              .formatted(place, byTabs ? "tabs" : "spaces", firstLine, tabs ? "tabs" : "spaces"));
    }
    List<String> cells = cells(byTabs ? line.replaceFirst("[\t ]+$", "") : line, byTabs);
    if (cells.size() == 1 && request.labelled()) {
      throw new LoraGraphException(
          "%s has one column, '%s': write a word and its tag, with a tab between them"
              .formatted(place, DataFile.shortened(cells)));
    }
    if (size > 0 && cells.size() != size) {
      throw new LoraGraphException(
          "%s has %d columns where line %d has %d: %s"
              .formatted(place, cells.size(), firstLine, size, MEND));
    }
    if (size == 0) {
      size = cells.size();
      tellColumns(place);
    }
    words.add(DataFile.checked(cell(cells, word, place), "word", place));
    if (hasTags() && !isWithoutTag(cells, place)) {
      tags.add(DataFile.checked(cell(cells, tag < 0 ? size - 1 : tag, place), "tag", place));
    }
  }

  private boolean hasTags() {
    return size > 1 && (request.labelled() || tag < size);
  }

  /** Says which columns are taken where that could have been others. */
  private void tellColumns(String place) {
    boolean named = wordIsNamed && (tagIsNamed || !request.labelled());
    if (named || size <= 2 && !universal) {
      return;
    }
    if (universal && size != UNIVERSAL_COLUMNS) {
      throw new LoraGraphException(
          "%s has %d columns, and CoNLL-U has %d: name those of words and tags by their numbers, or let the file's name end in .conll"
              .formatted(place, size, UNIVERSAL_COLUMNS));
    }
    request
        .notices()
        .accept(
            "%s: of %s columns %s is the word%s"
                .formatted(
                    request.file(),
                    size,
                    numbered(word, FORM, "FORM"),
                    hasTags()
                        ? " and %s the tag"
                            .formatted(numbered(tag < 0 ? size - 1 : tag, UPOS, "UPOS"))
                        : ""));
  }

  private String numbered(int column, int known, String name) {
    return "number " + (column + 1) + (universal && column == known ? " (" + name + ")" : "");
  }

  private boolean isWithoutTag(List<String> cells, String place) {
    boolean without = universal && !tagIsNamed && tag < size && cells.get(tag).equals(NOTHING);
    if (without && request.labelled()) {
      throw new LoraGraphException(
          "%s has no part of speech ('_' in column %d): mend the line, or name another column by its number"
              .formatted(place, tag + 1));
    }
    return without;
  }

  private String cell(List<String> cells, int column, String place) {
    if (column >= cells.size()) {
      throw new LoraGraphException(
          "%s has %d columns, and none of number %d: name one that is there"
              .formatted(place, cells.size(), column + 1));
    }
    if (cells.get(column).isEmpty()) {
      throw new LoraGraphException(
          "%s has nothing in column %d: %s".formatted(place, column + 1, MEND));
    }
    return cells.get(column);
  }

  private void sentence(
      List<String> words, List<String> tags, long start, DataFile.Visitor visitor) {
    if (words.isEmpty()) {
      return;
    }
    ArrayNode label = array(tags);
    boolean labelled = tags.size() == words.size();
    visitor.row(
        Row.of(new Words(words, true), labelled ? label.toString() : null, request.place(start)),
        request.fields() ? fields(array(words), labelled ? label : null) : Map.of());
    words.clear();
    tags.clear();
  }

  private static ArrayNode array(List<String> texts) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    texts.forEach(array::add);
    return array;
  }

  private static Map<String, JsonNode> fields(ArrayNode words, @Nullable ArrayNode tags) {
    Map<String, JsonNode> fields = new LinkedHashMap<>();
    fields.put("tokens", words);
    if (tags != null) {
      fields.put("tags", tags);
    }
    return fields;
  }
}
