package io.github.loragraph;

import io.github.loragraph.adapter.AdapterInputs;
import io.github.loragraph.adapter.OnnxAdapter;
import io.github.loragraph.adapter.OnnxAdapterFile;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.models.ModelConfig;
import io.github.loragraph.models.RunDefaults;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An adapter as it was read.
 *
 * @param values named as in our own models
 * @param config what its answers mean; null where nothing says it
 * @param isOwn whether the configuration is the adapter's alone, and not that of whatever lies in
 *     its folder
 * @param defaults how its run reads data
 */
record AdapterSource(
    OnnxAdapter values, @Nullable ModelConfig config, boolean isOwn, RunDefaults defaults) {
  private static final Consumer<String> NOBODY = line -> {};

  /**
   * Reads an adapter.
   *
   * @param source an {@code .onnx_adapter} file, or a model with adapters or its folder
   * @throws LoraGraphException if there is none
   */
  static AdapterSource read(Path source) {
    return source.toString().endsWith(OnnxAdapter.SUFFIX) ? ofFile(source) : ofModel(source);
  }

  private static AdapterSource ofFile(Path file) {
    OnnxAdapter values = OnnxAdapterFile.read(file).ours();
    Path own = OnnxAdapter.configOf(file);
    Path beside = file.resolveSibling(ModelConfig.FILE);
    boolean isOwn = Files.exists(own);
    ModelConfig config =
        isOwn ? ModelConfig.read(own) : Files.exists(beside) ? ModelConfig.read(beside) : null;
    return new AdapterSource(values, config, isOwn, RunDefaults.NONE);
  }

  private static AdapterSource ofModel(Path path) {
    return of(Model.open(path));
  }

  /**
   * The adapters of a model.
   *
   * @throws LoraGraphException if it has none
   */
  static AdapterSource of(Model adapted) {
    Model model = adapted.withNotes(NOBODY);
    return new AdapterSource(
        AdapterInputs.of(model.graph()), model.files().config(), true, model.defaults());
  }
}
