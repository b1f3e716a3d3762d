package io.github.loragraph.sagemaker;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The hyperparameters of the article that the jobs are modelled on, a comparison of full
 * fine-tuning and LoRA on SST-2, and what they are called here.
 */
public final class ArticleNames {
  private static final String PREFIX = "sst2-";

  /** Says what is trained, and by which layers. */
  static final String LORA_CONFIG = PREFIX + "lora-config";

  private static final String METHOD = "method";
  private static final String MATCH = "match";

  /** The names that mean one setting. */
  private static final Map<String, String> SETTINGS =
      Map.of(
          PREFIX + "lora-r", "rank",
          PREFIX + "learning-rate", "lr",
          PREFIX + "epochs", "epochs",
          PREFIX + "batch-size", "batch-size",
          PREFIX + "weight-decay", "weight-decay",
          PREFIX + "lora-dropout", "lora-dropout");

  /** What the article's configurations of a name are: the others are regular expressions. */
  private static final String FULL = "none";

  private static final String HEAD_ALONE = "clf_only";
  private static final String ALL = "all";
  private static final String ALL_LAYERS =
      "query|key|value|attention.output|intermediate|layer.\\d+.output";

  /**
   * What a hyperparameter of the article says.
   *
   * @param setting by its own name
   * @param value as it is given, where it means the same
   */
  public record Meaning(String setting, Object value) {}

  private ArticleNames() {}

  /** Whether a name is of the article's form, be it one of its names or none. */
  static boolean isMeantBy(String name) {
    return name.startsWith(PREFIX);
  }

  /** All names, in their order. */
  static Set<String> all() {
    Set<String> all = new TreeSet<>(SETTINGS.keySet());
    all.add(LORA_CONFIG);
    return all;
  }

  /**
   * The setting that a name stands for; empty where it is none of the article's.
   *
   * @param name with {@code -} between its words
   */
  public static Optional<Meaning> meaning(String name, Object value) {
    return name.equals(LORA_CONFIG)
        ? Optional.of(configuration(String.valueOf(value)))
        : Optional.ofNullable(SETTINGS.get(name)).map(setting -> new Meaning(setting, value));
  }

  private static Meaning configuration(String config) {
    return switch (config.toLowerCase(Locale.ROOT)) {
      case FULL -> new Meaning(METHOD, "full");
      case HEAD_ALONE -> new Meaning(METHOD, "head");
      case ALL -> new Meaning(MATCH, ALL_LAYERS);
      default -> new Meaning(MATCH, config);
    };
  }
}
