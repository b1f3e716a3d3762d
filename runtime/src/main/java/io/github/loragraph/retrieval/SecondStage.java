package io.github.loragraph.retrieval;

import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/** Puts what a search found first into the order of a reranker, and measures both. */
public final class SecondStage {
  private final SearchSet set;
  private final int top;
  private final Map<String, List<Integer>> found = new LinkedHashMap<>();

  /**
   * @param top how many of each query's documents are put into another order; those after them stay
   *     behind them
   * @param notices gets a line where queries have no candidates, or candidates no query
   * @throws LoraGraphException if a candidate is not in the corpus, or no query has candidates
   */
  public SecondStage(SearchSet set, FirstStage first, int top, Consumer<String> notices) {
    if (top < 1) {
      throw new LoraGraphException(
          "the first %d documents cannot be put into another order: give 1 or more".formatted(top));
    }
    this.set = set;
    this.top = top;
    List<String> without = new ArrayList<>();
    for (String query : set.queryIds()) {
      List<FirstStage.Hit> hits = first.byQuery().getOrDefault(query, List.of());
      if (hits.isEmpty()) {
        without.add(query);
      }
      found.put(query, hits.stream().map(this::number).toList());
    }
    if (without.size() == found.size()) {
      throw new LoraGraphException(
          "%s has no document for any query that is measured (the first of them: '%s'; its own: '%s'): are they of one set?"
              .formatted(first.file(), without.get(0), first.byQuery().keySet().iterator().next()));
    }
    if (!without.isEmpty()) {
      notices.accept(
          "%s has nothing for %,d of %,d queries, which count as not found (the first: '%s')"
              .formatted(first.file(), without.size(), found.size(), without.get(0)));
    }
    long others = first.byQuery().keySet().stream().filter(q -> !found.containsKey(q)).count();
    if (others > 0) {
      notices.accept(
          "%s: %,d of %,d queries are not among those that are measured"
              .formatted(first.file(), others, first.byQuery().size()));
    }
  }

  private Integer number(FirstStage.Hit hit) {
    Integer number = set.corpus().number(hit.document());
    if (number == null) {
      throw new LoraGraphException(
          "%s has document '%s', which is not in %s: are they of one set?"
              .formatted(hit.place(), hit.document(), set.corpus().file()));
    }
    return number;
  }

  /** Says how relevant the second text of each pair is to the first. */
  @FunctionalInterface
  public interface Scorer {
    double[] scores(List<Row> pairs);
  }

  /**
   * Reads the documents, scores them and measures; documents of equal scores stay in their order.
   *
   * @param progress gets the number of documents that were scored so far
   */
  public RerankedSearchReport report(Scorer scorer, LongConsumer progress) {
    Set<Integer> wanted = new HashSet<>();
    found.values().forEach(numbers -> numbers.stream().limit(top).forEach(wanted::add));
    Map<Integer, Row> texts = set.corpus().some(wanted::contains);
    List<RankingFigures> before = new ArrayList<>();
    List<RankingFigures> after = new ArrayList<>();
    long pairs = 0;
    for (int q = 0; q < set.queryIds().size(); q++) {
      List<Integer> order = Objects.requireNonNull(found.get(set.queryIds().get(q)));
      List<Integer> head = order.subList(0, Math.min(top, order.size()));
      Row query = set.queries().get(q);
      double[] scores =
          scorer.scores(
              head.stream().map(n -> pair(query, Objects.requireNonNull(texts.get(n)))).toList());
      pairs += scores.length;
      List<Integer> second =
          new ArrayList<>(
              IntStream.range(0, scores.length)
                  .boxed()
                  .sorted(Comparator.comparingDouble((Integer i) -> scores[i]).reversed())
                  .map(head::get)
                  .toList());
      second.addAll(order.subList(head.size(), order.size()));
      before.add(FirstStage.figures(order, set.relevance().get(q)));
      after.add(FirstStage.figures(second, set.relevance().get(q)));
      progress.accept(pairs);
    }
    return new RerankedSearchReport(
        before.size(), pairs, top, RankingFigures.mean(before), RankingFigures.mean(after));
  }

  private static Row pair(Row query, Row document) {
    return new Row(query.text(), document.text(), null, Map.of(), document.place());
  }
}
