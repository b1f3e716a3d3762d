package io.github.loragraph.search;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Spelling;
import io.github.loragraph.experiment.SettingsLayer;
import io.github.loragraph.models.RunConfiguration;
import io.github.loragraph.models.SettingsFile;
import io.github.loragraph.task.Tasks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The YAML file of a search: a model, the settings that all trials have, the space of those that
 * they differ by, and how it is searched.
 *
 * <p>Long because each key is read where what may be wrong with it is said.
 *
 * @param file what messages name
 * @param model with the head, if one is put on it: what {@code model} and {@code head} say
 * @param base settings of all trials, by the names of options
 */
public record SearchFile(
    Path file, Map<String, Object> model, Map<String, Object> base, SearchPlan plan) {
  private static final List<String> KEYS =
      List.of(
          "model",
          "head",
          "base",
          "space",
          "trials",
          "parallel",
          "objective",
          "direction",
          "method",
          "pruning",
          "reduction-factor",
          "min-resource",
          "seed",
          SettingsFile.SAGEMAKER);
  private static final List<String> KINDS =
      List.of("log-uniform", "uniform", "integer", "log-integer", "choice");
  private static final Set<String> HELD_OUT = Set.of("eval", "evalsplit", "evalqueries");
  private static final String WHEN = "when";
  private static final String POINTS = "points";
  private static final int MOST_POINTS = 100_000;
  private static final int TRIALS = 30;
  private static final int REDUCTION_FACTOR = 3;
  private static final double MINIMUM = 1 / 9.0;

  public SearchFile {
    model = Collections.unmodifiableMap(new LinkedHashMap<>(model));
    base = Collections.unmodifiableMap(new LinkedHashMap<>(base));
  }

  /**
   * Reads a file.
   *
   * @throws LoraGraphException if it cannot be read, or something in it is not possible
   */
  public static SearchFile read(Path file) {
    return read(file, Map.of());
  }

  /**
   * The same with other values for some keys.
   *
   * @throws LoraGraphException as above
   */
  public static SearchFile read(Path file, Map<String, ?> others) {
    Map<String, Object> entries = new LinkedHashMap<>(RunConfiguration.entries(file));
    SettingsFile.SEARCH.require(file.toString(), entries.keySet());
    entries.putAll(others);
    return of(file, entries);
  }

  /**
   * The same of entries that stand in no file.
   *
   * @param file what messages name
   * @throws LoraGraphException if something in them is not possible
   */
  public static SearchFile of(Path file, Map<String, Object> entries) {
    return new Reader(file, entries).read();
  }

  /** An option's name however it is written: {@code batch-size} and {@code batchSize} are one. */
  static String plain(String name) {
    return name.replaceAll("[-_]", "").toLowerCase(Locale.ROOT);
  }

  /** Reads the entries of one file; where it stands is said in every message. */
  private record Reader(Path file, Map<String, Object> entries) {
    SearchFile read() {
      requireKnown("", entries, KEYS);
      Map<String, Object> model = new LinkedHashMap<>();
      Object named = entries.get("model");
      model.put("model", named instanceof Map ? named : text("model", null));
      if (entries.get("head") != null) {
        model.put("head", entries.get("head"));
      }
      Map<String, Object> base =
          entries.get("base") == null ? Map.of() : map("base", entries.get("base"));
      Object spaces = entries.get("space");
      if (spaces == null) {
        throw failure("space", "there is none: it names what trials differ by");
      }
      Map<String, Object> parameters = map("space", spaces);
      Map<String, String> given = new LinkedHashMap<>();
      base.keySet().forEach(name -> given.put(plain(name), "base." + name));
      for (String name : parameters.keySet()) {
        String before = given.get(plain(name));
        if (before != null) {
          throw failure(before, "'space' has it, too: keep one of them");
        }
        given.put(plain(name), "space." + name);
      }
      if (given.containsKey("seed")) {
        throw failure(
            String.valueOf(given.get("seed")),
            "the seed of all trials is the search's: name it 'seed'");
      }
      SearchSpace space =
          in(
              "space",
              () ->
                  SearchSpace.of(
                      parameters.entrySet().stream()
                          .map(e -> parameter(e.getKey(), e.getValue()))
                          .toList()));
      requireHeldOut(base, parameters);
      String objective = text("objective", null);
      List<String> measured =
          Tasks.ALL.stream().flatMap(task -> task.figureNames().stream()).distinct().toList();
      if (!measured.contains(objective)) {
        throw failure(
            "objective",
            "%s is nothing that is measured: %s"
                .formatted(objective, Spelling.proposal(objective, measured)));
      }
      boolean maximize =
          word(
                  "direction",
                  List.of("maximize", "minimize"),
                  SearchPlan.isBetterSmaller(objective) ? "minimize" : "maximize")
              .equals("maximize");
      SearchPlan.Method method =
          SearchPlan.Method.valueOf(
              word("method", List.of("tpe", "random", "grid"), "tpe").toUpperCase(Locale.ROOT));
      boolean prunes = word("pruning", List.of("asha", "none"), "none").equals("asha");
      for (String key : List.of("reduction-factor", "min-resource")) {
        if (!prunes && entries.get(key) != null) {
          throw failure(key, "it is of 'pruning: asha', which is not there");
        }
      }
      int factor = whole("reduction-factor", REDUCTION_FACTOR);
      in("reduction-factor", () -> SuccessiveHalving.of(factor, MINIMUM));
      double minimum = number("min-resource", entries.get("min-resource"), MINIMUM);
      SuccessiveHalving pruning =
          prunes
              ? in("min-resource", () -> SuccessiveHalving.of(factor, minimum))
              : SuccessiveHalving.none();
      int trials = whole("trials", TRIALS);
      in("trials", () -> SearchPlan.requireTrials(trials));
      int parallel = whole("parallel", 1);
      in("parallel", () -> SearchPlan.requireParallel(parallel));
      long seed = entries.get("seed") == null ? 0 : whole("seed", entries.get("seed"));
      return new SearchFile(
          file,
          model,
          base,
          in(
              "space",
              () ->
                  new SearchPlan(
                      space, trials, parallel, objective, maximize, method, pruning, seed)));
    }

    private void requireHeldOut(Map<String, Object> base, Map<String, Object> space) {
      boolean any =
          Stream.concat(base.keySet().stream(), space.keySet().stream())
              .map(SearchFile::plain)
              .anyMatch(HELD_OUT::contains);
      if (!any) {
        throw failure(
            "base",
            "trials are judged on held-out examples: name them with eval, or hold some out with"
                + " eval-split");
      }
    }

    private Parameter parameter(String name, @Nullable Object said) {
      String place = "space." + name;
      Map<String, Object> entry = map(place, said);
      List<String> known = new ArrayList<>(KINDS);
      known.addAll(List.of(WHEN, POINTS));
      requireKnown(place + ".", entry, known);
      List<String> kinds = entry.keySet().stream().filter(KINDS::contains).toList();
      if (kinds.size() != 1) {
        throw failure(place, "it needs one of these: " + String.join(", ", KINDS));
      }
      String kind = kinds.get(0);
      Object values = entry.get(kind);
      if (!(values instanceof List<?> list)) {
        throw failure(
            place + "." + kind,
            kind.equals("choice") ? "it is no list: [a, b, c]" : "it is no list: [from, to]");
      }
      int points =
          entry.get(POINTS) == null
              ? 0
              : (int) Math.min(MOST_POINTS, whole(place + "." + POINTS, entry.get(POINTS)));
      if (entry.get(POINTS) != null && (points < 1 || kind.equals("choice"))) {
        throw failure(
            place + "." + POINTS,
            points < 1 ? "it is 1 or more" : "a choice has its values, all of them");
      }
      Domain domain = in(place + "." + kind, () -> domain(place + "." + kind, kind, list));
      return new Parameter(name, domain, conditions(place, entry.get(WHEN)), points);
    }

    private Domain domain(String place, String kind, List<?> values) {
      if (kind.equals("choice")) {
        for (Object value : values) {
          if (!(value instanceof String || value instanceof Number || value instanceof Boolean)) {
            throw failure(place, "%s is no single value".formatted(value));
          }
        }
        return new Choice(List.copyOf(values));
      }
      if (values.size() != 2) {
        throw failure(place, "it has %d values, and not two: [from, to]".formatted(values.size()));
      }
      return switch (kind) {
        case "uniform", "log-uniform" ->
            new RealRange(
                number(place, values.get(0), 0),
                number(place, values.get(1), 0),
                kind.startsWith("log"));
        default ->
            new IntegerRange(
                whole(place, values.get(0)), whole(place, values.get(1)), kind.startsWith("log"));
      };
    }

    private Map<String, List<Object>> conditions(String place, @Nullable Object said) {
      Map<String, List<Object>> conditions = new LinkedHashMap<>();
      if (said != null) {
        map(place + "." + WHEN, said)
            .forEach(
                (name, values) -> {
                  if (values == null || values instanceof Map) {
                    throw failure(
                        place + "." + WHEN + "." + name, "it is no value and no list of them");
                  }
                  conditions.put(
                      name, values instanceof List<?> list ? List.copyOf(list) : List.of(values));
                });
      }
      return conditions;
    }

    private void requireKnown(String place, Map<String, Object> given, List<String> known) {
      for (String key : given.keySet()) {
        if (!known.contains(key)) {
          List<String> near = Spelling.nearest(key, known);
          throw failure(
              place + key,
              near.isEmpty()
                  ? "there is no such key: " + String.join(", ", known)
                  : "there is no such key: is it %s?".formatted(String.join(" or ", near)));
        }
      }
    }

    private Map<String, Object> map(String place, @Nullable Object value) {
      if (!(value instanceof Map<?, ?> map)) {
        throw failure(place, "it is no map of names to values");
      }
      Map<String, Object> named = new LinkedHashMap<>();
      map.forEach((key, entry) -> named.put(String.valueOf(key), entry));
      return named;
    }

    private String text(String key, @Nullable String otherwise) {
      Object value = entries.get(key);
      if (value == null && otherwise == null) {
        throw failure(key, "it is not there");
      }
      if (value instanceof Map || value instanceof List) {
        throw failure(key, "it is no single value");
      }
      return value == null ? String.valueOf(otherwise) : value.toString();
    }

    private String word(String key, List<String> words, String otherwise) {
      String word = text(key, otherwise);
      if (!words.contains(word)) {
        throw failure(key, "%s is none of: %s".formatted(word, String.join(", ", words)));
      }
      return word;
    }

    private int whole(String key, int otherwise) {
      Object value = entries.get(key);
      if (value == null) {
        return otherwise;
      }
      long number = whole(key, value);
      if (number != (int) number) {
        throw failure(key, "%d is too large".formatted(number));
      }
      return (int) number;
    }

    private long whole(String place, @Nullable Object value) {
      if (value instanceof Integer || value instanceof Long) {
        return ((Number) value).longValue();
      }
      throw failure(
          place,
          value instanceof String text && text.matches("[-+]?\\d+")
              ? "'%s' is a text: leave its quotes out".formatted(text)
              : "%s is no whole number".formatted(SettingsLayer.text(value)));
    }

    /** YAML reads 1e-4, without a point, as text. */
    private double number(String place, @Nullable Object value, double otherwise) {
      if (value == null) {
        return otherwise;
      }
      try {
        return Double.parseDouble(value.toString());
      } catch (NumberFormatException e) {
        throw failure(place, "%s is no number".formatted(value));
      }
    }

    private <T> T in(String place, Supplier<T> made) {
      try {
        return made.get();
      } catch (LoraGraphException e) {
        throw e.getMessage().startsWith(file + ": ") ? e : failure(place, e.getMessage());
      }
    }

    private LoraGraphException failure(String place, String what) {
      return new LoraGraphException("%s: %s: %s".formatted(file, place, what));
    }
  }
}
