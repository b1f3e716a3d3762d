package io.github.loragraph.cli;

import io.github.loragraph.Model;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.models.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a command writes the model that it makes. */
final class OutputFile {
  private static final String SUFFIX = ".onnx";

  /** What a model is called where a run folder has its adapter alone. */
  private static final String MODEL = "model.onnx";

  @Option(
      names = {"-o", "--output"},
      paramLabel = "PATH",
      description = "The .onnx file to write, or a folder for model.onnx and what belongs to it.")
  private @Nullable Path file;

  @Option(names = "--force", description = "Replace an output that exists.")
  private boolean force;

  /**
   * The file to write, checked before any work is done.
   *
   * @param source the model that is worked on
   * @param extension what the name of the source gets where no output is given: {@code .lora}
   */
  Path check(Model source, String extension) {
    return source.checkSave(file == null ? beside(source, extension) : file, force);
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

  private static Path beside(Model source, String extension) {
    Path opened = source.opened();
    boolean ofRun = !opened.equals(source.file());
    String name = ofRun ? MODEL : source.file().getFileName().toString();
    String stem = name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name;
    Path named = Path.of(stem + extension + SUFFIX);
    // The tool's cache is no place for a user's files.
    return source.isBundled()
        ? named
        : ofRun ? opened.resolve(named) : opened.resolveSibling(named);
  }

  /** Writes the model together with the files that belong to it, and says so. */
  void write(Model model, Path target) {
    model.save(target, force);
  }

  /** The same with weights that are referred to where they are, unless asked for whole. */
  void write(Model model, Path target, WeightsOption weights) {
    weights.save(model, target, force);
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
