package io.github.loragraph.retrieval;

import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.task.Report;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What a search is measured on: a corpus, queries, and what is relevant to each. Immutable.
 *
 * @param queryIds of the queries that are measured
 * @param queries as many, without a prefix
 * @param relevance of each
 */
public record SearchSet(
    Corpus corpus, List<String> queryIds, List<Row> queries, List<Relevance> relevance) {
  public SearchSet {
    queryIds = List.copyOf(queryIds);
    queries = List.copyOf(queries);
    relevance = List.copyOf(relevance);
  }

  /**
   * Reads the three files.
   *
   * @param notices gets a line for what was guessed or left out
   * @throws LoraGraphException as {@link #of}, or if one cannot be read
   */
  public static SearchSet read(
      Path corpus, Path queries, Path judgements, Consumer<String> notices) {
    return of(
        Corpus.read(corpus, notices),
        Queries.read(queries, notices),
        Judgements.read(judgements, notices),
        notices);
  }

  /**
   * Joins them. Queries to which nothing is relevant have no figures and are left out ({@code
   * trec_eval} counts those that are judged with 0); that is said, and so is where queries of the
   * judgements are not among the queries.
   *
   * @param notices gets these lines
   * @throws LoraGraphException if a judged document is not in the corpus, or no query is left
   */
  public static SearchSet of(
      Corpus corpus, Queries queries, Judgements judgements, Consumer<String> notices) {
    List<String> unknown =
        judgements.byQuery().keySet().stream()
            .filter(id -> !queries.byId().containsKey(id))
            .toList();
    if (unknown.size() == judgements.byQuery().size()) {
      throw new LoraGraphException(
          "%s judges no query of %s (its first is '%s', theirs is '%s'): are they of one set?"
              .formatted(
                  judgements.file(),
                  queries.file(),
                  unknown.get(0),
                  queries.byId().keySet().iterator().next()));
    }
    if (!unknown.isEmpty()) {
      notices.accept(
          "%s: %,d of %,d judged queries are not in %s and are left out (the first: '%s')"
              .formatted(
                  judgements.file(),
                  unknown.size(),
                  judgements.byQuery().size(),
                  queries.file(),
                  unknown.get(0)));
    }
    List<String> ids = new ArrayList<>();
    List<Row> rows = new ArrayList<>();
    List<Relevance> relevance = new ArrayList<>();
    List<String> without = new ArrayList<>();
    queries
        .byId()
        .forEach(
            (id, row) -> {
              Relevance its = relevance(corpus, judgements, id);
              if (its.size() == 0) {
                without.add(id);
              } else {
                ids.add(id);
                rows.add(row);
                relevance.add(its);
              }
            });
    if (ids.isEmpty()) {
      throw new LoraGraphException(
          "%s has no relevant document for any query of %s: a grade above 0 is relevant"
              .formatted(judgements.file(), queries.file()));
    }
    if (!without.isEmpty()) {
      notices.accept(
          "%s: %,d of %,d queries have no relevant document in %s and are left out (the first: '%s')"
              .formatted(
                  queries.file(),
                  without.size(),
                  queries.byId().size(),
                  judgements.file(),
                  without.get(0)));
    }
    return new SearchSet(corpus, ids, rows, relevance);
  }

  private static Relevance relevance(Corpus corpus, Judgements judgements, String query) {
    List<Integer> documents = new ArrayList<>();
    List<Double> grades = new ArrayList<>();
    judgements
        .byQuery()
        .getOrDefault(query, Map.of())
        .forEach(
            (document, judgement) -> {
              Integer number = corpus.number(document);
              if (number == null) {
                throw new LoraGraphException(
                    "%s judges document '%s', which is not in %s: mend or delete the line"
                        .formatted(judgement.place(), document, corpus.file()));
              }
              if (judgement.grade() > 0) {
                documents.add(number);
                grades.add(judgement.grade());
              }
            });
    return new Relevance(
        documents.stream().mapToInt(Integer::intValue).toArray(),
        grades.stream().mapToDouble(Double::doubleValue).toArray());
  }

  /** Makes vectors of texts, one for each, all of one length. */
  @FunctionalInterface
  public interface Encoder {
    float[][] vectors(List<Row> texts);
  }

  /** Hears how far it is. */
  @FunctionalInterface
  public interface Progress {
    /**
     * @param done documents
     */
    void documents(long done, long all);
  }

  /**
   * Searches with each query among all documents, by the cosine of their vectors. Vectors of
   * documents are held only while they are looked at.
   */
  public RetrievalReport report(Encoder ofQueries, Encoder ofDocuments, Progress progress) {
    return report(ofQueries, ofDocuments, progress, 0, (query, hits) -> {});
  }

  /** Takes what a query found. */
  @FunctionalInterface
  public interface HitTaker {
    /**
     * @param query its id
     * @param hits the best first
     */
    void found(String query, List<FirstStage.Hit> hits);
  }

  /**
   * The same, and hands over what each query found.
   *
   * @param most documents of a query; 0 for none
   * @param taker gets them at the end
   */
  public RetrievalReport report(
      Encoder ofQueries, Encoder ofDocuments, Progress progress, int most, HitTaker taker) {
    Set<Integer> judged = new HashSet<>();
    relevance.forEach(its -> Arrays.stream(its.documents()).forEach(judged::add));
    Map<Integer, float[]> theirs = new HashMap<>();
    List<Integer> numbers = new ArrayList<>();
    List<Row> texts = new ArrayList<>();
    corpus.each(
        (number, text, body) -> {
          if (judged.contains(number)) {
            numbers.add(number);
            texts.add(text);
          }
        });
    float[][] vectors = Cosine.units(ofDocuments.vectors(texts));
    for (int i = 0; i < vectors.length; i++) {
      theirs.put(numbers.get(i), vectors[i]);
    }
    float[][] asked = Cosine.units(ofQueries.vectors(queries));
    RankOrder order = RankOrder.byId(corpus.ids());
    VectorSearch search =
        new VectorSearch(most == 0 ? new float[0][] : asked, Math.max(1, most), order);
    RelevantRanks ranks =
        new RelevantRanks(
            asked, relevance, number -> Objects.requireNonNull(theirs.get(number)), order);
    corpus.eachBlock(
        (first, block, bodies) -> {
          float[][] units = vectors(first, block, theirs, ofDocuments);
          ranks.add(first, units);
          if (most > 0) {
            search.add(units);
          }
          progress.documents(first + block.size(), corpus.size());
        });
    for (int q = 0; most > 0 && q < queryIds.size(); q++) {
      VectorSearch.Hits hits = search.hits(q);
      List<FirstStage.Hit> found = new ArrayList<>();
      for (int i = 0; i < hits.documents().length; i++) {
        String id = corpus.ids().get(hits.documents()[i]);
        found.add(new FirstStage.Hit(id, hits.scores()[i], ""));
      }
      taker.found(queryIds.get(q), found);
    }
    return report(ranks, corpus.size());
  }

  /** Of documents of which some have a vector already. */
  private static float[][] vectors(
      int first, List<Row> block, Map<Integer, float[]> known, Encoder encoder) {
    List<Row> others = new ArrayList<>();
    for (int i = 0; i < block.size(); i++) {
      if (!known.containsKey(first + i)) {
        others.add(block.get(i));
      }
    }
    Iterator<float[]> theirs = Arrays.asList(Cosine.units(encoder.vectors(others))).iterator();
    float[][] vectors = new float[block.size()][];
    for (int i = 0; i < vectors.length; i++) {
      float[] its = known.get(first + i);
      vectors[i] = its == null ? theirs.next() : its;
    }
    return vectors;
  }

  static RetrievalReport report(RelevantRanks ranks, int documents) {
    List<RankingFigures> figures = ranks.figures();
    return new RetrievalReport(figures.size(), documents, RankingFigures.mean(figures), null);
  }

  /** The same with all documents and their vectors in memory at once, as a training measures. */
  public EmbeddingMeasure measure() {
    List<Row> documents = corpus.rows();
    SearchSet set = this;
    return new EmbeddingMeasure() {
      @Override
      public List<Row> queries() {
        return set.queries;
      }

      @Override
      public List<Row> documents() {
        return documents;
      }

      @Override
      public Report report(float[][] queryVectors, float[][] documentVectors) {
        float[][] units = Cosine.units(documentVectors);
        RelevantRanks ranks =
            new RelevantRanks(
                Cosine.units(queryVectors),
                set.relevance,
                i -> units[i],
                RankOrder.byId(set.corpus.ids()));
        ranks.add(0, units);
        return SearchSet.report(ranks, units.length);
      }
    };
  }
}
