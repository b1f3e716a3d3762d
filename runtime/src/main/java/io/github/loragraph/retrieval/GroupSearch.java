package io.github.loragraph.retrieval;

import io.github.loragraph.data.Row;
import io.github.loragraph.data.TextGroup;
import io.github.loragraph.task.Report;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A search among the texts of a set itself: each different anchor is a query, each different
 * positive or negative a document, and the positives of an anchor, of all groups that it is in, are
 * relevant to it.
 */
final class GroupSearch implements EmbeddingMeasure {
  private final Numbered queries = new Numbered();
  private final Numbered documents = new Numbered();
  private final List<Relevance> relevance;

  /** For each group anchor, positive, and the negatives, by their numbers. */
  private final List<int[]> groups = new ArrayList<>();

  /** Texts, each once. */
  private static final class Numbered {
    private final Map<Object, Integer> numbers = new LinkedHashMap<>();
    private final List<Row> rows = new ArrayList<>();

    int number(Row row) {
      return numbers.computeIfAbsent(
          row.content(),
          key -> {
            rows.add(row);
            return rows.size() - 1;
          });
    }
  }

  GroupSearch(List<TextGroup> from) {
    List<Set<Integer>> relevant = new ArrayList<>();
    for (TextGroup group : from) {
      int[] numbers = new int[1 + group.texts().size()];
      numbers[0] = queries.number(group.anchor());
      for (int i = 1; i < numbers.length; i++) {
        numbers[i] = documents.number(group.texts().get(i - 1));
      }
      groups.add(numbers);
      if (numbers[0] == relevant.size()) {
        relevant.add(new LinkedHashSet<>());
      }
      relevant.get(numbers[0]).add(numbers[1]);
    }
    relevance =
        relevant.stream()
            .map(
                its -> {
                  double[] grades = new double[its.size()];
                  Arrays.fill(grades, 1);
                  return new Relevance(its.stream().mapToInt(Integer::intValue).toArray(), grades);
                })
            .toList();
  }

  @Override
  public List<Row> queries() {
    return queries.rows;
  }

  @Override
  public List<Row> documents() {
    return documents.rows;
  }

  @Override
  public Report report(float[][] queryVectors, float[][] documentVectors) {
    float[][] anchors = Cosine.units(queryVectors);
    float[][] units = Cosine.units(documentVectors);
    RelevantRanks ranks =
        new RelevantRanks(anchors, relevance, i -> units[i], RankOrder.WITHOUT_IDS);
    ranks.add(0, units);
    RetrievalReport search = SearchSet.report(ranks, units.length);
    return new RetrievalReport(
        search.examples(), search.documents(), search.ranking(), tripletAccuracy(anchors, units));
  }

  /** Ties are wrong; null where there are no negatives. */
  private @Nullable Double tripletAccuracy(float[][] anchors, float[][] units) {
    long triplets = 0;
    long right = 0;
    for (int[] group : groups) {
      double positive = Cosine.of(anchors[group[0]], units[group[1]]);
      for (int i = 2; i < group.length; i++) {
        triplets++;
        right += positive > Cosine.of(anchors[group[0]], units[group[i]]) ? 1 : 0;
      }
    }
    return triplets == 0 ? null : (double) right / triplets;
  }
}
