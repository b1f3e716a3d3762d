package io.github.loragraph;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.InjectionOptions;
import java.util.Collection;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which layers get adapters, and of what size: {@code LoraConfig} of PEFT. Immutable, made by a
 * {@link #builder()}. What PEFT calls {@code lora_dropout} belongs to a training here: {@link
 * TrainingArguments.Builder#loraDropout}.
 */
public final class LoraConfig {
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

  /** The expression of the head, where one was given. */
  Optional<Pattern> givenHead() {
    return namesHead ? Optional.of(options.head()) : Optional.empty();
  }

  /** The expression that is found in the module paths of the layers that get adapters. */
  public Pattern targetModules() {
    return options.match();
  }

  /** r, the inner size of the adapters. */
  public int rank() {
    return options.rank();
  }

  /** The adapters count alpha / rank. */
  public double alpha() {
    return options.alpha();
  }

  /** The expression that is found in the module paths of the head, which is trained in full. */
  public Pattern modulesToSave() {
    return options.head();
  }

  /** Seed of lora_A. */
  public long seed() {
    return options.seed();
  }

  /** Builds a {@link LoraConfig}. Not for use by several threads. */
  public static final class Builder {
    private @Nullable Pattern targetModules;
    private int rank = 8;
    private @Nullable Double alpha;
    private @Nullable Pattern modulesToSave;
    private long seed;

    private Builder() {}

    /**
     * The layers that get adapters: every Linear in whose module path the expression is found
     * anywhere, as {@code "query|value"}. The head never gets one.
     */
    public Builder targetModules(Pattern expression) {
      this.targetModules = Objects.requireNonNull(expression, "targetModules");
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
      return targetModules(
          names.stream().map(Pattern::quote).collect(Collectors.joining("|", "(^|\\.)(", ")$")));
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

    /** Seed of lora_A, which is N(0, 1) / sqrt(in); 0 unless set. lora_B is zero. */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * The configuration.
     *
     * @throws LoraGraphException if no target modules are named, or rank or alpha is no positive
     *     number
     */
    public LoraConfig build() {
      if (targetModules == null) {
        throw new LoraGraphException(
            "no target modules: name the layers that get adapters, as \"query|value\"");
      }
      return new LoraConfig(
          new InjectionOptions(
              targetModules,
              rank,
              alpha == null ? rank : alpha,
              modulesToSave == null ? InjectionOptions.DEFAULT_HEAD : modulesToSave,
              seed),
          modulesToSave != null);
    }
  }
}
