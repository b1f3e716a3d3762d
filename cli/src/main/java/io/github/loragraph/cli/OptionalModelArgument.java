package io.github.loragraph.cli;

import io.github.loragraph.Model;
import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
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
  private @Nullable String model;

  @Mixin private AdapterOption adapter;

  @Option(
      names = "--file",
      paramLabel = "NAME",
      description =
          "Which model of the folder, where it has several: a name in it, or in its folder onnx.")
  private @Nullable String file;

  /** The model; what is worth saying of it is said. */
  Model open(ResultOutput output) {
    String reference = model == null ? onlyInjected(Path.of("")) : model;
    Model opened = file == null ? Model.open(reference) : Model.open(reference, file);
    return adapter.on(opened.withNotes(output::say));
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
          "no *.lora.onnx in the current folder: name a MODEL, or make one with 'lora-graph"
              + " inject'");
    }
    if (found.size() > 1) {
      throw new LoraGraphException(
          "the current folder holds %d injected models (%s): name the MODEL"
              .formatted(found.size(), String.join(", ", found)));
    }
    return found.get(0);
  }
}
