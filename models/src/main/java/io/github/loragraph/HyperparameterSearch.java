package io.github.loragraph;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.search.SearchFile;
import io.github.loragraph.search.SearchJob;
import io.github.loragraph.search.SearchOutcome;
import io.github.loragraph.search.TrialRow;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A search for hyperparameters: many trainings of one model that differ by some settings, proposed
 * by the figures of those before, of which the best is trained again with other seeds. Trials are
 * processes of the program {@code lora-graph}, whose artifact {@code lora-graph-cli} has to be
 * among the program's libraries. Settings have the names of the options of {@code train}, {@code
 * inject} and {@code add-head}.
 *
 * <p>The same search gives the same trials, whatever order they end in, and one that was stopped or
 * killed goes on where it is run again in the same folder. May be stopped by another thread; runs
 * once at a time.
 *
 * <p>Long because what a search is asked for, and what it brought, stand here together.
 */
public final class HyperparameterSearch {
  private final SearchFile file;
  private final boolean overwrite;
  private final Consumer<String> notes;
  private volatile @Nullable SearchJob job;
  private volatile boolean stopped;

  private HyperparameterSearch(SearchFile file, boolean overwrite, Consumer<String> notes) {
    this.file = file;
    this.overwrite = overwrite;
    this.notes = notes;
  }

  /** How a trial ended. */
  public enum Status {
    /** Trained whole. */
    COMPLETE,
    /** Left on the way, since others were better there. */
    PRUNED,
    /** Ended without a figure. */
    FAILED,
    /** Not at its end: the search was stopped. */
    UNFINISHED
  }

  /**
   * A trial.
   *
   * @param number from 1
   * @param parameters by their names; those that exist in it
   * @param objective the figure after its last step; empty where it failed
   * @param steps that it made
   * @param totalSteps of a whole training; 0 where that is not known
   * @param seconds of work
   * @param runFolder where it is
   */
  public record Trial(
      int number,
      Map<String, Object> parameters,
      Status status,
      OptionalDouble objective,
      long steps,
      long totalSteps,
      double seconds,
      Path runFolder) {}

  /**
   * The best trial, trained again with another seed.
   *
   * @param objective empty where it failed
   * @param metrics all figures of its last evaluation
   */
  public record Repeat(
      long seed, OptionalDouble objective, Map<String, Double> metrics, Path runFolder) {}

  /**
   * What a search brought.
   *
   * @param trials all, by their numbers
   * @param best the best that was trained whole; what it is worth say the repeats
   * @param repeats the best with other seeds
   * @param mean of the objective over the repeats; empty where there are none
   * @param standardDeviation of it, of a sample; empty where there are not two
   * @param bestConfig file with the settings of the best trial, by which it can be trained again
   * @param importance the share of the spread of the objective, where all trials were measured
   *     first, that goes with each parameter alone; empty where there are too few trials
   * @param steps of all trials
   * @param seconds of work for them
   * @param stepsOfAll what they would have been, were each trained whole
   * @param secondsOfAll about the same
   * @param isComplete false where it was stopped before its end
   */
  public record Result(
      List<Trial> trials,
      Optional<Trial> best,
      List<Repeat> repeats,
      OptionalDouble mean,
      OptionalDouble standardDeviation,
      Optional<Path> bestConfig,
      Map<String, Double> importance,
      long steps,
      double seconds,
      long stepsOfAll,
      double secondsOfAll,
      boolean isComplete) {}

  /**
   * The search that a file describes.
   *
   * @throws LoraGraphException if it cannot be read, or something in it is not possible
   */
  public static HyperparameterSearch fromFile(Path file) {
    return new HyperparameterSearch(SearchFile.read(file), false, line -> {});
  }

  /**
   * The search that a file describes, with other values for some of its keys.
   *
   * @param entries by the keys of the file: {@code trials}
   * @throws LoraGraphException as above
   */
  public static HyperparameterSearch fromFile(Path file, Map<String, ?> entries) {
    return new HyperparameterSearch(SearchFile.read(file, entries), false, line -> {});
  }

