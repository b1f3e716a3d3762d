package io.github.loragraph.retrieval;

import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The documents that are searched: ids are held in memory, texts are read from the file each time
 * that they are asked for. A document is its title and its text, with a space between them, as in
 * BEIR. Immutable.
 */
public final class Corpus {
  /** Documents that are handed over at once. */
  public static final int BLOCK = 4096;

  private static final List<String> IDS =
      List.of("_id", "id", "corpus-id", "corpus_id", "doc_id", "docid", "docno", "pid");
  private static final List<String> TEXTS =
      List.of("text", "contents", "content", "passage", "document", "body");

  private final Path file;
  private final List<String> ids;
  private final Map<String, Integer> numbers;

  private Corpus(Path file, List<String> ids, Map<String, Integer> numbers) {
    this.file = file;
    this.ids = ids;
    this.numbers = numbers;
  }

  /**
   * Reads the ids of a file, and looks at all of its texts.
   *
   * @param notices gets a line for what was guessed, and one where documents are empty: they are
   *     kept
   * @throws LoraGraphException if it cannot be read, holds nothing, or an id comes twice
   */
  public static Corpus read(Path file, Consumer<String> notices) {
    List<String> ids = new ArrayList<>();
    Map<String, Integer> numbers = new HashMap<>();
    List<String> empty = new ArrayList<>();
    file(file, notices)
        .each(
            (id, text, body, place) -> {
              Integer before = numbers.putIfAbsent(id, ids.size());
              if (before != null) {
                throw new LoraGraphException(
                    "%s: the id '%s' was there before, as document %,d: give each document its own"
                        .formatted(place, id, before + 1));
              }
              ids.add(id);
              if (text.isEmpty()) {
                empty.add(id);
              }
            });
    if (empty.size() == ids.size()) {
      throw new LoraGraphException(file + " has no text in any document: is it another column?");
    }
    if (!empty.isEmpty()) {
      notices.accept(
          "%s: %s empty (the first: '%s')"
              .formatted(
                  file,
                  empty.size() == 1 ? "1 document is" : "%,d documents are".formatted(empty.size()),
                  empty.get(0)));
    }
    return new Corpus(file, Collections.unmodifiableList(ids), numbers);
  }

  private static TextFile file(Path file, Consumer<String> notices) {
    return new TextFile(file, IDS, TEXTS, true, notices);
  }

  /** The file. */
  public Path file() {
    return file;
  }

  /** The number of documents. */
  public int size() {
    return ids.size();
  }

  /** All ids, by the numbers of the documents. */
  public List<String> ids() {
    return ids;
  }

  /** The number of a document; null where there is none of this id. */
  public @Nullable Integer number(String id) {
    return numbers.get(id);
  }

  /** Takes documents one by one. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * @param number counted from 0
     * @param body its text without its title
     */
    void document(int number, Row text, String body);
  }

  /**
   * Hands over all documents in their order.
   *
   * @throws LoraGraphException if the file is not as it was
   */
  public void each(Visitor visitor) {
    int[] next = new int[1];
    file(file, notice -> {})
        .each(
            (id, text, body, place) -> {
              if (next[0] >= ids.size() || !ids.get(next[0]).equals(id)) {
                throw changed();
              }
              visitor.document(next[0]++, new Row(text, null, null, Map.of(), place), body);
            });
    if (next[0] != ids.size()) {
      throw changed();
    }
  }

  private LoraGraphException changed() {
    return new LoraGraphException(file + " was changed while it was read: begin again");
  }

  /** Takes documents many at a time. */
  @FunctionalInterface
  public interface BlockVisitor {
    /**
     * @param first the number of the first one
     * @param bodies their texts without their titles
     */
    void documents(int first, List<Row> texts, List<String> bodies);
  }

  /**
   * Hands over all documents, {@value #BLOCK} at a time.
   *
   * @throws LoraGraphException if the file is not as it was
   */
  public void eachBlock(BlockVisitor visitor) {
    List<Row> block = new ArrayList<>(BLOCK);
    List<String> bodies = new ArrayList<>(BLOCK);
    each(
        (number, text, body) -> {
          block.add(text);
          bodies.add(body);
          if (block.size() == BLOCK || number == ids.size() - 1) {
            visitor.documents(number + 1 - block.size(), List.copyOf(block), List.copyOf(bodies));
            block.clear();
            bodies.clear();
          }
        });
  }

  /** Some of the documents, by their numbers. */
  public Map<Integer, Row> some(IntPredicate wanted) {
    Map<Integer, Row> found = new HashMap<>();
    each(
        (number, text, body) -> {
          if (wanted.test(number)) {
            found.put(number, text);
          }
        });
    return found;
  }

  /** All documents in memory. */
  public List<Row> rows() {
    List<Row> rows = new ArrayList<>(size());
    each((number, text, body) -> rows.add(text));
    return rows;
  }
}
