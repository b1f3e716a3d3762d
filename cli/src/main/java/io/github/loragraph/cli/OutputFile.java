package io.github.loragraph.cli;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** Where a command writes the model that it makes. */
final class OutputFile {
  private static final String SUFFIX = ".onnx";

  @Option(
      names = {"-o", "--output"},
      paramLabel = "PATH",
      description = "The .onnx file to write, or a folder for model.onnx and what belongs to it.")
  private Path file;

  @Option(names = "--force", description = "Replace an output that exists.")
  private boolean force;

  /**
   * The file to write, checked before any work is done.
   *
   * @param source the model that is worked on
   * @param extension what the name of the source gets where no output is given: {@code .lora}
   */
  Path check(ModelFolder source, String extension) {
    Path target = file == null ? beside(source, extension) : named(file);
    refuseInput(target, source);
    AtomicFile.checkTarget(target, force);
    List<String> foreign = source.differentCompanions(target.toAbsolutePath().getParent());
    if (!foreign.isEmpty() && !force) {
      throw new LoraGraphException(
          "%s beside %s belongs to another model: write into a folder of its own with -o FOLDER"
              .formatted(String.join(", ", foreign), target));
    }
    return target;
  }

  /** Refuses to write over the model that is read, under whatever name. */
  static void refuseInput(Path target, ModelFolder source) {
    if (isSame(target, source.modelFile())) {
      throw new LoraGraphException(
          "%s is the model that is read: name another output with -o".formatted(target));
    }
  }

  private static boolean isSame(Path target, Path source) {
    try {
      return Files.exists(target) && Files.isSameFile(target, source);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + target + ": " + AtomicFile.reason(e), e);
    }
  }

  private static Path named(Path path) {
    if (Files.isRegularFile(path) && !path.toString().endsWith(SUFFIX)) {
      throw new LoraGraphException(
          "%s is a file and does not end in %s: name an %s file or a folder"
              .formatted(path, SUFFIX, SUFFIX));
    }
    return path.toString().endsWith(SUFFIX) ? path : path.resolve("model" + SUFFIX);
  }

  private static Path beside(ModelFolder source, String extension) {
    String name = source.modelFile().getFileName().toString();
    String stem = name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name;
    Path named = Path.of(stem + extension + SUFFIX);
    // The tool's cache is no place for a user's files.
    return source.isBundled() ? named : source.modelFile().resolveSibling(named);
  }

  /** Writes the model together with the files that belong to its source, and says so. */
  void write(OnnxModel model, Path target, ModelFolder source, ResultOutput output) {
    Path folder = target.toAbsolutePath().getParent();
    ModelFolder.Companions companions;
    try (StagedFiles files = new StagedFiles(folder, force)) {
      companions = source.stageCompanions(folder, files);
      OnnxFile.stage(model, target, files);
      files.commit();
    }
    if (!companions.copied().isEmpty()) {
      output.log("beside %s: %s", target, String.join(", ", companions.copied()));
    }
    warnOfDifferent(companions, folder, source, output);
  }

  /** Says which files in a folder may belong to another model than the one that is put there. */
  static void warnOfDifferent(
      ModelFolder.Companions companions, Path folder, ModelFolder source, ResultOutput output) {
    if (!companions.different().isEmpty()) {
      output.log(
          "%s in %s already, and not as %s has it: check that it fits the model",
          String.join(", ", companions.different()), folder, source.modelFile());
    }
  }
}
