package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The data of {@code examples/data/manual} are what its page says of them. */
class ManualDataTest {
  private static final Path FOLDER = Path.of("../examples/data/manual");

  @Test
  void passagesAreDistinctAndOfAboutOneLength() throws IOException {
    Map<String, String> passages = passages();
    assertEquals(400, passages.size());
    assertEquals(400, new HashSet<>(passages.values()).size());
    for (List<String> row : rows("corpus.tsv", "id", "title", "text")) {
      int words = row.get(2).split(" ").length;
      assertTrue(words >= 40 && words <= 51, () -> row.get(0) + " has " + words + " words");
    }
  }

  @Test
  void whatIsHeldOutIsNotTrainedOn() throws IOException {
    Map<String, String> passages = passages();
    Set<String> texts = new HashSet<>(passages.values());
    Set<String> questions = new HashSet<>();
    Set<String> trained = new HashSet<>();
    for (List<String> row : rows("train.tsv", "query", "positive")) {
      assertTrue(questions.add(row.get(0)), () -> "twice: " + row.get(0));
      assertTrue(texts.contains(row.get(1)), () -> "not in the corpus: " + row.get(1));
      assertTrue(trained.add(row.get(1)), () -> "twice: " + row.get(1));
    }
    assertEquals(300, questions.size());

    Map<String, String> heldOut = new LinkedHashMap<>();
    for (List<String> row : rows("queries.tsv", "id", "text")) {
      heldOut.put(row.get(0), row.get(1));
      assertTrue(questions.add(row.get(1)), () -> "trained on, too: " + row.get(1));
    }
    assertEquals(100, heldOut.size());
    for (List<String> row : rows("qrels.tsv", "query-id", "corpus-id", "score")) {
      assertTrue(heldOut.containsKey(row.get(0)));
      assertTrue(trained.add(passages.get(row.get(1))), () -> "trained on, too: " + row.get(1));
      assertEquals("1", row.get(2));
    }
    assertEquals(400, trained.size());
  }

  /** Title and text by id, as a search reads a document. */
  private static Map<String, String> passages() throws IOException {
    Map<String, String> passages = new LinkedHashMap<>();
    for (List<String> row : rows("corpus.tsv", "id", "title", "text")) {
      passages.put(row.get(0), row.get(1) + " " + row.get(2));
    }
    return passages;
  }

  private static List<List<String>> rows(String file, String... columns) throws IOException {
    List<String> lines = Files.readAllLines(FOLDER.resolve(file));
    assertEquals(String.join("\t", columns), lines.get(0));
    List<List<String>> rows =
        lines.stream().skip(1).map(line -> List.of(line.split("\t", -1))).toList();
    rows.forEach(row -> assertEquals(columns.length, row.size(), row::toString));
    return rows;
  }
}
