package io.github.loragraph;

import io.github.loragraph.adapter.AdapterCombination;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * How adapters become one, by the names that {@code add_weighted_adapter} of PEFT has. Immutable,
 * made by a {@link #builder(Type)}.
 */
public final class CombinationConfig {
  /** PEFT's {@code combination_type}. */
  public enum Type {
    /** Sums of all lora_A and of all lora_B, each with the root of its weight; one rank only. */
    LINEAR,
    /** All of all: exactly the weighted sum of the deltas; the ranks are added up. */
    CAT,
    /** The weighted sum of the deltas, in the nearest matrix of a rank. */
    SVD,
    /** As LINEAR of the largest entries that have the sign of most. */
    TIES,
    /** As SVD of the largest entries that have the sign of most. */
    TIES_SVD,
    /** As LINEAR of entries that are drawn. */
    DARE_LINEAR,
    /** As TIES of entries that are drawn. */
    DARE_TIES,
    /** As SVD of entries that are drawn. */
    DARE_LINEAR_SVD,
    /** As TIES_SVD of entries that are drawn. */
    DARE_TIES_SVD,
    /** As LINEAR of the largest entries. */
    MAGNITUDE_PRUNE,
    /** As SVD of the largest entries. */
    MAGNITUDE_PRUNE_SVD
  }

  /** How the sign of an entry is elected. */
  public enum MajoritySign {
    /** By the sum of the entries. */
    TOTAL,
    /** By the number of entries of each sign. */
    FREQUENCY
  }

  private final AdapterCombination.Options options;

  private CombinationConfig(Builder builder) {
    options =
        new AdapterCombination.Options(
            AdapterCombination.Type.valueOf(builder.type.name()),
            builder.rank,
            builder.density,
            AdapterCombination.MajoritySign.valueOf(builder.majoritySign.name()),
            builder.seed,
            builder.heads,
            builder.named);
  }

  /** A combination of a type. */
  public static Builder builder(Type type) {
    return new Builder(type);
  }

  AdapterCombination.Options options() {
    return options;
  }

  /** Builds {@link CombinationConfig}. Not for use by several threads. */
  public static final class Builder {
    private final Type type;
    private OptionalInt rank = OptionalInt.empty();
    private OptionalDouble density = OptionalDouble.empty();
    private MajoritySign majoritySign = MajoritySign.TOTAL;
    private long seed;
    private AdapterCombination.Heads heads = AdapterCombination.Heads.REFUSED;
    private int named;

    private Builder(Type type) {
      this.type = Objects.requireNonNull(type, "type");
    }

    /** The rank of what a type with SVD makes; the highest of the adapters unless set. */
    public Builder svdRank(int rank) {
      this.rank = OptionalInt.of(rank);
      return this;
    }

    /** The share of entries that stay, above 0 and at most 1; of TIES, DARE and pruning alone. */
    public Builder density(double share) {
      this.density = OptionalDouble.of(share);
      return this;
    }

    /** How TIES elects signs; {@link MajoritySign#TOTAL} unless set. */
    public Builder majoritySign(MajoritySign method) {
      this.majoritySign = Objects.requireNonNull(method, "method");
      return this;
    }

    /** Decides what DARE drops; 0 unless set. */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * What several adapters trained in full, the head above all, becomes the mean by the weights.
     * Unless this or {@link #headOf} is set it is refused where it differs.
     */
    public Builder meanHead() {
      this.heads = AdapterCombination.Heads.MEAN;
      return this;
    }

    /**
     * What several adapters trained in full is taken from one of them.
     *
     * @param index of the adapter among those that are combined, from 0
     */
    public Builder headOf(int index) {
      this.heads = AdapterCombination.Heads.NAMED;
      this.named = index;
      return this;
    }

    /** The configuration. What is not possible is refused when adapters are combined. */
    public CombinationConfig build() {
      return new CombinationConfig(this);
    }
  }
}
