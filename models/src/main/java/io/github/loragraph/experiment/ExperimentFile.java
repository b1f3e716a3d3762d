package io.github.loragraph.experiment;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Spelling;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.models.RunConfiguration;
import io.github.loragraph.models.SettingsFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The runs that a file asks for: those of {@code runs}, each at each point of {@code grid}, each
 * with each of the {@code seeds}. All of them are checked when it is read.
 *
 * @param file what messages call it
 * @param runs in the order of the file; those of one name together, in the order of the seeds
 */
public record ExperimentFile(String file, List<RunSettings> runs) {
  private static final String BASE = "base";
  private static final String SEEDS = "seeds";
  private static final String RUNS = "runs";
  private static final String GRID = "grid";
  private static final String NAME = "name";
  private static final List<String> KEYS =
      List.of(
          SettingsLayer.MODEL, SettingsLayer.HEAD, BASE, SEEDS, RUNS, GRID, SettingsFile.SAGEMAKER);

  private static final Pattern RUN_NAME =
      Pattern.compile("[\\p{L}\\p{N}](?:[\\p{L}\\p{N}._+=-]{0,98}[\\p{L}\\p{N}_+=-])?");
  private static final int MOST_RUNS = 10_000;

  public ExperimentFile {
    runs = List.copyOf(runs);
  }

  /**
   * Reads a file. Relative paths in it are in its folder.
   *
   * @throws LoraGraphException if it cannot be read, or something in it is not possible
   */
  public static ExperimentFile read(RunProgram program, Path file) {
    return of(program, file.toString(), AtomicFile.folderOf(file), RunConfiguration.entries(file));
  }

  /**
   * The same of entries that stand in no file.
   *
   * @param file what messages begin with
   * @param folder that relative paths are in
   * @throws LoraGraphException if something in them is not possible
   */
  public static ExperimentFile of(
      RunProgram program, String file, Path folder, Map<String, ?> entries) {
    return new Reader(program, file, folder, entries, new ModelNeeds(program)).read();
  }

  /** One value of each parameter of a grid, by the keys that the grid has. */
  private record Point(Map<String, Object> values) {
    /** What a run at it is called, or what is added to its name. */
    String name() {
      return values.entrySet().stream()
          .map(value -> Reader.named(value.getKey(), value.getValue()))
          .collect(Collectors.joining("-"));
    }
  }

