package io.github.loragraph;

import io.github.loragraph.embedding.EmbeddingObjective;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.training.TripletLoss;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a model of embeddings is trained by; the losses of sentence-transformers. Immutable; the
 * methods that begin with {@code with} give another one.
 */
public final class EmbeddingLoss {
  /** How far apart two texts are, for {@link #triplet}. */
  public enum Distance {
    /** The length of the difference of their embeddings. */
    EUCLIDEAN,
    /** 1 less the cosine between them. */
    COSINE
  }

  private final EmbeddingObjective internal;

  private EmbeddingLoss(EmbeddingObjective internal) {
    this.internal = internal;
  }

  private static EmbeddingLoss of(EmbeddingObjective.Kind kind) {
    EmbeddingObjective usual = EmbeddingObjective.USUAL;
    return new EmbeddingLoss(
        new EmbeddingObjective(
            kind,
            usual.scale(),
            usual.symmetric(),
            usual.margin(),
            usual.distance(),
            usual.temperature(),
            List.of()));
  }

  /**
   * The second text of each pair is to be nearer to the first than all other texts of the batch,
   * negatives among them: {@code MultipleNegativesRankingLoss}. Texts that are equal to the right
   * one, or right for the same first text elsewhere in the data, are left out.
   */
  public static EmbeddingLoss multipleNegatives() {
    return of(EmbeddingObjective.Kind.MULTIPLE_NEGATIVES);
  }

  /** The cosine between the texts of a pair is to be its number: {@code CosineSimilarityLoss}. */
  public static EmbeddingLoss cosine() {
    return of(EmbeddingObjective.Kind.COSINE);
  }

  /** Cosines are to be in the order of the pairs' numbers: {@code CoSENTLoss}. */
  public static EmbeddingLoss cosent() {
    return of(EmbeddingObjective.Kind.COSENT);
  }

  /** The second text is to be nearer than the negatives by a margin: {@code TripletLoss}. */
  public static EmbeddingLoss triplet() {
    return of(EmbeddingObjective.Kind.TRIPLET);
  }

  /**
   * The difference between the scores of the second text and of a negative is to be that of a
   * teacher, which {@link Example#withScores} gives: {@code MarginMSELoss}.
   */
  public static EmbeddingLoss marginMse() {
    return of(EmbeddingObjective.Kind.MARGIN_MSE);
  }

  /** The scores of the texts are to be distributed as a teacher's: {@code DistillKLDivLoss}. */
  public static EmbeddingLoss kl() {
    return of(EmbeddingObjective.Kind.KL);
  }

  /** The loss of a name: {@code multiple-negatives}; empty where there is none. */
  public static Optional<EmbeddingLoss> named(String name) {
    return EmbeddingObjective.Kind.named(name).map(EmbeddingLoss::of);
  }

  /** The names of all losses. */
  public static List<String> names() {
    return Arrays.stream(EmbeddingObjective.Kind.values())
        .map(EmbeddingObjective.Kind::toString)
        .toList();
  }

  /**
   * With another factor of the cosines than 20, of multiple negatives and CoSENT.
   *
   * @throws LoraGraphException if it is not above 0
   */
  public EmbeddingLoss withScale(double scale) {
    return with(scale, internal.symmetric(), internal.margin(), internal.temperature());
  }

  /** Whether multiple negatives look for the first text of each second one, too. */
  public EmbeddingLoss withSymmetric(boolean symmetric) {
    return with(internal.scale(), symmetric, internal.margin(), internal.temperature());
  }

  /**
   * With another margin of triplets than 5.
   *
   * @throws LoraGraphException if it is below 0
   */
  public EmbeddingLoss withMargin(double margin) {
    return with(internal.scale(), internal.symmetric(), margin, internal.temperature());
  }

  /**
   * With another temperature of the teacher's and the model's scores than 1.
   *
   * @throws LoraGraphException if it is not above 0
   */
  public EmbeddingLoss withTemperature(double temperature) {
    return with(internal.scale(), internal.symmetric(), internal.margin(), temperature);
  }

  private EmbeddingLoss with(double scale, boolean symmetric, double margin, double temperature) {
    return new EmbeddingLoss(
        new EmbeddingObjective(
            internal.kind(),
            scale,
            symmetric,
            margin,
            internal.distance(),
            temperature,
            internal.matryoshka()));
  }

  /** With another distance of triplets than the Euclidean one. */
  public EmbeddingLoss withDistance(Distance distance) {
    return new EmbeddingLoss(
        new EmbeddingObjective(
            internal.kind(),
            internal.scale(),
            internal.symmetric(),
            internal.margin(),
            TripletLoss.Distance.valueOf(distance.name()),
            internal.temperature(),
            internal.matryoshka()));
  }

  /**
   * With sizes to which embeddings may be cut after the training, so that the first numbers say
   * most: {@code MatryoshkaLoss}. Each counts as much as the others; the whole size counts where it
   * is named.
   *
   * @throws LoraGraphException if one is below 1, or named twice
   */
  public EmbeddingLoss withMatryoshka(int... dimensions) {
    return new EmbeddingLoss(
        new EmbeddingObjective(
            internal.kind(),
            internal.scale(),
            internal.symmetric(),
            internal.margin(),
            internal.distance(),
            internal.temperature(),
            Arrays.stream(dimensions).boxed().toList()));
  }

  /** The name by which it is chosen. */
  public String name() {
    return internal.kind().toString();
  }

  EmbeddingObjective internal() {
    return internal;
  }

  Map<String, Object> asMap() {
    return internal.asMap();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof EmbeddingLoss loss && internal.equals(loss.internal);
  }

  @Override
  public int hashCode() {
    return internal.hashCode();
  }

  @Override
  public String toString() {
    return name();
  }
}
