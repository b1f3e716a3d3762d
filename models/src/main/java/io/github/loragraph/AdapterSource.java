package io.github.loragraph;

import io.github.loragraph.adapter.AdapterInputs;
import io.github.loragraph.adapter.OnnxAdapter;
import io.github.loragraph.adapter.OnnxAdapterFile;
import io.github.loragraph.adapter.PeftAdapter;
import io.github.loragraph.adapter.PeftConfig;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.models.AdapterFolder;
import io.github.loragraph.models.AdapterOnModel;
import io.github.loragraph.models.ModelConfig;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.trainer.RunFolder;
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
   * @param source an {@code .onnx_adapter} file, a folder in PEFT's layout, a run folder with one,
   *     or a model with adapters or its folder
   * @param base the model that it is for, as it answers
   * @param notes gets a line for what an adapter of PEFT's has that counts for nothing
   * @throws LoraGraphException if there is none
   */
  static AdapterSource read(Path source, OnnxModel base, Consumer<String> notes) {
    if (source.toString().endsWith(OnnxAdapter.SUFFIX)) {
      return ofFile(source);
    }
    boolean isPeft =
        Files.isRegularFile(source.resolve(PeftConfig.FILE)) || RunFolder.hasAdapter(source);
    return isPeft ? ofPeft(AdapterFolder.at(source), base, notes) : of(Model.open(source));
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

  private static AdapterSource ofPeft(AdapterFolder place, OnnxModel base, Consumer<String> notes) {
    PeftAdapter adapter = PeftAdapter.read(place.folder());
    Path config = place.folder().resolve(ModelConfig.FILE);
    Path run = place.run();
    if (!Files.exists(config) && run != null) {
      config = run.resolve(ModelConfig.FILE);
    }
    Path reading = place.reading();
    return new AdapterSource(
        values(adapter, base, notes),
        Files.exists(config) ? ModelConfig.read(config) : null,
        true,
        reading == null ? RunDefaults.NONE : RunDefaults.of(reading, NOBODY));
  }

  private static OnnxAdapter values(PeftAdapter adapter, OnnxModel base, Consumer<String> notes) {
    OnnxModel room = AdapterInputs.withRoomFor(base, adapter);
    return AdapterInputs.of(AdapterOnModel.onto(room, adapter, notes));
  }

  /**
   * An adapter in memory.
   *
   * @param base the model that it is for, as it answers
   * @throws LoraGraphException if it is not for such a model
   */
  static AdapterSource of(Adapter adapter, OnnxModel base, Consumer<String> notes) {
    return new AdapterSource(
        values(adapter.peft(), base, notes), adapter.config(), true, RunDefaults.NONE);
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
