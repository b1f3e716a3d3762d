package io.github.loragraph.task;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Loss;
import java.util.List;
import java.util.Optional;

/**
 * A vector for each text, near to those of texts that mean the same. It has no labels: what it is
 * trained and measured on are groups of texts, of which package {@code embedding} knows, and what
 * it answers is no {@link Prediction}.
 */
final class EmbeddingTask extends Task {
  EmbeddingTask() {
    super("embedding", "multiple-negatives", Logits.Form.EMBEDDINGS, null);
  }

  @Override
  public List<String> figureNames() {
    return List.of(
        "spearman",
        "pearson",
        "ndcg@10",
        "mrr@10",
        "recall@1",
        "recall@5",
        "recall@10",
        "recall@100",
        "map",
        "tripletAccuracy");
  }

  @Override
  public Loss loss(LossOptions options, List<Example> examples) {
    refuseOptions(options);
    throw otherData();
  }

  private static LoraGraphException otherData() {
    return new LoraGraphException(
        "a model of embeddings answers with vectors and has no labels", Remedy.EMBED);
  }

  @Override
  protected Values target(Row row, LabelSet labels) {
    throw otherData();
  }

  @Override
  public Report report(float[][] logits, List<Example> examples, int outputs) {
    throw otherData();
  }

  @Override
  protected Prediction prediction(float[] logits, List<String> names) {
    throw otherData();
  }

  @Override
  protected List<Mistake> mistakes(
      int number, float[] logits, Example example, List<String> names) {
    throw otherData();
  }

  @Override
  public boolean namesClasses() {
    return false;
  }

  @Override
  public Optional<String> refusalOfHead() {
    return Optional.of("embeddings need no head: train the encoder as it is");
  }

  @Override
  public LabelSet labelsOf(List<Row> rows) {
    throw new LoraGraphException("embeddings need no head: train the encoder as it is");
  }

  @Override
  public String describe(LabelSet labels) {
    return "a vector of %,d numbers".formatted(labels.size());
  }
}