  /**
   * A search that is described here.
   *
   * @param model a file, a folder or the name of a bundled model
   */
  public static Builder builder(String model) {
    return new Builder(model);
  }

  /** The same with lines on what goes on, said in any thread. */
  public HyperparameterSearch withNotes(Consumer<String> other) {
    return new HyperparameterSearch(file, overwrite, Objects.requireNonNull(other, "notes"));
  }

  /** The same where another search in the folder is replaced, and not refused. */
  public HyperparameterSearch overwriting() {
    return new HyperparameterSearch(file, true, notes);
  }

  /** The figure that is searched by. */
  public String objective() {
    return file.plan().objective();
  }

  /** Whether more of it is better. */
  public boolean isMaximized() {
    return file.plan().maximize();
  }

  /** How many trials there will be: not more than there are different ones. */
  public int trials() {
    return file.plan().begun();
  }

  /** How many trials are trained at once. */
  public int parallel() {
    return file.plan().parallel();
  }

  /** Where trials are measured, as parts of a whole training; the last is 1. */
  public List<Double> rungs() {
    return file.plan().pruning().fractions();
  }

  /** The parameters of the first trials, as far as no figure decides on them. */
  public List<Map<String, Object>> firstTrials() {
    return file.plan().firstTrials();
  }

  /**
   * What is worth knowing before the first trial, a line each; {@link #run} says it to the notes.
   */
  public List<String> remarks() {
    return file.plan().remarks();
  }

  /**
   * Refuses what no trial could be begun with. Nothing is written.
   *
   * @param folder to search in
   * @throws LoraGraphException if a setting is not possible, a file is not there, or the folder has
   *     something else in it
   */
  public void check(Path folder) {
    new SearchJob(file, folder, overwrite, notes).check();
  }

  /**
   * Searches, or goes on with it. An interrupt of the thread stops it.
   *
   * @param folder made where it is not there
   * @throws LoraGraphException as {@link #check} does, if the first trials all fail, or something
   *     cannot be written
   */
  public Result run(Path folder) {
    SearchJob begun = new SearchJob(file, folder, overwrite, notes);
    job = begun;
    if (stopped) {
      begun.stop();
    }
    try {
      return result(folder, begun.run());
    } finally {
      job = null;
      stopped = false;
    }
  }

  /**
   * Asks for the end: trials that are at work stop with a checkpoint. Returns at once; {@link #run}
   * returns what there is, one that begins later at once. The run after that goes on.
   */
  public void stop() {
    stopped = true;
    SearchJob running = job;
    if (running != null) {
      running.stop();
    }
  }

  private static Result result(Path folder, SearchOutcome outcome) {
    return new Result(
        outcome.trials().stream().map(row -> trial(folder, row)).toList(),
        outcome.winner().map(row -> trial(folder, row)),
        outcome.repeats().stream()
            .map(
                repeat ->
                    new Repeat(
                        repeat.seed(),
                        figure(repeat.objective()),
                        repeat.figures(),
                        folder.resolve(repeat.folder())))
            .toList(),
        figure(outcome.mean()),
        figure(outcome.deviation()),
        outcome.best(),
        outcome.importance(),
        outcome.steps(),
        outcome.seconds(),
        outcome.stepsOfAll(),
        outcome.secondsOfAll(),
        outcome.complete());
  }

  private static Trial trial(Path folder, TrialRow row) {
    return new Trial(
        row.number(),
        row.parameters(),
        Status.valueOf(row.status().name()),
        figure(row.objective()),
        row.step(),
        row.totalSteps(),
        row.seconds(),
        folder.resolve(row.folder()));
  }

  private static OptionalDouble figure(double value) {
    return Double.isNaN(value) ? OptionalDouble.empty() : OptionalDouble.of(value);
  }

