package io.github.loragraph.experiment;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Spelling;
import io.github.loragraph.experiment.RunProgram.Part;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Settings that stand in one place, by the own names of options: a later layer wins over the
 * earlier ones. Nothing (null) takes a setting of an earlier layer away. The names are checked, the
 * values are not.
 */
public final class SettingsLayer {
  /** The setting of which model it is. */
  static final String MODEL = "model";

  /** As a map: the head that is put on the model; else what adapters take for one. */
  static final String HEAD = "head";

  /** Of a model that is a map. */
  private static final String NAME = "name";

  /** Settings that each run of a file gets for itself. */
  private static final Set<String> OF_THE_RUN = Set.of("seed");

  private final String place;
  private final Map<String, Optional<Setting>> settings = new LinkedHashMap<>();
  private @Nullable Map<String, Setting> head;
  private boolean headTaken;

  private SettingsLayer(String place) {
    this.place = place;
  }

  /** Whether it is the file itself, and no part of it. */
  boolean isWholeFile() {
    return place.isEmpty();
  }

  /**
   * Reads a layer.
   *
   * @param file what messages begin with
   * @param where the place in it: {@code base}, {@code runs.full}; empty for the file itself
   * @param entries as YAML has them
   * @throws LoraGraphException if there is no such option, or a value is of a form that none has
   */
  public static SettingsLayer of(
      RunProgram program,
      String file,
      String where,
      Map<String, ? extends @Nullable Object> entries) {
    SettingsLayer layer = new SettingsLayer(where);
    Map<String, String> given = new LinkedHashMap<>();
    entries.forEach(
        (key, value) -> {
          String place = where.isEmpty() ? key : where + "." + key;
          String name = name(program, file, place, key);
          String before = given.put(name, key);
          if (before != null) {
            throw new LoraGraphException(
                "%s: %s is given twice, as '%s' and '%s': keep one of them"
                    .formatted(file, where.isEmpty() ? name : where + "." + name, before, key));
          }
          if (name.equals(HEAD) && (value instanceof Map || value == null)) {
            layer.headTaken = value == null;
            layer.head = value == null ? null : headOf(program, file, place, (Map<?, ?>) value);
            return;
          }
          Part part = partOf(program, name);
          layer.settings.put(
              name,
              value == null
                  ? Optional.empty()
                  : Optional.of(setting(program, file, place, part, name, value)));
        });
    return layer;
  }

  /**
   * The model that a file names, as a text or as a map with {@code name}, with what stands beside
   * it: the head that is put on it.
   *
   * @param entries of the whole file; others than {@code model} and {@code head} are passed over
   * @throws LoraGraphException as {@link #of}, or if a map does not name the model
   */
  public static SettingsLayer ofModel(RunProgram program, String file, Map<String, ?> entries) {
    Map<String, @Nullable Object> settings = new LinkedHashMap<>();
    Object model = entries.get(MODEL);
    Object head = entries.get(HEAD);
    if (model instanceof Map<?, ?> map) {
      map.forEach((key, value) -> settings.put(key.equals(NAME) ? MODEL : "" + key, value));
      if (settings.get(MODEL) == null) {
        throw new LoraGraphException(
            "%s: %s: it does not say which model: model: NAME".formatted(file, MODEL));
      }
      if (head != null && settings.get(HEAD) != null) {
        throw new LoraGraphException(
            "%s: %s is given twice, in 'model' and beside it: keep one of them"
                .formatted(file, HEAD));
      }
    } else if (model != null) {
      settings.put(MODEL, single(file, MODEL, model));
    }
    if (head != null) {
      settings.put(HEAD, head);
    }
    return of(program, file, model instanceof Map ? MODEL : "", settings);
  }

  private static String name(RunProgram program, String file, String place, String key) {
    String name = kebab(key);
    if (name.equals(MODEL) || name.equals(HEAD)) {
      return name;
    }
    if (OF_THE_RUN.contains(name)) {
      throw new LoraGraphException(
          "%s: %s: the seeds of all runs stand in 'seeds': leave it out".formatted(file, place));
    }
    return program
        .nameOf(Part.TRAINING, name)
        .or(() -> program.nameOf(Part.ADAPTERS, name))
        .orElseThrow(
            () -> {
              if (program.isNoSetting(Part.TRAINING, name)) {
                return new LoraGraphException(
                    "%s: %s is nothing that runs differ by: they have folders of their own, and go on by themselves where they were stopped; leave it out"
                        .formatted(file, place));
              }
              List<String> known = new ArrayList<>(program.namesOf(Part.TRAINING));
              known.addAll(program.namesOf(Part.ADAPTERS));
              return unknown(file, place, "train", name, known);
            });
  }

