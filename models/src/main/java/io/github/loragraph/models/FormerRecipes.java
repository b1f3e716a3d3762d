package io.github.loragraph.models;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.trainer.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The recipes of a finished run that is continued, and of those that it continued itself. The
 * latest is the first.
 */
public final class FormerRecipes {
  private static final String SEED = "seed";

  /** What decides which rows of the same data are held out. */
  private static final List<String> OF_SPLIT =
      List.of(
          RunConfiguration.EVAL_SPLIT,
          RunConfiguration.EVAL_SPLIT_SEED,
          "task",
          "textColumn",
          "textPairColumn",
          "labelColumn");

  /** What decides which examples the rows of held-out data of their own are. */
  private static final List<String> OF_HELD_OUT =
      List.of(
          "task",
          "textColumn",
          "textPairColumn",
          "labelColumn",
          RunConfiguration.STRIDE,
          RunConfiguration.ALL_SUBWORDS);

  /** What decides, with the data, which examples there are and in which order they come. */
  private static final List<String> OF_ORDER =
      List.of(
          SEED,
          "shuffle",
          "batchSize",
          "accumulate",
          "maxTrainExamples",
          "examplesPerClass",
          "loss",
          "maxLength",
          RunConfiguration.STRIDE,
          RunConfiguration.ALL_SUBWORDS,
          "queryPrefix",
          "documentPrefix");

  private final Map<Path, Map<String, Object>> recipes;

  /** The first run that is not there any more; null where all are. */
  private final @Nullable Path missing;

  private FormerRecipes(Map<Path, Map<String, Object>> recipes, @Nullable Path missing) {
    this.recipes = recipes;
    this.missing = missing;
  }

  /**
   * Reads them.
   *
   * @throws LoraGraphException if one cannot be read
   */
  public static FormerRecipes of(Path run) {
    Map<Path, Map<String, Object>> recipes = new LinkedHashMap<>();
    @Nullable Path next = run;
    while (next != null && !recipes.containsKey(next.toAbsolutePath().normalize())) {
      Path file = next.resolve(RunFolder.CONFIG);
      if (!recipes.isEmpty() && !Files.exists(file)) {
        return new FormerRecipes(recipes, next);
      }
      Map<String, Object> entries = RunConfiguration.entries(file);
      recipes.put(next.toAbsolutePath().normalize(), entries);
      next =
          entries.get(RunConfiguration.CONTINUE_FROM) instanceof String before
              ? Path.of(before)
              : null;
    }
    return new FormerRecipes(recipes, null);
  }

  /**
   * Of all that decides the order of the examples the first that is another one; empty where they
   * come in the order that they had in the run that is continued.
   *
   * @param now what is asked for, with the checksum of the data
   */
  public Optional<String> otherOrder(Map<String, Object> now) {
    Map.Entry<Path, Map<String, Object>> latest = recipes.entrySet().iterator().next();
    if (!hasData(latest, now)) {
      return Optional.of(RunConfiguration.DATA);
    }
    return Stream.concat(OF_ORDER.stream(), OF_SPLIT.stream())
        .filter(name -> !RunConfiguration.isSame(value(latest.getValue(), name), value(now, name)))
        .findFirst();
  }

  /**
   * Whether the run that is continued was measured on the examples that are measured with now.
   *
   * @param now what is asked for, with all checksums
   */
  public boolean hasSameHeldOut(Map<String, Object> now) {
    Map.Entry<Path, Map<String, Object>> latest = recipes.entrySet().iterator().next();
    boolean split = now.get(RunConfiguration.EVAL_SPLIT) != null;
    return has(latest, now, split ? RunConfiguration.DATA : RunConfiguration.EVAL)
        && Stream.concat(
                OF_HELD_OUT.stream(),
                (split ? OF_SPLIT : List.of(RunConfiguration.EVAL_SPLIT)).stream())
            .allMatch(
                name -> RunConfiguration.isSame(value(latest.getValue(), name), value(now, name)));
  }

  /**
   * Refuses to hold out what one of the runs was trained on.
   *
   * @param now what is asked for, with the checksum of the data
   * @param notes takes a line where nobody can tell, and where what was held out is trained on
   * @throws LoraGraphException if rows would be measured with that a model was trained on
   */
  public void requireUnseen(Map<String, Object> now, Consumer<String> notes) {
    if (now.get(RunConfiguration.EVAL_SPLIT) == null) {
      recipes.entrySet().stream()
          .filter(former -> former.getValue().get(RunConfiguration.EVAL_SPLIT) != null)
          .filter(former -> hasData(former, now))
          .findFirst()
          .ifPresent(
              former ->
                  notes.accept(
                      "%s held out a share of %s of these data, which is trained on now"
                          .formatted(
                              former.getKey(),
                              former.getValue().get(RunConfiguration.EVAL_SPLIT))));
      return;
    }
    for (Map.Entry<Path, Map<String, Object>> former : recipes.entrySet()) {
      Path run = former.getKey();
      Map<String, Object> then = former.getValue();
      if (!hasData(former, now)) {
        notes.accept(
            "%s was trained on other data: rows that are in both may be among those that are held out"
                .formatted(run));
        continue;
      }
      if (then.get(RunConfiguration.EVAL_SPLIT) == null) {
        throw new LoraGraphException(
            "%s was trained on these data without holding any out, so none of them can be held out now: give held-out data of their own"
                .formatted(run));
      }
      for (String name : OF_SPLIT) {
        if (!RunConfiguration.isSame(value(then, name), value(now, name))) {
          throw new LoraGraphException(
              "%s held out a share of %s of these data by the seed %s, and now rows that it was trained on would be held out"
                  .formatted(
                      run,
                      then.get(RunConfiguration.EVAL_SPLIT),
                      value(then, RunConfiguration.EVAL_SPLIT_SEED)),
              Remedy.GIVE_AS_IT_WAS.with(name, shown(value(then, name)), shown(value(now, name))));
        }
      }
    }
    if (missing != null) {
      notes.accept(
          "%s, which was continued, is not there any more: whether it was trained on what is held out, nobody can tell"
              .formatted(missing));
    }
  }

  /** Of a recipe; what draws the share is the run's own seed where nothing else is said. */
  private static @Nullable Object value(Map<String, Object> recipe, String name) {
    Object value = recipe.get(name);
    return value == null && name.equals(RunConfiguration.EVAL_SPLIT_SEED)
        ? recipe.get(SEED)
        : value;
  }

  private static String shown(@Nullable Object value) {
    return value == null ? "none" : value.toString();
  }

  private static boolean hasData(
      Map.Entry<Path, Map<String, Object>> former, Map<String, Object> now) {
    return has(former, now, RunConfiguration.DATA);
  }

  /** Whether the content of some data was the same. */
  private static boolean has(
      Map.Entry<Path, Map<String, Object>> former, Map<String, Object> now, String data) {
    Path file = former.getKey().resolve(RunFolder.CONFIG);
    return Objects.equals(
        RunConfiguration.texts(file, former.getValue(), RunConfiguration.CHECKSUMS).get(data),
        RunConfiguration.texts(file, now, RunConfiguration.CHECKSUMS).get(data));
  }
}
