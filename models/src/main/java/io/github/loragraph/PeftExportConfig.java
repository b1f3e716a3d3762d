package io.github.loragraph;

import io.github.loragraph.error.LoraGraphException;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What PEFT's files say of an adapter that the model's own do not, for {@link Model#exportAdapter}.
 * Immutable.
 */
public final class PeftExportConfig {
  /** What is found out of the model's files is said; nothing else is. */
  public static final PeftExportConfig DEFAULTS = builder().build();

  private static final Set<String> TASK_TYPES =
      Set.of(
          "SEQ_CLS",
          "TOKEN_CLS",
          "QUESTION_ANS",
          "CAUSAL_LM",
          "SEQ_2_SEQ_LM",
          "FEATURE_EXTRACTION");

  private static final Pattern PATH = Pattern.compile("[\\w-]+(\\.[\\w-]+)*");

  private final @Nullable String baseModel;
  private final @Nullable String taskType;
  private final @Nullable String prefix;

  private PeftExportConfig(Builder builder) {
    this.baseModel = builder.baseModel;
    this.taskType = builder.taskType;
    this.prefix = builder.prefix;
  }

  /** A configuration in which nothing is said. */
  public static Builder builder() {
    return new Builder();
  }

  /** The name of the base model, {@code base_model_name_or_path}. */
  public Optional<String> baseModel() {
    return Optional.ofNullable(baseModel);
  }

  /** PEFT's {@code task_type}; where there is none it follows from the model's task. */
  public Optional<String> taskType() {
    return Optional.ofNullable(taskType);
  }

  /** What the module paths get in front; where there is none it follows from the model's type. */
  public Optional<String> prefix() {
    return Optional.ofNullable(prefix);
  }

  /** Builds a {@link PeftExportConfig}. Not for use by several threads. */
  public static final class Builder {
    private @Nullable String baseModel;
    private @Nullable String taskType;
    private @Nullable String prefix;

    private Builder() {}

    /** The name of the base model as Python finds it: a folder, or a name on a hub. */
    public Builder baseModel(String name) {
      this.baseModel = name;
      return this;
    }

    /**
     * PEFT's {@code task_type}.
     *
     * @throws LoraGraphException if PEFT has none of the name
     */
    public Builder taskType(String name) {
      if (!TASK_TYPES.contains(name)) {
        throw new LoraGraphException(
            "PEFT has no task type '%s', but %s"
                .formatted(name, String.join(", ", TASK_TYPES.stream().sorted().toList())));
      }
      this.taskType = name;
      return this;
    }

    /**
     * What the module paths get in front, as {@code bert}; empty for nothing.
     *
     * @throws LoraGraphException if it is no path of modules
     */
    public Builder prefix(String path) {
      if (!path.isEmpty() && !PATH.matcher(path).matches()) {
        throw new LoraGraphException(
            "'%s' is no module path: give it as bert, or base.encoder".formatted(path));
      }
      this.prefix = path;
      return this;
    }

    /** What was set. */
    public PeftExportConfig build() {
      return new PeftExportConfig(this);
    }
  }
}
