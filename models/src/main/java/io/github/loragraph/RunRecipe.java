package io.github.loragraph;

import io.github.loragraph.file.Checksum;
import io.github.loragraph.models.EmbeddingConfig;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.models.RunConfiguration;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.Device;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.trainer.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a run folder notes of how it came about. */
final class RunRecipe {
  private final Model model;
  private final Dataset training;
  private final Optional<Dataset> heldOut;
  private final TrainingArguments arguments;
  private final int stepsPerCall;
  private final ModelData data;
  private final Sessions sessions;
  private final Map<String, String> checksums = new LinkedHashMap<>();
  private final Map<String, String> named = new LinkedHashMap<>();

  RunRecipe(
      Model model,
      Dataset training,
      Optional<Dataset> heldOut,
      TrainingArguments arguments,
      ModelData data,
      Sessions sessions,
      int stepsPerCall) {
    this.model = model;
    this.training = training;
    this.heldOut = heldOut;
    this.arguments = arguments;
    this.stepsPerCall = stepsPerCall;
    this.data = data;
    this.sessions = sessions;
    ModelFolder files = model.files();
    if (model.isAsInFile()) {
      put(RunConfiguration.MODEL, files.modelFile());
      for (Path weights : OnnxFile.dataFiles(files.modelFile())) {
        put(weights.getFileName().toString(), weights);
      }
      // One adapter is in several files, as a model may be.
      files.adapter().ifPresent(a -> a.files().forEach(f -> put(f.getFileName().toString(), f)));
    } else {
      put(RunConfiguration.MODEL, model.toString(), ofContent(model));
    }
    put(RunConfiguration.DATA, training.name(), training.checksum());
    heldOut.ifPresent(set -> put(RunConfiguration.EVAL, set.name(), set.checksum()));
    files.companionsByName().forEach(this::put);
    arguments
        .continueFrom()
        .map(run -> run.resolve(RunFolder.OPTIMIZER))
        .filter(Files::exists)
        .ifPresent(state -> put(RunFolder.OPTIMIZER, state));
  }

  private void put(String what, Path file) {
    put(what, file.toString(), Checksum.of(file));
  }

  private void put(String what, String name, String checksum) {
    checksums.put(what, checksum);
    named.put(what, name);
  }

  /** What messages call that of which there are checksums. */
  Map<String, String> named() {
    return named;
  }

  Map<String, Object> configuration() {
    Device device = sessions.device();
    Map<String, Object> all = new LinkedHashMap<>();
    all.put(
        RunConfiguration.MODEL, model.isAsInFile() ? absolute(model.files().modelFile()) : null);
    if (model.isAsInFile()) {
      model
          .files()
          .adapter()
          .ifPresent(a -> all.put(RunConfiguration.ADAPTER, absolute(a.folder())));
    }
    all.put(RunConfiguration.DATA, absolute(training));
    all.put(RunConfiguration.EVAL, heldOut.isEmpty() ? null : absolute(heldOut.get()));
    List<Path> search =
        heldOut.filter(set -> !set.isOfFiles()).map(Dataset::files).orElse(List.of());
    for (int i = 0; i < search.size(); i++) {
      all.put(RunConfiguration.SEARCH.get(i), absolute(search.get(i)));
    }
    all.putAll(asked(training, arguments, data));
    all.put(RunConfiguration.PAIRS, data.pairs().orElse(null));
    // Whoever takes the configuration back is to get the same file, which names a chosen output.
    boolean matters = model.outputName().isPresent() || !data.answer().logits().others().isEmpty();
    all.put(
        "outputName",
        data.embedding() != null
            ? model.outputName().orElse(null)
            : matters ? data.answer().logits().output() : null);
    all.put("threads", arguments.inference().threads());
    all.put("device", device.toString());
    all.put("tf32", arguments.inference().tf32());
    if (!arguments.inference().deterministic()) {
      all.put(RunConfiguration.DETERMINISTIC, false);
    }
    all.put("stepsPerCall", stepsPerCall);
    all.put(RunConfiguration.RECIPE_NAME, RunConfiguration.RECIPE);
    all.put(RunConfiguration.CHECKSUMS, checksums);
    all.put(RunConfiguration.VERSIONS, RunConfiguration.versions(sessions.runtime()));
    return all;
  }

  /** What was asked for, without where it comes from and what it runs on. */
  static Map<String, Object> asked(Dataset training, TrainingArguments arguments, ModelData data) {
    Map<String, Object> all = new LinkedHashMap<>(arguments.asMap());
    if (data.task().isMasked()) {
      all.put(RunConfiguration.MLM_PROBABILITY, arguments.masking().probability());
      all.put(RunConfiguration.WHOLE_WORDS, arguments.masking().wholeWords());
    }
    EmbeddingConfig embedding = data.embedding();
    if (embedding != null) {
      all.putAll(arguments.embeddingAsMap());
      all.putAll(embedding.asMap(Objects.requireNonNull(data.answer().embedding())));
    }
    all.putAll(training.columns());
    all.put("task", data.task().toString());
    all.put("maxLength", data.maxLength());
    if (data.task().answersTokens()) {
      all.put(RunConfiguration.STRIDE, arguments.inference().stride().orElse(null));
      all.put(RunConfiguration.ALL_SUBWORDS, arguments.labelsAllSubwords());
    }
    return all;
  }

  /** One file, or a list of several; null for what a program alone can give again. */
  private static @Nullable Object absolute(Dataset set) {
    if (!set.isOfFiles() || set.isPart()) {
      return null;
    }
    List<String> files = set.files().stream().map(RunRecipe::absolute).toList();
    return files.size() == 1 ? files.get(0) : files;
  }

  /** A run may be gone on with from any folder. */
  private static String absolute(Path file) {
    return file.toAbsolutePath().normalize().toString();
  }

  /** Tells whether a model in memory is the one that it was. */
  private static String ofContent(Model model) {
    Checksum.Builder checksum = new Checksum.Builder();
    checksum.add(OnnxFile.serialize(model.graph(), tensor -> true));
    for (Tensor tensor : model.graph().graph().initializers().values()) {
      checksum.add(tensor.bytes());
    }
    model.files().ownConfig().ifPresent(config -> checksum.add(config.bytes()));
    return checksum.build();
  }
}
