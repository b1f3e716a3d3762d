package io.github.loragraph.task;

import io.github.loragraph.data.CandidatePairs;
import io.github.loragraph.data.DecimalNumber;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.ExampleEncoder;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.retrieval.RankingFigures;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.RelevanceLoss;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * How relevant a document is to a query, which a cross-encoder reads as one pair: one logit, whose
 * sigmoid is the score. A label is a number from 0 to 1; the target is the number of the query,
 * which equal texts share, and the label.
 */
final class RerankTask extends Task {
  private static final Map<String, RelevanceLoss.Kind> LOSSES = losses();

  /** Queries that have numbers of their own in float32, which targets are. */
  private static final int MOST_QUERIES = 1 << 24;

  RerankTask() {
    super("rerank", "binary-cross-entropy", Logits.Form.RELEVANCE, CROSS_ENCODER);
  }

  private static Map<String, RelevanceLoss.Kind> losses() {
    Map<String, RelevanceLoss.Kind> losses = new LinkedHashMap<>();
    losses.put("binary-cross-entropy", RelevanceLoss.Kind.BINARY_CROSS_ENTROPY);
    losses.put("listwise-softmax", RelevanceLoss.Kind.LISTWISE_SOFTMAX);
    losses.put("list-net", RelevanceLoss.Kind.LIST_NET);
    return losses;
  }

  @Override
  public List<String> lossNames() {
    return List.copyOf(LOSSES.keySet());
  }

  @Override
  public boolean ranks() {
    return true;
  }

  @Override
  public List<String> figureNames() {
    return List.of("loss", "listwiseLoss", RankingFigures.NDCG, "mrr@10", "map");
  }

  @Override
  public Loss loss(LossOptions options, List<Example> examples) {
    refuseOptions(options);
    Loss loss = new RelevanceLoss(Objects.requireNonNull(LOSSES.get(nameOf(options))));
    boolean teaches = examples.isEmpty() || examples.stream().anyMatch(e -> relevance(e) > 0);
    if (!teaches) {
      throw new LoraGraphException(
          "no document of the data is relevant to its query (all labels are 0): nothing can be"
              + " learned from it");
    }
    return loss;
  }

  @Override
  public List<Example> encode(ExampleEncoder encoder, List<Row> rows, LabelSet labels) {
    Map<Object, Integer> queries = new HashMap<>();
    return encoder.withTargets(
        rows,
        row -> {
          if (row.isText() && row.textPair() == null) {
            throw new LoraGraphException(
                row.place()
                    + " has one text where two are needed: a query and a document beside it");
          }
          float relevance = relevance(row);
          int number = queries.computeIfAbsent(CandidatePairs.query(row), q -> queries.size());
          if (number == MOST_QUERIES) {
            throw new LoraGraphException(
                "%s: %,d queries are the most that one training takes"
                    .formatted(row.place(), MOST_QUERIES));
          }
          return Values.of(number, relevance);
        });
  }

  @Override
  protected Values target(Row row, LabelSet labels) {
    return Values.of(0, relevance(row));
  }

  private static float relevance(Row row) {
    String label = row.requireLabel();
    double number = DecimalNumber.parsed(label);
    if (!(number >= 0 && number <= 1)) {
      throw new LoraGraphException(
          "%s has the label '%s', and how relevant a document is to a query is a number from 0 to 1: divide grades by the highest"
              .formatted(row.place(), PlainText.shortened(label, LabelList.LONGEST_SHOWN)));
    }
    return (float) number;
  }

  private static double relevance(Example example) {
    return example.requireTarget().get(1);
  }

  @Override
  public Report report(float[][] logits, List<Example> examples, int outputs) {
    double[] scores = new double[logits.length];
    double[] relevance = new double[logits.length];
    int[] queries = new int[logits.length];
    for (int i = 0; i < logits.length; i++) {
      scores[i] = logits[i][0];
      queries[i] = (int) examples.get(i).requireTarget().get(0);
      relevance[i] = relevance(examples.get(i));
    }
    return RerankReport.of(scores, queries, relevance);
  }

  @Override
  protected Prediction prediction(float[] logits, List<String> names) {
    return new Relevance(Probabilities.sigmoid(logits[0]));
  }

  /** How relevant the second text is to the first. */
  private record Relevance(double score) implements Prediction {
    @Override
    public OptionalDouble value() {
      return OptionalDouble.of(score);
    }

    @Override
    public Map<String, Object> columns(List<String> tokens) {
      return Map.of("predicted_score", score);
    }

    @Override
    public Map<String, Object> json(List<String> tokens) {
      return Map.of("score", score);
    }

    @Override
    public List<List<String>> lines(List<String> texts, List<String> tokens) {
      List<String> line = new ArrayList<>();
      line.add(String.format(Locale.ROOT, "%.4f", score));
      line.addAll(texts);
      return List.of(line);
    }
  }

  /** A document on the wrong side of a half. */
  @Override
  protected List<Mistake> mistakes(
      int number, float[] logits, Example example, List<String> names) {
    double relevance = relevance(example);
    double score = logits[0];
    if ((relevance >= 0.5) == (score >= 0)) {
      return List.of();
    }
    return List.of(
        new Mistake(
            number,
            -1,
            Float.toString((float) relevance),
            Float.toString((float) Probabilities.sigmoid(logits[0])),
            Probabilities.softplus(score) - score * relevance));
  }

  /** One, named as transformers name the logits of a model without names. */
  @Override
  public Optional<LabelSet> fixedLabels() {
    return Optional.of(new LabelSet(List.of("LABEL_0")));
  }

  @Override
  public LabelSet labelsOf(List<Row> rows) {
    return fixedLabels().orElseThrow();
  }

  @Override
  public String describe(LabelSet labels) {
    return "how relevant a document is to a query";
  }
}
