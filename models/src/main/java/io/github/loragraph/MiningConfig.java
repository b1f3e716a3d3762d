package io.github.loragraph;

import io.github.loragraph.data.TextGroup;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.retrieval.Corpus;
import io.github.loragraph.retrieval.NegativeMiner;
import io.github.loragraph.retrieval.SearchSet;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Which texts are taken for hard negatives, by the names that {@code mine_hard_negatives} of
 * sentence-transformers has. Scores are cosines. Immutable, made by a {@link #builder()}.
 */
public final class MiningConfig {
  /** Which of the candidates become negatives. */
  public enum Sampling {
    /** The nearest. */
    TOP,
    /** Some of them, drawn by a seed. */
    RANDOM
  }

  private final NegativeMiner miner;
  private final @Nullable Path corpus;

  private MiningConfig(Builder builder) {
    miner =
        new NegativeMiner(
            builder.numNegatives,
            builder.rangeMin,
            builder.rangeMax,
            builder.maxScore,
            builder.minScore,
            builder.absoluteMargin,
            builder.relativeMargin,
            builder.sampling == Sampling.RANDOM,
            builder.seed);
    corpus = builder.corpus;
  }

  /** With the defaults, which the setters name. */
  public static Builder builder() {
    return new Builder();
  }

  MinedNegatives mine(
      List<TextGroup> groups,
      SearchSet.Encoder ofQueries,
      SearchSet.Encoder ofDocuments,
      Consumer<String> notes,
      LongConsumer progress) {
    Corpus further = corpus == null ? null : Corpus.read(corpus, notes);
    return MinedNegatives.of(
        miner.mine(groups, further, ofQueries, ofDocuments, notes, progress), miner.negatives());
  }

  /** Builds {@link MiningConfig}. Not for use by several threads. */
  public static final class Builder {
    private int numNegatives = 3;
    private int rangeMin;
    private @Nullable Integer rangeMax;
    private @Nullable Double maxScore;
    private @Nullable Double minScore;
    private @Nullable Double absoluteMargin;
    private @Nullable Double relativeMargin;
    private Sampling sampling = Sampling.TOP;
    private long seed;
    private @Nullable Path corpus;

    private Builder() {}

    /** Negatives of each pair, at most; 3 unless set. */
    public Builder numNegatives(int count) {
      this.numNegatives = count;
      return this;
    }

    /** How many of the nearest candidates are passed over; 0 unless set. */
    public Builder rangeMin(int rank) {
      this.rangeMin = rank;
      return this;
    }

    /**
     * Down to which rank candidates are looked at, of those that scores do not refuse; as far as is
     * needed unless set, ten times as far where they are drawn.
     */
    public Builder rangeMax(int rank) {
      this.rangeMax = rank;
      return this;
    }

    /** The highest score of a negative. */
    public Builder maxScore(double score) {
      this.maxScore = score;
      return this;
    }

    /** The lowest score of a negative. */
    public Builder minScore(double score) {
      this.minScore = score;
      return this;
    }

    /** By how much a negative's score is lower than that of the anchor's farthest positive. */
    public Builder absoluteMargin(double margin) {
      this.absoluteMargin = margin;
      return this;
    }

    /** The same as a share of the positive's score: 0.05 takes what has 95% of it or less. */
    public Builder relativeMargin(double share) {
      this.relativeMargin = share;
      return this;
    }

    /** Which candidates become negatives; {@link Sampling#TOP} unless set. */
    public Builder sampling(Sampling sampling) {
      this.sampling = Objects.requireNonNull(sampling, "sampling");
      return this;
    }

    /** Decides what is drawn; 0 unless set. */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /** A file of further texts to search (id, title, text); the positives alone unless set. */
    public Builder corpus(Path file) {
      this.corpus = Objects.requireNonNull(file, "file");
      return this;
    }

    /**
     * The configuration.
     *
     * @throws LoraGraphException if a number is not possible
     */
    public MiningConfig build() {
      return new MiningConfig(this);
    }
  }
}
