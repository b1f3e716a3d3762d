package io.github.loragraph.cli;

import io.github.loragraph.cache.ToolCache;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.models.ModelReference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A MODEL that may be left out where the current folder holds one injected model. */
final class OptionalModelArgument {
  private static final String SUFFIX = ".lora.onnx";

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "MODEL",
      description = "An injected model (default: the one *.lora.onnx in the current folder).")
  private String model;

  @Option(
      names = "--file",
      paramLabel = "NAME",
      description =
          "Which model of the folder, where it has several: a name in it, or in its folder onnx.")
  private String file;

  /** The model's files. */
  ModelFolder injectedFolder() {
    String reference = model == null ? onlyInjected(Path.of("")) : model;
    return ModelReference.resolve(reference, file, ToolCache.ofThisUser());
  }

  private static String onlyInjected(Path folder) {
    List<String> found;
    try (Stream<Path> files = Files.list(folder.toAbsolutePath())) {
      found =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> name.endsWith(SUFFIX))
              .sorted()
              .toList();
    } catch (IOException e) {
      throw new LoraGraphException("cannot list the current folder: " + e.getMessage(), e);
    }
    if (found.isEmpty()) {
      throw new LoraGraphException(
          "no *.lora.onnx in the current folder: name a MODEL, or make one with 'lora-graph inject'");
    }
    if (found.size() > 1) {
      throw new LoraGraphException(
          "the current folder holds %d injected models (%s): name the MODEL"
              .formatted(found.size(), String.join(", ", found)));
    }
    return found.get(0);
  }
}
