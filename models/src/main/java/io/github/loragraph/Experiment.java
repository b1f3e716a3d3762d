package io.github.loragraph;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.ExperimentFile;
import io.github.loragraph.experiment.ExperimentRunner;
import io.github.loragraph.experiment.RunProgram;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Several configurations of a training that are compared, each with several seeds. Each run is a
 * process of its own, as many at once as there are cores and memory for, and has a run folder. An
 * experiment that was stopped or killed goes on where it was when it is run again, and does nothing
 * twice.
 *
 * <p>The runs are processes of the program {@code lora-graph}, so its artifact, {@code
 * lora-graph-cli}, has to be among the libraries. Immutable.
 */
public final class Experiment {
  private final ExperimentFile runs;
  private final RunProgram program;
  private final OptionalInt parallel;
  private final boolean replaceChanged;

  private Experiment(
      ExperimentFile runs, RunProgram program, OptionalInt parallel, boolean replaceChanged) {
    this.runs = runs;
    this.program = program;
    this.parallel = parallel;
    this.replaceChanged = replaceChanged;
  }

  /**
   * The experiment that a YAML file asks for. Relative paths in it are in the folder of the file.
   *
   * @throws LoraGraphException if it cannot be read, or asks for something that is not possible: of
   *     any of its runs
   */
  public static Experiment of(Path file) {
    RunProgram program = RunProgram.ofThisProcess();
    return new Experiment(ExperimentFile.read(program, file), program, OptionalInt.empty(), false);
  }

  /** An experiment that is put together by a program. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * The same with so many runs at once; without it, as many as there are cores and memory for. The
   * cores are shared out among them.
   */
  public Experiment withParallel(int runsAtOnce) {
    if (runsAtOnce < 1) {
      throw new LoraGraphException("%d runs at once are not possible".formatted(runsAtOnce));
    }
    return new Experiment(runs, program, OptionalInt.of(runsAtOnce), replaceChanged);
  }

  /** The same that makes runs anew whose settings or data have changed since they were begun. */
  public Experiment replacingChanged() {
    return new Experiment(runs, program, parallel, true);
  }

  /**
   * What is to be done, with nothing done.
   *
   * @param folder that it would be done in, which need not be there
   */
  public List<PlannedRun> plan(Path folder) {
    return runner(folder, new ExperimentListener() {}).plan();
  }

  /**
   * Makes all runs that are not done.
   *
   * @param folder of the experiment, which only it is in; made where it is not there
   * @throws LoraGraphException if the folder is another's, cannot be written, or another process
   *     works in it; or a run that has begun was asked for otherwise, unless {@link
   *     #replacingChanged}
   */
  public ExperimentResult run(Path folder) {
    return run(folder, new ExperimentListener() {});
  }

  /** The same with a listener. */
  public ExperimentResult run(Path folder, ExperimentListener listener) {
    return runner(folder, listener).run();
  }

  private ExperimentRunner runner(Path folder, ExperimentListener listener) {
    return new ExperimentRunner(program, runs, folder, parallel, replaceChanged, listener);
  }

  /** Puts an experiment together; settings have the names of the command line's options. */
  public static final class Builder {
    private final Map<String, Object> base = new LinkedHashMap<>();
    private final Map<String, Object> runs = new LinkedHashMap<>();
    private final Map<String, Object> grid = new LinkedHashMap<>();
    private final List<Object> seeds = new ArrayList<>();
    private Optional<String> model = Optional.empty();
    private Optional<Map<String, ?>> head = Optional.empty();

    private Builder() {}

    /** The model of all runs: a file, a folder, or the name of a bundled one. */
    public Builder model(String nameOrPath) {
      model = Optional.of(nameOrPath);
      return this;
    }

    /** The same. */
    public Builder model(Path path) {
      return model(path.toAbsolutePath().toString());
    }

    /**
     * Puts a head on the model; its labels are those of the training data unless they are named.
     */
    public Builder head(Map<String, ?> settings) {
      head = Optional.of(settings);
      return this;
    }

    /** A setting of all runs, as {@code epochs}; a file is in the current folder. */
    public Builder base(String option, Object value) {
      base.put(option, value instanceof Path path ? path.toAbsolutePath().toString() : value);
      return this;
    }

    /** The seeds that each run is made with; 0 alone without them. */
    public Builder seeds(long... all) {
      for (long seed : all) {
        seeds.add(seed);
      }
      return this;
    }

    /** A run with settings of its own, which win over those of all. */
    public Builder run(String name, Map<String, ?> settings) {
      if (runs.put(name, settings) != null) {
        throw new LoraGraphException("there are two runs of the name '%s'".formatted(name));
      }
      return this;
    }

    /** Values of a setting: each run is made with each, and with each of the grid's others. */
    public Builder grid(String option, List<?> values) {
      grid.put(option, values);
      return this;
    }

    /**
     * The experiment.
     *
     * @throws LoraGraphException if it asks for something that is not possible
     */
    public Experiment build() {
      Map<String, Object> entries = new LinkedHashMap<>();
      model.ifPresent(name -> entries.put("model", name));
      head.ifPresent(settings -> entries.put("head", settings));
      entries.put("base", base);
      if (!seeds.isEmpty()) {
        entries.put("seeds", seeds);
      }
      if (!runs.isEmpty()) {
        entries.put("runs", runs);
      }
      if (!grid.isEmpty()) {
        entries.put("grid", grid);
      }
      RunProgram program = RunProgram.ofThisProcess();
      return new Experiment(
          ExperimentFile.of(
              program,
              "experiment",
              Path.of("").toAbsolutePath(),
              Collections.unmodifiableMap(entries)),
          program,
          OptionalInt.empty(),
          false);
    }
  }
}
