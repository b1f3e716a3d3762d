package io.github.loragraph.experiment;

import io.github.loragraph.file.StagedFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Makes a model of another one: puts a head or adapters on it. It is made once for all runs of the
 * same settings.
 */
final class PrepareTask implements PoolTask {
  private final String name;
  private final List<String> arguments;
  private final Path folder;
  private final Path model;
  private final long memory;

  /**
   * @param folder that is written
   * @param model the file in it that is the model
   */
  PrepareTask(String name, List<String> arguments, Path folder, Path model, long memory) {
    this.name = name;
    this.arguments = List.copyOf(arguments);
    this.folder = folder;
    this.model = model;
    this.memory = memory;
  }

  /** The arguments by which it is made. */
  List<String> arguments() {
    return arguments;
  }

  Path model() {
    return model;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Path log() {
    return folder.resolveSibling(folder.getFileName() + ".log");
  }

  @Override
  public long memory() {
    return memory;
  }

  @Override
  public boolean isAtWork() {
    return false;
  }

  /** What a killed process had begun to put into its place is finished first. */
  @Override
  public Optional<RunEnd.Status> state() {
    if (Files.isDirectory(folder)) {
      StagedFiles.finishInterrupted(folder);
    }
    return Files.isRegularFile(model) ? Optional.of(RunEnd.Status.FINISHED) : Optional.empty();
  }

  @Override
  public List<String> arguments(int threads) {
    return arguments;
  }
}
