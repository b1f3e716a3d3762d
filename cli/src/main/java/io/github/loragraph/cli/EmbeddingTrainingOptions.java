package io.github.loragraph.cli;

import io.github.loragraph.EmbeddingLoss;
import io.github.loragraph.TrainingArguments;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.task.Tasks;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a training of embeddings has of its own; the names are those of {@code config.yaml}. */
final class EmbeddingTrainingOptions {
  @Option(
      names = "--loss",
      paramLabel = "LOSS",
      description =
          "The loss. Of embeddings: multiple-negatives (the second text of a pair against"
              + " all others of the batch; the default), cosine or cosent (pairs with a score),"
              + " triplet (with negatives), margin-mse or kl (a teacher's scores). Of rerankers:"
              + " binary-cross-entropy (the default), listwise-softmax or list-net.")
  @Nullable String loss;

  @Option(
      names = "--scale",
      paramLabel = "FACTOR",
      description = "Factor of the cosines in multiple-negatives and cosent (default: 20).")
  @Nullable Double scale;

  @Option(
      names = "--symmetric",
      description = "multiple-negatives: look for the first text of each second one, too.")
  boolean symmetric;

  @Option(names = "--margin", paramLabel = "M", description = "triplet: the margin (default: 5).")
  @Nullable Double margin;

  @Option(
      names = "--distance",
      paramLabel = "DISTANCE",
      converter = DistanceConverter.class,
      completionCandidates = DistanceConverter.class,
      description = "triplet: ${COMPLETION-CANDIDATES} (default: euclidean).")
  EmbeddingLoss.@Nullable Distance distance;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "kl: what scores are divided by (default: 1).")
  @Nullable Double temperature;

  @Option(
      names = "--matryoshka",
      paramLabel = "SIZE,SIZE,...",
      description = "Train embeddings that may be cut to these sizes, 384,256,128,64 for example.")
  @Nullable String matryoshka;

  @Option(
      names = "--mini-batch-size",
      paramLabel = "N",
      description =
          "Take N groups of a batch through the model at once (cached gradients): a batch of any"
              + " size in the memory of N, with the gradient of the whole (default: all at once).")
  @Nullable Integer miniBatchSize;

  @Option(
      names = "--query-side",
      description =
          "Train the encoder of the first texts (queries) alone: vectors of the others are computed"
              + " once and stay, and so does an index of them.")
  boolean querySide;

  @Option(
      names = "--keep-if-better",
      description = "Leave the model as it was where it does no better on held-out data.")
  boolean keepIfBetter;

  /**
   * Puts these options to the others.
   *
   * @throws LoraGraphException if there is no such loss, or a number is none
   */
  void addTo(TrainingArguments.Builder arguments) {
    arguments.querySide(querySide).keepIfBetter(keepIfBetter);
    if (miniBatchSize != null) {
      arguments.miniBatchSize(miniBatchSize);
    }
    if (loss != null && EmbeddingLoss.named(loss).isEmpty() && Tasks.lossNames().contains(loss)) {
      if (isNumberGiven()) {
        throw new LoraGraphException(
            "--scale, --symmetric, --margin, --distance, --temperature and --matryoshka are of"
                + " losses of embeddings, and --loss %s is none: leave them out".formatted(loss));
      }
      arguments.loss(loss);
    } else if (isLossGiven()) {
      arguments.embeddingLoss(lossOfEmbeddings());
    }
  }

  private boolean isLossGiven() {
    return loss != null || isNumberGiven();
  }

  private boolean isNumberGiven() {
    return scale != null
        || symmetric
        || margin != null
        || distance != null
        || temperature != null
        || matryoshka != null;
  }

  private EmbeddingLoss lossOfEmbeddings() {
    String name = loss == null ? EmbeddingLoss.multipleNegatives().name() : loss;
    EmbeddingLoss chosen =
        EmbeddingLoss.named(name)
            .orElseThrow(
                () ->
                    new LoraGraphException(
                        "--loss %s is no loss; of embeddings there are: %s; of rerankers: %s"
                            .formatted(
                                name,
                                String.join(", ", EmbeddingLoss.names()),
                                String.join(", ", Tasks.RERANK.lossNames()))));
    chosen = scale == null ? chosen : chosen.withScale(scale);
    chosen = margin == null ? chosen : chosen.withMargin(margin);
    chosen = distance == null ? chosen : chosen.withDistance(distance);
    chosen = temperature == null ? chosen : chosen.withTemperature(temperature);
    chosen = matryoshka == null ? chosen : chosen.withMatryoshka(sizes(matryoshka));
    return chosen.withSymmetric(symmetric);
  }

  private static int[] sizes(String text) {
    try {
      List<String> parts = Arrays.stream(text.split(",", -1)).map(String::strip).toList();
      return parts.stream().mapToInt(Integer::parseInt).toArray();
    } catch (NumberFormatException e) {
      throw new LoraGraphException(
          "--matryoshka '%s' is no list of sizes: give some as 384,256,128".formatted(text), e);
    }
  }
}
