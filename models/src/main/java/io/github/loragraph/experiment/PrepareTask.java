package io.github.loragraph.experiment;

import io.github.loragraph.file.StagedFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Makes a model of another one: puts a head or adapters on it. It is made once for all runs of the
 * same settings.
 *
 * @param arguments by which it is made
 * @param place the folder that is written
 * @param model the file in it that is the model
 */
record PrepareTask(String name, List<String> arguments, Path place, Path model, long memory)
    implements PoolTask {
  PrepareTask {
    arguments = List.copyOf(arguments);
  }

  /** What a killed process had begun to put into its place is finished first. */
  @Override
  public Optional<RunEnd.Status> state() {
    if (Files.isDirectory(place)) {
      StagedFiles.finishInterrupted(place);
    }
    return Files.isRegularFile(model) ? Optional.of(RunEnd.Status.FINISHED) : Optional.empty();
  }

  @Override
  public List<String> arguments(int threads) {
    return arguments;
  }
}
