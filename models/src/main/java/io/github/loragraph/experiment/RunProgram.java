package io.github.loragraph.experiment;

import io.github.loragraph.Dataset;
import io.github.loragraph.Model;
import io.github.loragraph.Task;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.ServiceLoader;

/**
 * The program that trains: runs are processes of it. It alone knows the words that it is called
 * with.
 */
public interface RunProgram {
  /**
   * What a process ends with that was refused since another one has begun the run, or goes on with
   * it: both were begun before either was at work.
   */
  int TAKEN = 3;

  /** What settings are of. */
  enum Part {
    /** A head that is put on an encoder. */
    HEAD,
    /** Adapters that are put beside layers. */
    ADAPTERS,
    /** The training itself, and which data it is on. */
    TRAINING,
    /** A model that is measured and not trained. */
    MEASURING
  }

  /**
   * Why settings are not possible.
   *
   * @param setting the one that is wrong; empty where it is several together
   */
  record Refusal(Optional<String> setting, String message) {}

  /**
   * What a run is trained on, and what it is measured with where that is data of its own. No file
   * has been read.
   */
  record Examples(Dataset training, Optional<Dataset> heldOut) {}

  /** The class with its {@code main} method. */
  Class<?> main();

  /**
   * The arguments by which it trains in a run folder that is not there yet.
   *
   * @param config the file of the run's settings, the model among them
   * @param threads that one operator is computed by; empty where the settings say it
   * @param stopAfter the step after which it stops with a checkpoint; empty: at the run's end
   */
  List<String> train(Path config, Path run, OptionalInt threads, OptionalLong stopAfter);

  /**
   * The arguments by which it goes on with a run that was stopped.
   *
   * @param stopAfter the step after which it stops with a checkpoint; empty: at the run's end
   */
  List<String> resume(Path run, OptionalLong stopAfter);

  /**
   * The own name of a setting, which may have others; empty where the part has none of the name.
   */
  Optional<String> nameOf(Part part, String name);

  /** Whether a part is told something by that name that is no setting of a run. */
  boolean isNoSetting(Part part, String name);

  /** All names that settings of a part have. */
  List<String> namesOf(Part part);

  /**
   * Whether a model or a file by that name is not on this machine but where the run is made: it is
   * not looked for, and nothing is checked that would have to be read of it.
   */
  default boolean isElsewhere(String name) {
    return false;
  }

  /** Whether a setting names a file. */
  boolean isFile(Part part, String name);

  /** Whether a setting may have several values, which are not one list. */
  boolean isRepeated(Part part, String name);

  /** Why settings are not possible, as far as they themselves tell; empty where they are. */
  Optional<Refusal> refusal(Part part, Map<String, List<String>> settings);

  /**
   * Why adapters cannot be put onto a model; empty where they can.
   *
   * @param model without the head that a run puts on it, which gets no adapter
   */
  Optional<String> refusal(Model model, Map<String, List<String>> adapters);

  /** Why settings of a training do not go with a task; empty where they do. */
  Optional<String> refusal(Task task, Map<String, List<String>> training);

  /** The examples that settings of a training name. */
  Examples examples(Map<String, List<String>> training);

  /**
   * The settings of a head with those that follow from a training: its labels are those of the data
   * unless they are named.
   */
  Map<String, List<String>> head(
      Map<String, List<String>> head, Map<String, List<String>> training);

  /**
   * The arguments by which a part is done.
   *
   * @param model a file, a folder or a name
   * @param target the file or folder that is written; empty where the result is printed, as one
   *     JSON object
   */
  List<String> arguments(
      Part part, String model, Map<String, List<String>> settings, Optional<Path> target);

  /** Arguments as a user would type them, with the program's name. */
  String typed(List<String> arguments);

  /**
   * The program of this installation.
   *
   * @throws LoraGraphException if there is none among the libraries of this process
   */
  static RunProgram ofThisProcess() {
    return ServiceLoader.load(RunProgram.class, RunProgram.class.getClassLoader())
        .findFirst()
        .orElseThrow(
            () ->
                new LoraGraphException(
                    "runs are processes of the program lora-graph, which is not among the"
                        + " libraries of this one: add the artifact lora-graph-cli"));
  }
}
