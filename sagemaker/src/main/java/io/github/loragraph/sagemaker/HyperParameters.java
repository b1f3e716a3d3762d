package io.github.loragraph.sagemaker;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Spelling;
import io.github.loragraph.experiment.SettingsLayer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The hyperparameters of a job, by the names that settings of a run have. All are texts in the
 * platform's file; its Python library writes them in JSON, once or twice.
 *
 * @param settings as YAML would have them; without the seed
 * @param seed of the run
 * @param ofArticle whether some have the names of the article: {@code sst2-lora-r}
 * @param unset those that are null
 * @param ignored the platform's own, which say nothing to a training
 */
record HyperParameters(
    Map<String, Object> settings,
    long seed,
    boolean ofArticle,
    List<String> unset,
    List<String> ignored) {
  private static final String SEED = "seed";

  private static final Pattern OWN_RANK = Pattern.compile("\\(\\d+\\)");

  HyperParameters {
    settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    unset = List.copyOf(unset);
    ignored = List.copyOf(ignored);
  }

  /** Settings without a value, for whoever knows which names there are. */
  Map<String, @Nullable Object> unsetNames() {
    Map<String, @Nullable Object> names = new LinkedHashMap<>();
    unset.stream()
        .map(SettingsLayer::kebab)
        .filter(name -> !isOther(name))
        .forEach(name -> names.put(name, null));
    return names;
  }

  /** Whether a name is known to be none of a run's settings. */
  private static boolean isOther(String name) {
    return name.equals(SEED) || ArticleNames.all().contains(name);
  }

  /**
   * Reads the platform's file; a job without hyperparameters has none.
   *
   * @throws LoraGraphException if it cannot be read, or something in it is not possible
   */
  static HyperParameters read(Path file) {
    Reader reader = new Reader(file);
    JsonFile.read(file)
        .ifPresent(
            object -> object.properties().forEach(e -> reader.add(e.getKey(), e.getValue())));
    return reader.read();
  }

  private static final class Reader {
    private final Path file;
    private final Map<String, Object> settings = new LinkedHashMap<>();
    private final Map<String, String> names = new LinkedHashMap<>();
    private final List<String> unset = new ArrayList<>();
    private final List<String> ignored = new ArrayList<>();
    private long seed;
    private boolean ofArticle;

    Reader(Path file) {
      this.file = file;
    }

    void add(String key, JsonNode given) {
      if (PlatformNames.isOfPlatform(key)) {
        ignored.add(key);
        return;
      }
      if (key.isBlank()) {
        throw failure("''", "a hyperparameter without a name: leave it out");
      }
      Object value = decoded(key, given);
      if (value == null) {
        unset.add(key);
        return;
      }
      if (String.valueOf(value).indexOf('\0') >= 0) {
        throw failure(key, "there is a NUL character in it, which no value has");
      }
      String name = SettingsLayer.kebab(key);
      if (name.equals(SEED)) {
        once(key, SEED);
        seed = number(key, value);
      } else if (ArticleNames.isMeantBy(name)) {
        ofArticle = true;
        if (name.equals(ArticleNames.LORA_CONFIG)
            && OWN_RANK.matcher(String.valueOf(value)).find()) {
          throw failure(
              key, "ranks of single layers are given by rank-pattern here: leave '(n)' out");
        }
        ArticleNames.Meaning meant =
            ArticleNames.meaning(name, value)
                .orElseThrow(
                    () ->
                        failure(
                            key,
                            "no hyperparameter of that name: "
                                + Spelling.proposal(name, List.copyOf(ArticleNames.all()))));
        put(key, meant.setting(), meant.value());
      } else {
        put(key, name, value);
      }
    }

    private void put(String key, String name, Object value) {
      once(key, name);
      settings.put(name, value);
    }

    private void once(String key, String name) {
      String before = names.put(name, key);
      if (before != null) {
        throw failure(key, "'%s' says the same: keep one of them".formatted(before));
      }
    }

    private long number(String key, Object value) {
      try {
        return Long.parseLong(String.valueOf(value).strip());
      } catch (NumberFormatException e) {
        throw failure(key, "'%s' is no whole number".formatted(value));
      }
    }

    /** Null where nothing is given. */
    private @Nullable Object decoded(String key, JsonNode given) {
      if (given.isNull()) {
        return null;
      }
      if (!given.isTextual()) {
        return given.isNumber() ? given.asText() : JsonFile.value(given);
      }
      String text = given.textValue();
      Optional<JsonNode> json = HyperparameterJson.read(text);
      if (json.isEmpty()) {
        if (text.isBlank()) {
          throw failure(key, "it is empty: leave it out");
        }
        return text;
      }
      // Quotes around nothing are a text that is meant to be empty.
      return json.get().isTextual() && json.get().textValue().isBlank()
          ? json.get().textValue()
          : decoded(key, json.get());
    }

    private LoraGraphException failure(String key, String what) {
      return new LoraGraphException("%s: %s: %s".formatted(file, key, what));
    }

    HyperParameters read() {
      return new HyperParameters(settings, seed, ofArticle, unset, ignored);
    }
  }
}