  /** Describes a search. */
  public static final class Builder {
    private final Map<String, Object> entries = new LinkedHashMap<>();
    private final Map<String, Object> base = new LinkedHashMap<>();
    private final Map<String, Object> space = new LinkedHashMap<>();

    private Builder(String model) {
      entries.put("model", Objects.requireNonNull(model, "model"));
      entries.put("base", base);
      entries.put("space", space);
    }

    /** The head that is put on an encoder, by the options of {@code add-head}. */
    public Builder head(Map<String, ?> options) {
      entries.put("head", new LinkedHashMap<>(options));
      return this;
    }

    /** A setting that all trials have. */
    public Builder set(String option, Object value) {
      base.put(option, value);
      return this;
    }

    /** Real numbers whose logarithms are drawn evenly. */
    public Builder logUniform(String option, double from, double to) {
      return range(option, "log-uniform", List.of(from, to));
    }

    /** Real numbers, drawn evenly. */
    public Builder uniform(String option, double from, double to) {
      return range(option, "uniform", List.of(from, to));
    }

    /** Whole numbers, both ends among them. */
    public Builder integer(String option, long from, long to) {
      return range(option, "integer", List.of(from, to));
    }

    /** Whole numbers whose logarithms are drawn evenly. */
    public Builder logInteger(String option, long from, long to) {
      return range(option, "log-integer", List.of(from, to));
    }

    /** One of some values: texts, numbers or booleans. */
    public Builder choice(String option, Object... values) {
      return range(option, "choice", List.of(values));
    }

    private Builder range(String option, String kind, List<?> values) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put(kind, values);
      space.put(option, entry);
      return this;
    }

    /** Has a parameter that was described exist only where a choice has one of some values. */
    @SuppressWarnings("unchecked")
    public Builder onlyWhen(String option, String choice, Object... values) {
      if (!(space.get(option) instanceof Map<?, ?> entry)) {
        throw new LoraGraphException(
            "%s is no parameter of the search yet: describe it first".formatted(option));
      }
      ((Map<String, Object>) entry)
          .merge(
              "when",
              Map.of(choice, List.of(values)),
              (before, added) -> {
                Map<String, Object> both = new LinkedHashMap<>((Map<String, Object>) before);
                both.putAll((Map<String, Object>) added);
                return both;
              });
      return this;
    }

    /** How many trials are begun; 30 unless set. */
    public Builder trials(int count) {
      entries.put("trials", count);
      return this;
    }

    /**
     * How many are trained at once; 1 unless set. Another number makes another search, unless no
     * figure decides on trials.
     */
    public Builder parallel(int count) {
      entries.put("parallel", count);
      return this;
    }

    /** The figure to judge by, as an evaluation has it. */
    public Builder objective(String metric) {
      entries.put("objective", metric);
      return this;
    }

    /** Whether more of it is better; unless set, that follows from its name. */
    public Builder maximize(boolean more) {
      entries.put("direction", more ? "maximize" : "minimize");
      return this;
    }

    /** By what trials are proposed: {@code tpe}, {@code random} or {@code grid}. */
    public Builder method(String method) {
      entries.put("method", method.toLowerCase(Locale.ROOT));
      return this;
    }

    /**
     * Has trials be left on the way, by ASHA.
     *
     * @param reductionFactor of as many that came to a rung one goes on
     * @param minimum the part of a training after which the first rung is
     */
    public Builder pruning(int reductionFactor, double minimum) {
      entries.put("pruning", "asha");
      entries.put("reduction-factor", reductionFactor);
      entries.put("min-resource", minimum);
      return this;
    }

    /** Decides all draws, and is the seed of all trials; 0 unless set. */
    public Builder seed(long seed) {
      entries.put("seed", seed);
      return this;
    }

    /**
     * The search.
     *
     * @throws LoraGraphException if something is missing or not possible
     */
    public HyperparameterSearch build() {
      return new HyperparameterSearch(
          SearchFile.of(Path.of("search"), new LinkedHashMap<>(entries)), false, line -> {});
    }
  }
}