  private static LoraGraphException unknown(
      String file, String place, String of, String name, List<String> known) {
    List<String> near = Spelling.nearest(name, known.stream().distinct().toList());
    return new LoraGraphException(
        "%s: %s is no option of %s%s"
            .formatted(
                file,
                place,
                of,
                near.isEmpty() ? ", nor one of adapters" : ": " + String.join(", ", near) + "?"));
  }

  private static Map<String, Setting> headOf(
      RunProgram program, String file, String where, Map<?, ?> entries) {
    Map<String, Setting> head = new LinkedHashMap<>();
    entries.forEach(
        (key, value) -> {
          String place = where + "." + key;
          String name =
              program
                  .nameOf(Part.HEAD, kebab(String.valueOf(key)))
                  .orElseThrow(
                      () ->
                          new LoraGraphException(
                              "%s: %s is no option of a head: %s"
                                  .formatted(
                                      file, place, String.join(", ", program.namesOf(Part.HEAD)))));
          if (value != null) {
            head.put(name, setting(program, file, place, Part.HEAD, name, value));
          }
        });
    return head;
  }

  static Part partOf(RunProgram program, String name) {
    return program.nameOf(Part.TRAINING, name).isPresent() ? Part.TRAINING : Part.ADAPTERS;
  }

  private static Setting setting(
      RunProgram program, String file, String place, Part part, String name, Object value) {
    if (value instanceof Map<?, ?> map && program.isRepeated(part, name)) {
      return new Setting(
          place,
          map.entrySet().stream()
              .map(entry -> entry.getKey() + "=" + single(file, place, entry.getValue()))
              .toList());
    }
    if (value instanceof List<?> list) {
      List<String> values = list.stream().map(entry -> single(file, place, entry)).toList();
      if (values.isEmpty()) {
        throw new LoraGraphException("%s: %s is an empty list".formatted(file, place));
      }
      return new Setting(
          place, program.isRepeated(part, name) ? values : List.of(String.join(",", values)));
    }
    return new Setting(place, List.of(single(file, place, value)));
  }

  static String single(String file, String place, @Nullable Object value) {
    if (value == null || value instanceof Map || value instanceof List) {
      throw new LoraGraphException(
          "%s: %s is %s where one value belongs"
              .formatted(
                  file,
                  place,
                  value == null ? "nothing" : value instanceof Map ? "a map" : "a list"));
    }
    return text(value);
  }

  /** Small numbers as people write them: {@code 4e-4}, where YAML has it as 4.0E-4. */
  public static String text(@Nullable Object value) {
    if (!(value instanceof Double number) || number == 0 || !Double.isFinite(number)) {
      return String.valueOf(value);
    }
    BigDecimal exact = new BigDecimal(number.toString()).stripTrailingZeros();
    int exponent = exact.precision() - exact.scale() - 1;
    return exponent < -2 || exponent > 6
        ? exact.scaleByPowerOfTen(-exponent).toPlainString() + "e" + exponent
        : exact.toPlainString();
  }

  /** An option's name as one would type it. */
  public static String kebab(String key) {
    return key.replaceAll("([a-z0-9])([A-Z])", "$1-$2").replace('_', '-').toLowerCase(Locale.ROOT);
  }

  /** The settings of several layers, the later ones before the earlier. */
  static Map<String, Setting> merged(List<SettingsLayer> layers) {
    Map<String, Setting> all = new LinkedHashMap<>();
    for (SettingsLayer layer : layers) {
      layer.settings.forEach(
          (name, setting) ->
              setting.ifPresentOrElse(given -> all.put(name, given), () -> all.remove(name)));
    }
    return all;
  }

  /** The settings of the head of several layers; null where none is put on. */
  static @Nullable Map<String, Setting> mergedHead(List<SettingsLayer> layers) {
    Map<String, Setting> all = null;
    for (SettingsLayer layer : layers) {
      if (layer.headTaken) {
        all = null;
      }
      if (layer.head != null) {
        all = all == null ? new LinkedHashMap<>() : all;
        all.putAll(layer.head);
      }
    }
    return all;
  }

  /** What stands here, by names. */
  Map<String, Optional<Setting>> settings() {
    return Collections.unmodifiableMap(settings);
  }
}
