package io.github.loragraph.data;

import io.github.loragraph.error.Counted;
import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Queries with their candidates as pairs of texts, a row for each: the query, a document, and how
 * relevant the one is to the other. A row of numbers has the name of its query for a second text.
 */
public final class CandidatePairs {
  private CandidatePairs() {}

  /**
   * The pairs of some groups, those of a group in their order. Where there are scores, a document
   * without one is not relevant (0); where there are none, the first of several documents is (1).
   *
   * @param labelled whether each has to have a label
   * @throws LoraGraphException if one has none, or one that is no number; it names the line
   */
  public static List<Row> of(List<TextGroup> groups, boolean labelled) {
    List<Row> rows = new ArrayList<>();
    for (TextGroup group : groups) {
      for (int i = 0; i < group.texts().size(); i++) {
        rows.add(row(group, i, labelled));
      }
    }
    return rows;
  }

  private static Row row(TextGroup group, int i, boolean labelled) {
    Row document = group.texts().get(i);
    @Nullable String query = group.anchor().text();
    if (query == null) {
      throw new LoraGraphException(
          group.place()
              + " has its query as numbers: a reranker reads query and document as one, so give the numbers of each pair, and a text that names the query");
    }
    @Nullable String label = labelled ? label(group, i) : null;
    boolean given = group.given();
    return document.isText()
        ? new Row(query, document.text(), label, Map.of(), group.place(), given, null, null)
        : new Row(null, query, label, document.values(), group.place(), given, null, null);
  }

  private static String label(TextGroup group, int i) {
    int scores = group.scores().size();
    if (scores == 0 && group.texts().size() == 1) {
      throw new LoraGraphException(
          "%s has one document, and nothing says how relevant it is: give it a label from 0 to 1, or give negatives"
              .formatted(group.place()));
    }
    if (scores == 0) {
      return i == 0 ? "1" : "0";
    }
    if (i >= scores) {
      return "0";
    }
    return Double.toString(i == 0 ? group.requireScore() : group.requireScores().get(i));
  }

  /**
   * Says what is odd about labelled pairs: that some are there twice, also with another label, and
   * that queries have no relevant document.
   *
   * @param name what the notices call the data
   */
  public static void check(List<Row> pairs, String name, Consumer<String> notices) {
    Map<List<Object>, String> labels = new HashMap<>();
    Set<Object> queries = new HashSet<>();
    Set<Object> relevant = new HashSet<>();
    int twice = 0;
    int other = 0;
    for (Row row : pairs) {
      Object query = query(row);
      queries.add(query);
      double label = number(row);
      if (label > 0) {
        relevant.add(query);
      }
      if (row.isText()) {
        String before =
            labels.put(List.of(query, String.valueOf(row.textPair())), Double.toString(label));
        twice += before == null ? 0 : 1;
        other += before == null || before.equals(Double.toString(label)) ? 0 : 1;
      }
    }
    if (twice > 0) {
      notices.accept(
          "%s: %s there before%s"
              .formatted(
                  name,
                  Counted.of(
                      twice,
                      "pair of a query and a document was",
                      "pairs of a query and a document were"),
                  other == 0 ? "" : ", %,d of them with another label".formatted(other)));
    }
    if (relevant.size() < queries.size()) {
      notices.accept(
          "%s: %,d of %,d queries have no relevant document"
              .formatted(name, queries.size() - relevant.size(), queries.size()));
    }
  }

  private static double number(Row row) {
    try {
      return Double.parseDouble(String.valueOf(row.label()));
    } catch (NumberFormatException e) {
      return Double.NaN; // whoever learns from it refuses it
    }
  }

  /** What pairs of one query have in common. */
  public static Object query(Row row) {
    if (row.text() != null) {
      return row.text();
    }
    return row.textPair() != null ? row.textPair() : row;
  }
}