  private record Reader(
      RunProgram program, String file, Path folder, Map<String, ?> entries, ModelNeeds models) {
    private LoraGraphException failure(String place, String what) {
      return new LoraGraphException("%s: %s: %s".formatted(file, place, what));
    }

    ExperimentFile read() {
      SettingsFile.EXPERIMENT.require(file, entries.keySet());
      for (String key : entries.keySet()) {
        if (!KEYS.contains(key)) {
          List<String> near = Spelling.nearest(key, KEYS);
          throw new LoraGraphException(
              "%s: %s is no key of an experiment: %s%s"
                  .formatted(
                      file,
                      key,
                      String.join(", ", near.isEmpty() ? KEYS : near),
                      near.isEmpty() ? "" : "?"));
        }
      }
      SettingsLayer model = SettingsLayer.ofModel(program, file, entries);
      SettingsLayer base =
          entries.get(BASE) == null
              ? SettingsLayer.of(program, file, BASE, Map.of())
              : SettingsLayer.of(program, file, BASE, map(BASE, entries.get(BASE)));
      List<Long> seeds = seeds();
      Map<String, Map<String, Object>> named = named();
      List<Point> grid = grid(GRID, entries.get(GRID));
      if (named.isEmpty() && entries.get(GRID) == null) {
        throw new LoraGraphException(file + " has neither 'runs' nor 'grid': it asks for nothing");
      }
      List<RunSettings> runs = new ArrayList<>();
      Set<String> names = new HashSet<>();
      Set<String> axes = new HashSet<>();
      if (named.isEmpty()) {
        for (Point point : usable(grid, List.of(model, base), axes)) {
          if (!point.values.isEmpty()) {
            add(runs, names, point.name(), seeds, List.of(model, base, layer(GRID, point)));
          }
        }
      }
      named.forEach(
          (name, settings) -> {
            String place = RUNS + "." + name;
            Map<String, Object> own = new LinkedHashMap<>(settings);
            List<Point> further = grid(place + "." + GRID, own.remove(GRID));
            SettingsLayer layer = SettingsLayer.of(program, file, place, own);
            for (Point more : further) {
              SettingsLayer last = layer(place + "." + GRID, more);
              for (Point point : usable(grid, List.of(model, base, layer, last), axes)) {
                add(
                    runs,
                    names,
                    joined(joined(name, point.name()), more.name()),
                    seeds,
                    List.of(model, base, layer, layer(GRID, point), last));
              }
            }
          });
      grid.stream()
          .flatMap(point -> point.values.keySet().stream())
          .filter(axis -> !axes.contains(axis))
          .findFirst()
          .ifPresent(
              axis -> {
                throw failure(GRID + "." + axis, "no run has any use for it: leave it out");
              });
      return new ExperimentFile(file, runs);
    }

    private static String joined(String name, String point) {
      return point.isEmpty() ? name : name + "-" + point;
    }

    /**
     * The points of the shared grid as one run has a use for them: each once, without the values
     * that the run passes over.
     *
     * @param layers what else the run is asked for
     * @param axes takes the keys that it has a use for
     */
    private List<Point> usable(List<Point> grid, List<SettingsLayer> layers, Set<String> axes) {
      List<Point> usable = new ArrayList<>();
      for (Point point : grid) {
        List<SettingsLayer> all = new ArrayList<>(layers);
        all.add(layer(GRID, point));
        Map<String, Object> values = new LinkedHashMap<>();
        point.values.forEach(
            (key, value) -> {
              SettingsLayer axis = layer(GRID, new Point(Collections.singletonMap(key, value)));
              if (axis.settings().keySet().stream()
                  .allMatch(name -> RunSettings.isUsed(program, all, name))) {
                values.put(key, value);
              }
            });
        axes.addAll(values.keySet());
        boolean whole = values.size() == point.values.size();
        if (whole || !usable.contains(new Point(values))) {
          usable.add(new Point(values));
        }
      }
      return usable;
    }

    private SettingsLayer layer(String place, Point point) {
      return SettingsLayer.of(program, file, place, point.values);
    }

    private void add(
        List<RunSettings> runs,
        Set<String> names,
        String name,
        List<Long> seeds,
        List<SettingsLayer> layers) {
      if (!RUN_NAME.matcher(name).matches()) {
        throw failure(
            RUNS,
            "'%s' is no name of a run, which is that of a folder: letters, digits, '.', '_', '-', '+' and '=', a letter or digit first"
                .formatted(name));
      }
      if (!names.add(name.toLowerCase(Locale.ROOT))) {
        throw failure(RUNS, "there are two runs of the name '%s'".formatted(name));
      }
      if (runs.size() + seeds.size() > MOST_RUNS) {
        throw new LoraGraphException("%s asks for more than %,d runs".formatted(file, MOST_RUNS));
      }
      RunSettings first = RunSettings.of(program, file, folder, name, seeds.get(0), layers);
      models.require(file, first);
      seeds.forEach(seed -> runs.add(first.withSeed(seed)));
    }

    private List<Long> seeds() {
      Object given = entries.get(SEEDS);
      if (given == null) {
        return List.of(0L);
      }
      if (!(given instanceof List<?> list)) {
        throw failure(
            SEEDS, "it is no list: [%s] is one seed, and [0, 1, 2] are three".formatted(given));
      }
      List<Long> seeds = new ArrayList<>();
      for (Object seed : list) {
        if (!(seed instanceof Integer || seed instanceof Long)) {
          throw failure(
              SEEDS,
              seed instanceof String text && text.matches("[-+]?\\d+")
                  ? "'%s' is a text: leave its quotes out".formatted(text)
                  : "'%s' is no whole number".formatted(seed));
        }
        long number = ((Number) seed).longValue();
        if (seeds.contains(number)) {
          throw failure(SEEDS, "%d is there twice".formatted(number));
        }
        seeds.add(number);
      }
      if (seeds.isEmpty()) {
        throw failure(SEEDS, "it is an empty list: [0]");
      }
      return seeds;
    }

    private Map<String, Map<String, Object>> named() {
      Object given = entries.get(RUNS);
      Map<String, Map<String, Object>> named = new LinkedHashMap<>();
      if (given == null) {
        return named;
      }
      if (given instanceof List<?> list) {
        for (int i = 0; i < list.size(); i++) {
          String place = "%s[%d]".formatted(RUNS, i);
          Map<String, Object> run = map(place, list.get(i));
          Object name = run.remove(NAME);
          if (name == null) {
            throw failure(place, "it has no name");
          }
          if (named.put(SettingsLayer.single(file, place, name), run) != null) {
            throw failure(place, "there are two runs of the name '%s'".formatted(name));
          }
        }
      } else {
        map(RUNS, given)
            .forEach(
                (name, settings) ->
                    named.put(
                        name, settings == null ? Map.of() : map(RUNS + "." + name, settings)));
      }
      if (named.isEmpty()) {
        throw failure(RUNS, "there are none");
      }
      return named;
    }

    /** All points; one without any values where there is no grid. */
    private List<Point> grid(String place, @Nullable Object given) {
      List<Point> points = List.of(new Point(Map.of()));
      if (given == null) {
        return points;
      }
      Map<String, Object> axes = map(place, given);
      if (axes.isEmpty()) {
        throw failure(place, "it is empty");
      }
      for (Map.Entry<String, Object> axis : axes.entrySet()) {
        String key = axis.getKey();
        List<?> values =
            axis.getValue() instanceof List<?> list
                ? list
                : Collections.singletonList(axis.getValue());
        if (values.isEmpty()) {
          throw failure(place + "." + key, "it is an empty list");
        }
        if ((long) points.size() * values.size() > MOST_RUNS) {
          throw new LoraGraphException("%s asks for more than %,d runs".formatted(file, MOST_RUNS));
        }
        List<Point> next = new ArrayList<>();
        for (Point point : points) {
          for (Object value : values) {
            Map<String, Object> all = new LinkedHashMap<>(point.values);
            all.put(key, value);
            next.add(new Point(all));
          }
        }
        points = next;
      }
      return points;
    }

    private static String named(String key, @Nullable Object value) {
      String text =
          value instanceof List<?> list
              ? list.stream().map(SettingsLayer::text).collect(Collectors.joining("+"))
              : value == null ? "none" : SettingsLayer.text(value);
      String safe = text.replaceAll("[^\\p{L}\\p{N}.+-]+", "_").replaceAll("^_+|[_.]+$", "");
      return SettingsLayer.kebab(key)
          + (safe.matches("[-+]?[0-9.].*") ? "" : "=")
          + (safe.isEmpty() ? "_" : safe);
    }

    private Map<String, Object> map(String place, @Nullable Object value) {
      if (!(value instanceof Map<?, ?> map)) {
        throw failure(place, "it is no map of names to values");
      }
      Map<String, Object> named = new LinkedHashMap<>();
      map.forEach((key, entry) -> named.put(String.valueOf(key), entry));
      return named;
    }
  }
}
