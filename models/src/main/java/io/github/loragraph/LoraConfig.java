package io.github.loragraph;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LayerIndexes;
import io.github.loragraph.lora.LoraBias;
import io.github.loragraph.lora.LoraInit;
import io.github.loragraph.lora.LoraRanks;
import io.github.loragraph.lora.LoraVariant;
import io.github.loragraph.lora.TargetModules;
import io.github.loragraph.lora.TargetSelection;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which layers get adapters, and of what size: {@code LoraConfig} of PEFT. Immutable, made by a
 * {@link #builder()}. What PEFT calls {@code lora_dropout} belongs to a training here: {@link
 * TrainingArguments.Builder#loraDropout}.
 *
 * <p>Long because each option stands here with what it means to PEFT.
 */
public final class LoraConfig {
  /** What an adapter is before training: PEFT's {@code init_lora_weights}. */
  public enum Init {
    /** lora_A is N(0, 1) / sqrt(in), lora_B zero. */
    NORMAL(LoraInit.NORMAL),
    /** lora_A is N(0, 1) / rank, lora_B zero. */
    GAUSSIAN(LoraInit.GAUSSIAN),
    /** lora_A is uniform in +-1 / sqrt(in), lora_B zero: what PEFT does unless told otherwise. */
    KAIMING(LoraInit.KAIMING),
    /** The largest singular values of the weight and their vectors. The weight stays as it is. */
    PISSA(LoraInit.PISSA),
    /** The first columns of Q and rows of R of the weight. The weight stays as it is. */
    OLORA(LoraInit.OLORA),
    /** Random matrices, none of which is zero, but their product is; the rank must be even. */
    ORTHOGONAL(LoraInit.ORTHOGONAL);

    private final LoraInit internal;

    Init(LoraInit internal) {
      this.internal = internal;
    }

    private static Init of(LoraInit internal) {
      return valueOf(internal.name());
    }
  }

  /** Which biases are trained with the adapters: PEFT's {@code bias}. */
  public enum Bias {
    /** None but the head's. */
    NONE(LoraBias.NONE),
    /** Those of the layers that get adapters. */
    LORA_ONLY(LoraBias.LORA_ONLY),
    /** All of the model. */
    ALL(LoraBias.ALL);

    private final LoraBias internal;

    Bias(LoraBias internal) {
      this.internal = internal;
    }

    private static Bias of(LoraBias internal) {
      return valueOf(internal.name());
    }
  }

  private final InjectionOptions options;
  private final boolean namesHead;

  private LoraConfig(InjectionOptions options, boolean namesHead) {
    this.options = options;
    this.namesHead = namesHead;
  }

  /** A configuration with rank 8 and scale 1; the target modules are to be named. */
  public static Builder builder() {
    return new Builder();
  }

  InjectionOptions options() {
    return options;
  }

  /** Whether the first step of the outputs is exact: what is added is a product with zeros. */
  boolean addsNothing() {
    return !options.variant().useDora()
        && !options.variant().init().isAnchored()
        && options.variant().init() != LoraInit.ORTHOGONAL;
  }

  /** The expression of the head, where one was given. */
  Optional<Pattern> givenHead() {
    return namesHead ? Optional.of(options.head()) : Optional.empty();
  }

  /**
   * An expression that is found in the module paths of the layers that are meant: those that are
   * excluded, and other layers than those that were named, do not count.
   */
  public Pattern targetModules() {
    return options.selection().modules().expression();
  }

  /** r, the inner size of the adapters that {@link #rankPattern} has no other for. */
  public int rank() {
    return options.ranks().rank();
  }

  /** The adapters count alpha / rank, but for those that {@link #alphaPattern} has another for. */
  public double alpha() {
    return options.ranks().alpha();
  }

  /** r of the adapter of a module. */
  public int rankOf(String modulePath) {
    return options.ranks().rankOf(modulePath);
  }

  /** Alpha of the adapter of a module. */
  public double alphaOf(String modulePath) {
    return options.ranks().alphaOf(modulePath);
  }

  /** Other ranks, by expressions for the ends of module paths. */
  public Map<String, Integer> rankPattern() {
    return options.ranks().rankPattern();
  }

  /** Other alphas, by expressions for the ends of module paths. */
  public Map<String, Double> alphaPattern() {
    return options.ranks().alphaPattern();
  }

  /** Whether adapters count alpha / sqrt(rank). */
  public boolean useRslora() {
    return options.variant().useRslora();
  }

  /** Whether each output feature has a trained magnitude. */
  public boolean useDora() {
    return options.variant().useDora();
  }

  /** What the adapters are before training. */
  public Init initLoraWeights() {
    return Init.of(options.variant().init());
  }

  /** Which biases are trained with the adapters. */
  public Bias bias() {
    return Bias.of(options.variant().bias());
  }

  /** The expression that is found in the module paths of the head, which is trained in full. */
  public Pattern modulesToSave() {
    return options.head();
  }

  /** Seed of the adapters' random numbers. */
  public long seed() {
    return options.seed();
  }

  /** Builds a {@link LoraConfig}. Not for use by several threads. */
  public static final class Builder {
    private @Nullable TargetModules targetModules;
    private @Nullable TargetModules excludeModules;
    private @Nullable SortedSet<Integer> layersToTransform;
    private List<String> layersPattern = List.of();
    private int rank = 8;
    private @Nullable Double alpha;
    private final Map<String, Integer> rankPattern = new LinkedHashMap<>();
    private final Map<String, Double> alphaPattern = new LinkedHashMap<>();
    private boolean useRslora;
    private boolean useDora;
    private Init init = Init.NORMAL;
    private Bias bias = Bias.NONE;
    private @Nullable Pattern modulesToSave;
    private long seed;

    private Builder() {}

    /**
     * The layers that get adapters: every Linear in whose module path the expression is found
     * anywhere, as {@code "query|value"}. The head never gets one.
     */
    public Builder targetModules(Pattern expression) {
      this.targetModules = TargetModules.found(Objects.requireNonNull(expression, "targetModules"));
      return this;
    }

    /**
     * The same; a text is a regular expression.
     *
     * @throws java.util.regex.PatternSyntaxException if it is none
     */
    public Builder targetModules(String expression) {
      return targetModules(Pattern.compile(expression));
    }

    /**
     * The layers whose module path is one of the names, or ends in a dot and one of them, as PEFT
     * reads a list.
     */
    public Builder targetModules(Collection<String> names) {
      this.targetModules = TargetModules.names(names);
      return this;
    }

    /**
     * What PEFT's {@code target_modules} of this text means: {@code all-linear}, one or several
     * names with commas or blanks between them, or a regular expression for the whole module path.
     * If that is no layer of the model, the text is an expression that is found anywhere in a path,
     * which is noted.
     *
     * @throws LoraGraphException if it is no expression
     */
    public Builder targetModulesAsInPeft(String text) {
      this.targetModules = TargetModules.text(text);
      return this;
    }

    /**
     * Every Linear but the head and one that makes an output of the model: PEFT's {@code
     * all-linear}.
     */
    public Builder allLinear() {
      this.targetModules = TargetModules.allLinear();
      return this;
    }

    /**
     * Layers that get no adapter: those whose module path is one of the names, or ends in a dot and
     * one of them. It is an error if that is none.
     *
     * @throws LoraGraphException if there is no name
     */
    public Builder excludeModules(Collection<String> names) {
      this.excludeModules = TargetModules.names(names);
      return this;
    }

    /**
     * The same as PEFT reads a text: names with commas or blanks between them, or a regular
     * expression for the whole module path.
     *
     * @throws LoraGraphException if it is no expression
     */
    public Builder excludeModules(String text) {
      this.excludeModules = TargetModules.strict(text);
      return this;
    }

    /**
     * Only layers of these numbers, from 0, by the first numbered segment of the module path. It is
     * an error if nothing is to be adapted in one.
     */
    public Builder layersToTransform(Collection<Integer> indexes) {
      this.layersToTransform = new TreeSet<>(indexes);
      return this;
    }

    /**
     * Names of the segments before the number that counts, as {@code layer}; the first numbered
     * segment counts unless set.
     */
    public Builder layersPattern(Collection<String> expressions) {
      this.layersPattern = List.copyOf(expressions);
      return this;
    }

    /**
     * Another rank for some layers: PEFT's {@code rank_pattern}.
     *
     * @param key an expression for the whole module path, or for what follows one of its dots; the
     *     first that was given decides. It is an error if it does for no layer.
     */
    public Builder rankPattern(String key, int rank) {
      rankPattern.put(key, rank);
      return this;
    }

    /** Another alpha for some layers: PEFT's {@code alpha_pattern}; see {@link #rankPattern}. */
    public Builder alphaPattern(String key, double alpha) {
      alphaPattern.put(key, alpha);
      return this;
    }

    /** Whether adapters count alpha / sqrt(rank), not alpha / rank; not unless set. */
    public Builder useRslora(boolean use) {
      this.useRslora = use;
      return this;
    }

    /**
     * Whether each output feature has a trained magnitude, and the adapters its direction alone
     * (Liu et al., "DoRA", 2024); not unless set.
     */
    public Builder useDora(boolean use) {
      this.useDora = use;
      return this;
    }

    /** What the adapters are before training; {@link Init#NORMAL} unless set. */
    public Builder initLoraWeights(Init init) {
      this.init = Objects.requireNonNull(init, "init");
      return this;
    }

    /** Which biases are trained with the adapters; {@link Bias#NONE} unless set. */
    public Builder bias(Bias bias) {
      this.bias = Objects.requireNonNull(bias, "bias");
      return this;
    }

    /** PEFT's {@code r}: the inner size of the adapters, 1 or more; 8 unless set. */
    public Builder rank(int rank) {
      this.rank = rank;
      return this;
    }

    /** PEFT's {@code lora_alpha}: adapters count alpha / rank; the rank unless set. */
    public Builder alpha(double alpha) {
      this.alpha = alpha;
      return this;
    }

    /**
     * The head: modules that are trained in full and get no adapters, by an expression that is
     * found anywhere in their paths. Unless set, the names that Hugging Face's heads have at the
     * top of a model: {@code classifier}, {@code pre_classifier}, {@code score} and the like.
     */
    public Builder modulesToSave(Pattern expression) {
      this.modulesToSave = Objects.requireNonNull(expression, "modulesToSave");
      return this;
    }

    /**
     * The same; a text is a regular expression.
     *
     * @throws java.util.regex.PatternSyntaxException if it is none
     */
    public Builder modulesToSave(String expression) {
      return modulesToSave(Pattern.compile(expression));
    }

    /** Seed of the adapters' random numbers; 0 unless set. */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * The configuration.
     *
     * @throws LoraGraphException if no target modules are named, a rank or alpha is no positive
     *     number, a layer is below 0, or a key of a pattern is no expression
     */
    public LoraConfig build() {
      if (targetModules == null) {
        throw new LoraGraphException(
            "no target modules: name the layers that get adapters, as \"query|value\"");
      }
      return new LoraConfig(
          new InjectionOptions(
              new TargetSelection(
                  targetModules,
                  excludeModules,
                  layersToTransform == null
                      ? null
                      : new LayerIndexes(layersToTransform, layersPattern)),
              new LoraRanks(rank, alpha == null ? rank : alpha, rankPattern, alphaPattern),
              new LoraVariant(useRslora, useDora, init.internal, bias.internal),
              modulesToSave == null ? InjectionOptions.DEFAULT_HEAD : modulesToSave,
              seed),
          modulesToSave != null);
    }
  }
}
