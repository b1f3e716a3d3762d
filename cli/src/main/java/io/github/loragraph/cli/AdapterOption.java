package io.github.loragraph.cli;

import io.github.loragraph.Model;
import io.github.loragraph.models.AdapterFolder;
import io.github.loragraph.models.ModelFolder;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The adapter that goes onto a MODEL. */
final class AdapterOption {
  @Option(
      names = "--adapter",
      paramLabel = "ADAPTER",
      description =
          "Take MODEL with this adapter: a folder in PEFT's layout, a run folder, or the name of"
              + " one in the folder adapters beside MODEL.")
  private @Nullable String adapter;

  /** The model with the adapter, if one is given. */
  Model on(Model model) {
    return adapter == null ? model : model.withAdapter(adapter);
  }

  /** The same of a model's files. */
  ModelFolder on(ModelFolder model) {
    return adapter == null ? model : model.withAdapter(AdapterFolder.of(adapter, model.home()));
  }
}
