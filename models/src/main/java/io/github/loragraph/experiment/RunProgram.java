package io.github.loragraph.experiment;

import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.ServiceLoader;

/**
 * The program that trains: runs are processes of it. It alone knows the words that it is called
 * with.
 */
public interface RunProgram {
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
