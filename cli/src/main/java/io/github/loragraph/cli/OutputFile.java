package io.github.loragraph.cli;

import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.nio.file.Path;
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
    AtomicFile.checkTarget(target, force);
    return target;
  }

  private static Path named(Path path) {
    return path.toString().endsWith(SUFFIX) ? path : path.resolve("model" + SUFFIX);
  }

  private static Path beside(ModelFolder source, String extension) {
    String name = source.modelFile().getFileName().toString();
    String stem = name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name;
    Path named = Path.of(stem + extension + SUFFIX);
    // The tool's cache is no place for a user's files.
    return source.isBundled() ? named : source.modelFile().resolveSibling(named);
  }

  /** Writes the model, puts the files that belong to its source beside it, and says so. */
  void write(OnnxModel model, Path target, ModelFolder source, ResultOutput output) {
    OnnxFile.write(model, target, force);
    Path folder = target.toAbsolutePath().getParent();
    ModelFolder.Companions companions = source.copyCompanions(folder);
    if (!companions.copied().isEmpty()) {
      output.log("beside %s: %s", target, String.join(", ", companions.copied()));
    }
    if (!companions.different().isEmpty()) {
      output.log(
          "%s in %s already, and not as %s has it: check that it fits the model",
          String.join(", ", companions.different()), folder, source.modelFile());
    }
  }
}
