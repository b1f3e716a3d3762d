package io.github.loragraph.retrieval;

import io.github.loragraph.data.Row;
import io.github.loragraph.data.TextGroup;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.Checksum;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Mines hard negatives, as {@code mine_hard_negatives} of sentence-transformers: for each anchor
 * the nearest texts that are neither its positives nor the anchor itself. Vectors of a corpus are
 * held only while they are looked at; texts are held for what is found.
 *
 * <p>What scores refuse has no rank: other than there, ranks count what is left, so that a text is
 * found as long as there is one.
 *
 * @param negatives of each pair, at most
 * @param rangeMin how many of the nearest candidates are passed over
 * @param rangeMax down to which rank candidates are looked at; null for as many as are needed, ten
 *     times as many where they are drawn
 * @param maxScore the highest cosine of a candidate; null for any
 * @param minScore the lowest; null for any
 * @param absoluteMargin by how much a candidate's cosine is lower than that of the anchor's
 *     farthest positive; null for any
 * @param relativeMargin the same as a share of that positive's cosine
 * @param random whether negatives are drawn among the candidates; else the nearest are taken
 * @param seed of the draws
 */
public record NegativeMiner(
    int negatives,
    int rangeMin,
    @Nullable Integer rangeMax,
    @Nullable Double maxScore,
    @Nullable Double minScore,
    @Nullable Double absoluteMargin,
    @Nullable Double relativeMargin,
    boolean random,
    long seed) {
  private static final int MORE = 10;

  /**
   * @throws LoraGraphException if a number is not possible
   */
  public NegativeMiner {
    if (negatives < 1) {
      throw new LoraGraphException(negatives + " negatives are not possible: mine 1 or more");
    }
    if (rangeMin < 0) {
      throw new LoraGraphException(
          "%,d candidates cannot be passed over: give 0 or more".formatted(rangeMin));
    }
    if (rangeMax != null && rangeMax < rangeMin + 1) {
      throw new LoraGraphException(
          "no candidate has a rank from %d to %s: the range ends after it begins"
              .formatted(rangeMin, rangeMax));
    }
    requireNumber("a highest score", maxScore);
    requireNumber("a lowest score", minScore);
    requireNumber("an absolute margin", absoluteMargin);
    requireNumber("a relative margin", relativeMargin);
    if (absoluteMargin != null && absoluteMargin < 0
        || relativeMargin != null && relativeMargin < 0) {
      throw new LoraGraphException("a margin below 0 is not possible: give 0 or more");
    }
    if (minScore != null && maxScore != null && minScore > maxScore) {
      throw new LoraGraphException(
          "no score is %s or more and %s or less".formatted(minScore, maxScore));
    }
  }

  private static void requireNumber(String what, @Nullable Double number) {
    if (number != null && !Double.isFinite(number)) {
      throw new LoraGraphException("%s of %s is no number: give one".formatted(what, number));
    }
  }

  /** A text that was found, with its cosine to the anchor. */
  public record Negative(String text, float score) {}

  /**
   * A pair with its negatives, the first found first.
   *
   * @param score the pair's own cosine
   */
  public record Mined(String anchor, String positive, float score, List<Negative> negatives) {}

  /**
   * What came of it.
   *
   * @param pairs with the negatives of each; some may have fewer than asked for
   * @param searched how many different texts were searched
   * @param refused candidates that were left out by their scores
   */
  public record Result(List<Mined> pairs, long searched, long refused) {
    public Result {
      pairs = List.copyOf(pairs);
    }
  }

  /**
   * Mines.
   *
   * @param groups anchors with positives; negatives that they have are not looked at
   * @param corpus further texts to search; null for none
   * @param notices gets a line where pairs come twice
   * @param progress gets the number of texts that were searched so far
   * @throws LoraGraphException if a group has tokens in place of text
   */
  public Result mine(
      List<TextGroup> groups,
      @Nullable Corpus corpus,
      SearchSet.Encoder ofQueries,
      SearchSet.Encoder ofDocuments,
      Consumer<String> notices,
      LongConsumer progress) {
    NumberedTexts anchors = new NumberedTexts();
    NumberedTexts positives = new NumberedTexts();
    List<Set<Integer>> known = new ArrayList<>();
    Set<List<Integer>> pairs = new LinkedHashSet<>();
    for (TextGroup group : groups) {
      int anchor = anchors.number(group.anchor());
      int positive = positives.number(group.positive());
      if (anchor == known.size()) {
        known.add(new LinkedHashSet<>());
      }
      known.get(anchor).add(positive);
      pairs.add(List.of(anchor, positive));
    }
    TextGroup.ofScoresPassedOver(groups, "mining").ifPresent(notices);
    if (pairs.size() < groups.size()) {
      notices.accept(
          "%,d of %,d pairs were there before: each is taken once"
              .formatted(groups.size() - pairs.size(), groups.size()));
    }
    float[][] queries = Cosine.units(ofQueries.vectors(anchors.rows()));
    float[][] vectors = Cosine.units(ofDocuments.vectors(positives.rows()));
    Map<List<Integer>, Float> scores = new HashMap<>();
    float[] lowest = new float[queries.length];
    Arrays.fill(lowest, Float.POSITIVE_INFINITY);
    List<Set<Integer>> leftOut = new ArrayList<>();
    for (int anchor = 0; anchor < queries.length; anchor++) {
      for (int positive : known.get(anchor)) {
        float score = (float) Cosine.of(queries[anchor], vectors[positive]);
        scores.put(List.of(anchor, positive), score);
        lowest[anchor] = Math.min(lowest[anchor], score);
      }
      leftOut.add(new HashSet<>(known.get(anchor)));
      @Nullable Integer itself = positives.find(anchors.text(anchor));
      if (itself != null) {
        leftOut.get(anchor).add(itself);
      }
    }
    long[] tooNear = new long[queries.length];
    VectorSearch search =
        new VectorSearch(
            queries,
            last(vectors.length + (corpus == null ? 0L : corpus.size())),
            RankOrder.WITHOUT_IDS,
            (anchor, document, score) -> {
              if (leftOut.get(anchor).contains(document)) {
                return false;
              }
              boolean refuses = isTooNear(score, lowest[anchor]);
              tooNear[anchor] += refuses ? 1 : 0;
              return !refuses;
            });
    search.add(vectors);
    long searched = vectors.length;
    progress.accept(searched);
    List<Integer> places = new ArrayList<>();
    if (corpus != null) {
      searched +=
          addCorpus(
              corpus,
              anchors,
              positives,
              leftOut,
              search,
              ofDocuments,
              places,
              notices,
              done -> progress.accept(vectors.length + done));
    }
    List<List<Candidate>> candidates = new ArrayList<>();
    long refused = Arrays.stream(tooNear).sum();
    for (int anchor = 0; anchor < queries.length; anchor++) {
      VectorSearch.Hits hits = search.hits(anchor);
      List<Candidate> its = new ArrayList<>();
      for (int i = 0; i < hits.documents().length; i++) {
        if (minScore != null && hits.scores()[i] < minScore) {
          refused++;
        } else {
          its.add(new Candidate(hits.documents()[i], hits.scores()[i]));
        }
      }
      candidates.add(its.subList(Math.min(rangeMin, its.size()), its.size()));
    }
    Map<Integer, String> texts = texts(candidates, positives, corpus, places);
    List<Mined> mined = new ArrayList<>();
    Random draws = new Random(seed);
    for (List<Integer> pair : pairs) {
      mined.add(
          new Mined(
              anchors.text(pair.get(0)),
              positives.text(pair.get(1)),
              Objects.requireNonNull(scores.get(pair)),
              chosen(candidates.get(pair.get(0)), texts, draws)));
    }
    return new Result(mined, searched, refused);
  }

  private record Candidate(int document, float score) {}

  private boolean isTooNear(float score, float positive) {
    return maxScore != null && score > maxScore
        || absoluteMargin != null && score > positive - absoluteMargin
        || relativeMargin != null && score > positive - relativeMargin * Math.abs(positive);
  }

  /** The rank down to which candidates are looked at. */
  private int last(long texts) {
    long needed = rangeMin + (long) negatives * (random ? MORE : 1);
    return (int) Math.min(texts, rangeMax == null ? needed : rangeMax);
  }

  /**
   * Adds what was not searched before: each text once, and no positive again, with or without its
   * title.
   *
   * @param leftOut gets the documents that are an anchor
   */
  private static long addCorpus(
      Corpus corpus,
      NumberedTexts anchors,
      NumberedTexts positives,
      List<Set<Integer>> leftOut,
      VectorSearch search,
      SearchSet.Encoder ofDocuments,
      List<Integer> places,
      Consumer<String> notices,
      LongConsumer progress) {
    Set<Long> seen = new HashSet<>();
    long[] untitled = new long[1];
    corpus.eachBlock(
        (first, rows, bodies) -> {
          List<Row> others = new ArrayList<>();
          for (int i = 0; i < rows.size(); i++) {
            String text = Objects.requireNonNull(rows.get(i).text());
            if (text.isEmpty() || positives.has(text)) {
              continue;
            }
            if (positives.has(bodies.get(i))) {
              untitled[0]++;
              continue;
            }
            if (seen.add(fingerprint(text))) {
              int number = positives.rows().size() + places.size();
              for (String its : List.of(text, bodies.get(i))) {
                @Nullable Integer anchor = anchors.find(its);
                if (anchor != null) {
                  leftOut.get(anchor).add(number);
                }
              }
              others.add(rows.get(i));
              places.add(first + i);
            }
          }
          search.add(Cosine.units(ofDocuments.vectors(others)));
          progress.accept(places.size());
        });
    if (untitled[0] > 0) {
      notices.accept(
          "%s: %s but for the title, which the pairs do not have, and not searched again"
              .formatted(
                  corpus.file(),
                  untitled[0] == 1
                      ? "1 document is a positive"
                      : "%,d documents are positives".formatted(untitled[0])));
    }
    return places.size();
  }

  /** 64 bits of a text, which tell it from others: a corpus need not stay in memory. */
  private static long fingerprint(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return Long.parseUnsignedLong(new Checksum.Builder().add(bytes).build().substring(0, 16), 16);
  }

  private static Map<Integer, String> texts(
      List<List<Candidate>> candidates,
      NumberedTexts positives,
      @Nullable Corpus corpus,
      List<Integer> places) {
    Map<Integer, String> texts = new HashMap<>();
    Map<Integer, Integer> wanted = new HashMap<>();
    int own = positives.rows().size();
    for (List<Candidate> its : candidates) {
      for (Candidate candidate : its) {
        int document = candidate.document();
        if (document < own) {
          texts.put(document, positives.text(document));
        } else {
          wanted.put(places.get(document - own), document);
        }
      }
    }
    if (corpus != null && !wanted.isEmpty()) {
      corpus
          .some(wanted::containsKey)
          .forEach(
              (place, row) ->
                  texts.put(
                      Objects.requireNonNull(wanted.get(place)),
                      Objects.requireNonNull(row.text())));
    }
    return texts;
  }

  private List<Negative> chosen(
      List<Candidate> candidates, Map<Integer, String> texts, Random draws) {
    List<Integer> order = new ArrayList<>(IntStream.range(0, candidates.size()).boxed().toList());
    if (random) {
      Collections.shuffle(order, draws);
    }
    return order.stream()
        .limit(negatives)
        .map(candidates::get)
        .map(
            candidate ->
                new Negative(
                    Objects.requireNonNull(texts.get(candidate.document())), candidate.score()))
        .toList();
  }
}
