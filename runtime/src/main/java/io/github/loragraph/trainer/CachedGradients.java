package io.github.loragraph.trainer;

import io.github.loragraph.data.Batch;
import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.Values;
import io.github.loragraph.embedding.GroupExamples;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.LossSession;
import io.github.loragraph.engine.StepInput;
import io.github.loragraph.engine.StepResult;
import io.github.loragraph.evaluation.Evaluator;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Batches of any size in the memory of small ones: all texts are embedded without anything being
 * kept of it, the loss gives the gradient of the embeddings, and small batches carry that back to
 * the parameters, one after the other (GradCache, arXiv 2101.06983). The gradient is that of the
 * whole batch; it costs one forward pass more.
 */
final class CachedGradients implements BatchRunner {
  private final Engine engine;
  private final Evaluator evaluator;
  private final LossSession loss;
  private final BatchSource labels;
  private final BatchSource parts;
  private final int partSize;

  /**
   * @param engine trains by {@link io.github.loragraph.training.GradientLoss}
   * @param evaluator embeds single texts
   * @param labels makes the labels of the loss for a whole batch
   * @param parts makes the engine's batches, whose labels are gradients
   * @param partSize examples in one of them
   */
  CachedGradients(
      Engine engine,
      Evaluator evaluator,
      LossSession loss,
      BatchSource labels,
      BatchSource parts,
      int partSize) {
    this.engine = engine;
    this.evaluator = evaluator;
    this.loss = loss;
    this.labels = labels;
    this.parts = parts;
    this.partSize = partSize;
  }

  @Override
  public int batchesPerCall() {
    return 1;
  }

  @Override
  public List<StepResult> run(List<Part> given, Runnable stop) {
    List<StepResult> results = new ArrayList<>();
    for (Part part : given) {
      results.add(run(part, stop));
    }
    return results;
  }

  private StepResult run(Part part, Runnable stop) {
    List<Example> examples = part.examples();
    List<Example> texts = new ArrayList<>();
    examples.forEach(example -> texts.addAll(GroupExamples.singles(example)));
    int perExample = texts.size() / examples.size();
    float[][] vectors =
        evaluator.logits(
            batch -> {
              stop.run();
              return engine.classifier().logits(batch);
            },
            texts);
    int dimension = vectors[0].length;
    LossSession.Result result;
    try (Batch batch = labels.batch(examples)) {
      result =
          loss.of(
              vectors,
              new long[] {examples.size(), perExample, dimension},
              Objects.requireNonNull(batch.labels()));
    }
    StepResult last = new StepResult(result.loss(), Double.NaN);
    for (int begin = 0; begin < examples.size(); begin += partSize) {
      stop.run();
      int end = Math.min(examples.size(), begin + partSize);
      List<Example> carrying = new ArrayList<>();
      for (int i = begin; i < end; i++) {
        Values gradient = Values.shaped(result.gradients()[i], perExample, dimension);
        carrying.add(new Example(examples.get(i).inputs(), gradient));
      }
      try (Batch batch = parts.batch(carrying)) {
        boolean update = part.last() && end == examples.size();
        StepInput input = new StepInput(batch.withLabels(), part.rate(), part.share(), update);
        last = engine.steps(List.of(input)).get(0);
      }
    }
    return new StepResult(result.loss(), last.gradientNorm());
  }
}
