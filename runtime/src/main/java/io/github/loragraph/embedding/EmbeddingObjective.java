package io.github.loragraph.embedding;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.training.CoSentLoss;
import io.github.loragraph.training.CorpusNegativesLoss;
import io.github.loragraph.training.CosineSimilarityLoss;
import io.github.loragraph.training.KlDivergenceLoss;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.MarginMseLoss;
import io.github.loragraph.training.MatryoshkaLoss;
import io.github.loragraph.training.MultipleNegativesLoss;
import io.github.loragraph.training.TripletLoss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What embeddings are trained by, with its numbers; each counts for some kinds alone.
 *
 * @param scale of cosines in {@code MULTIPLE_NEGATIVES} and {@code COSENT}
 * @param symmetric whether {@code MULTIPLE_NEGATIVES} looks for the anchor of each positive, too
 * @param margin of {@code TRIPLET}
 * @param distance of {@code TRIPLET}
 * @param temperature of {@code KL}
 * @param matryoshka the sizes that embeddings may be cut to; none for their whole size alone
 */
public record EmbeddingObjective(
    Kind kind,
    double scale,
    boolean symmetric,
    double margin,
    TripletLoss.Distance distance,
    double temperature,
    List<Integer> matryoshka) {
  /** What the loss is told of a group. */
  public enum Labels {
    /** Which texts there are, and which others are right. */
    TEXTS,
    /** How alike its two texts are. */
    SCORE,
    /** What a teacher says of each text. */
    SCORES
  }

  /** The losses, by the names of sentence-transformers. */
  public enum Kind {
    /** The positive is to be nearer than all other texts of the batch. */
    MULTIPLE_NEGATIVES("multiple-negatives", Labels.TEXTS),
    /** The cosine is to be the score. */
    COSINE("cosine", Labels.SCORE),
    /** Cosines are to be in the order of the scores. */
    COSENT("cosent", Labels.SCORE),
    /** The positive is to be nearer than the negative, by a margin. */
    TRIPLET("triplet", Labels.TEXTS),
    /** The difference between positive and negative is to be the teacher's. */
    MARGIN_MSE("margin-mse", Labels.SCORES),
    /** The distribution over the texts is to be the teacher's. */
    KL("kl", Labels.SCORES);

    private final String name;
    private final Labels labels;

    Kind(String name, Labels labels) {
      this.name = name;
      this.labels = labels;
    }

    /** The kind of a name. */
    public static Optional<Kind> named(String name) {
      return Arrays.stream(values()).filter(kind -> kind.name.equals(name)).findFirst();
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** Multiple negatives with the scale 20: what sentence-transformers begin with. */
  public static final EmbeddingObjective USUAL =
      new EmbeddingObjective(
          Kind.MULTIPLE_NEGATIVES, 20, false, 5, TripletLoss.Distance.EUCLIDEAN, 1, List.of());

  /**
   * @throws LoraGraphException if a number is out of its range
   */
  public EmbeddingObjective {
    matryoshka = List.copyOf(matryoshka);
    // Each number is held to its range by the loss that it is of, also where another one is chosen.
    Loss ofPairs = new MultipleNegativesLoss(scale, symmetric);
    new TripletLoss(margin, distance);
    new KlDivergenceLoss(temperature);
    if (!matryoshka.isEmpty()) {
      new MatryoshkaLoss(ofPairs, matryoshka);
    }
  }

  /** What it is told of a group. */
  public Labels labels() {
    return kind.labels;
  }

  /** Numbers that were given and that this loss has no use for, a line each. */
  public List<String> withoutEffect() {
    List<String> lines = new ArrayList<>();
    tellOther(lines, "scale " + scale, scale == USUAL.scale, Kind.MULTIPLE_NEGATIVES, Kind.COSENT);
    tellOther(lines, "symmetric", !symmetric, Kind.MULTIPLE_NEGATIVES);
    tellOther(lines, "margin " + margin, margin == USUAL.margin, Kind.TRIPLET);
    tellOther(lines, "distance " + distance, distance == USUAL.distance, Kind.TRIPLET);
    tellOther(lines, "temperature " + temperature, temperature == USUAL.temperature, Kind.KL);
    return lines;
  }

  private void tellOther(List<String> lines, String what, boolean usual, Kind... owners) {
    List<Kind> its = List.of(owners);
    if (!usual && !its.contains(kind)) {
      lines.add(
          "%s has no effect on the loss %s: it is of %s"
              .formatted(
                  what, kind, its.stream().map(Kind::toString).collect(Collectors.joining(", "))));
    }
  }

  /**
   * Holds the groups to what the loss needs.
   *
   * @param most texts beside an anchor
   * @param dimension of the embeddings
   * @throws LoraGraphException if there are too few or too many texts, or the sizes are too large
   */
  public void requireFitting(int most, int dimension) {
    boolean pairs = labels() == Labels.SCORE;
    if (pairs && most > 1) {
      throw new LoraGraphException(
          "the loss %s is over pairs with a score, and the data has %d texts in a group: leave the negatives out, or take another loss"
              .formatted(kind, most + 1));
    }
    if (most < 2 && (kind == Kind.TRIPLET || kind == Kind.MARGIN_MSE || kind == Kind.KL)) {
      throw new LoraGraphException(
          "the loss %s needs negatives, and the data has pairs alone: give each a negative, or take another loss"
              .formatted(kind));
    }
    matryoshka.stream()
        .filter(size -> size > dimension)
        .findFirst()
        .ifPresent(
            size -> {
              throw new LoraGraphException(
                  "embeddings of %d numbers cannot be cut to %d".formatted(dimension, size));
            });
  }

  /** The loss over the embeddings of groups. */
  public Loss ofGroups() {
    return nested(
        switch (kind) {
          case MULTIPLE_NEGATIVES -> new MultipleNegativesLoss(scale, symmetric);
          case COSINE -> new CosineSimilarityLoss();
          case COSENT -> new CoSentLoss(scale);
          case TRIPLET -> new TripletLoss(margin, distance);
          case MARGIN_MSE -> new MarginMseLoss();
          case KL -> new KlDivergenceLoss(temperature);
        });
  }

  /**
   * The loss over anchors alone, among all vectors.
   *
   * @param vectors (count, dimension) FLOAT
   * @throws IllegalStateException for another kind than multiple negatives
   */
  public Loss among(Tensor vectors) {
    if (kind != Kind.MULTIPLE_NEGATIVES) {
      throw new IllegalStateException(kind + " has no negatives of its own");
    }
    return nested(new CorpusNegativesLoss(vectors, scale));
  }

  private Loss nested(Loss loss) {
    return matryoshka.isEmpty() ? loss : new MatryoshkaLoss(loss, matryoshka);
  }

  /** What it is by the names of a run's configuration. */
  public Map<String, @Nullable Object> asMap() {
    Map<String, @Nullable Object> map = new LinkedHashMap<>();
    map.put("loss", kind.toString());
    map.put("scale", scale);
    map.put("symmetric", symmetric);
    map.put("margin", margin);
    map.put("distance", distance.toString());
    map.put("temperature", temperature);
    map.put(
        "matryoshka",
        matryoshka.isEmpty()
            ? null
            : matryoshka.stream().map(String::valueOf).collect(Collectors.joining(",")));
    return map;
  }
}
