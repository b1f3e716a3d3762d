package io.github.loragraph.cli;

import io.github.loragraph.Model;
import io.github.loragraph.cache.ToolCache;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.models.ModelReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The MODEL that most commands take. */
final class ModelArgument {
  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "An .onnx file, a model folder, a run folder, or the name of a bundled model.")
  private String model;

  @Mixin private AdapterOption adapter;

  @Option(
      names = "--file",
      paramLabel = "NAME",
      description =
          "Which model of the folder, where it has several: a name in it, or in its folder onnx.")
  private @Nullable String file;

  /** The model's files. */
  ModelFolder folder() {
    return adapter.on(ModelReference.resolve(model, file, ToolCache.ofThisUser()));
  }

  /** The model; what is worth saying of it is said. */
  Model open(ResultOutput output) {
    Model opened = file == null ? Model.open(model) : Model.open(model, file);
    return adapter.on(opened.withNotes(output::say));
  }
}
