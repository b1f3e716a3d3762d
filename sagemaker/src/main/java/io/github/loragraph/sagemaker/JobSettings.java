package io.github.loragraph.sagemaker;

import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.ModelNeeds;
import io.github.loragraph.experiment.RunProgram;
import io.github.loragraph.experiment.RunSettings;
import io.github.loragraph.experiment.SettingsLayer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What the hyperparameters and the channels of a job ask for, as settings of one run. */
final class JobSettings {
  private static final String NAME = "training";

  private static final String HEAD = "head";
  private static final String DATA = "data";
  private static final String EVAL = "eval";
  private static final String MODEL = "model";
  private static final String METHOD = "method";
  private static final String ENGINE = "engine";

  /** Of what is held out, when it is no list of examples. */
  private static final Set<String> SEARCH_HELD_OUT =
      Set.of("eval-corpus", "eval-queries", "eval-qrels");

  private static final Set<String> HELD_OUT =
      Stream.concat(SEARCH_HELD_OUT.stream(), Stream.of(EVAL, "eval-split"))
          .collect(Collectors.toSet());

  private final RunProgram program;
  private final ContainerFolders container;
  private final String file;
  private final Path unpacked;
  private final Consumer<String> notes;
  private String model = "the model";

  /**
   * @param unpacked where a model in an archive is unpacked
   * @param notes takes a line on all that is guessed, or not used
   */
  JobSettings(
      RunProgram program, ContainerFolders container, Path unpacked, Consumer<String> notes) {
    this.program = program;
    this.container = container;
    this.file = container.hyperParameters().toString();
    this.unpacked = unpacked;
    this.notes = notes;
  }

  /** The model by the name that the job has for it, as far as that is known. */
  String model() {
    return model;
  }

  /**
   * Reads them.
   *
   * @throws LoraGraphException if something is missing, or not possible
   */
  RunSettings read(HyperParameters asked) {
    Channels channels = Channels.read(container);
    SettingsLayer.of(program, file, "", asked.unsetNames());
    Map<String, Object> settings = new LinkedHashMap<>(asked.settings());
    if (settings.containsKey(MODEL)) {
      channels
          .folder(PlatformNames.MODEL)
          .filter(folder -> !named(settings.get(MODEL)).startsWith(folder))
          .ifPresent(
              folder ->
                  notes.accept(
                      "channel 'model' is not used: the hyperparameter 'model' names "
                          + settings.get(MODEL)));
    } else {
      settings.put(
          MODEL,
          channels
              .model(unpacked, notes)
              .map(Path::toString)
              .orElseThrow(
                  () ->
                      new LoraGraphException(
                          "the job has no model: add a channel 'model' with one, or name a bundled"
                              + " one in the hyperparameter 'model'")));
    }
    if ("none".equals(String.valueOf(settings.get(METHOD)))) {
      throw new LoraGraphException(
          "%s: %s: none trains nothing: a job is a training".formatted(file, METHOD));
    }
    putFiles(settings, DATA, channels, PlatformNames.TRAIN);
    if (SEARCH_HELD_OUT.stream().noneMatch(settings::containsKey)) {
      putFiles(settings, EVAL, channels, PlatformNames.VALIDATION);
    }
    if (settings.putIfAbsent(ENGINE, EngineKind.GRAPH.toString()) == null) {
      notes.accept(
          "engine: graph: which one is faster is not measured, so that a job ends with the same bytes wherever it is interrupted");
    }
    if (!settings.containsKey(DATA)) {
      throw new LoraGraphException(
          "the job has no data: add a channel 'train' with the files to train on");
    }
    model =
        asked.settings().containsKey(MODEL)
            ? "" + settings.get(MODEL)
            : channels.folder(PlatformNames.MODEL).map(Path::toString).orElse(model);
    RunSettings read = run(settings, asked.seed());
    if (!read.passedOver().isEmpty()) {
      notes.accept(
          "%s: a run of method %s puts no adapters on and has no use for: %s"
              .formatted(file, settings.get(METHOD), String.join(", ", read.passedOver())));
    }
    // The article's jobs name layers and a rate alone: its program puts a head on by itself.
    if (asked.ofArticle() && !settings.containsKey(HEAD) && ModelNeeds.lacksHead(read)) {
      notes.accept("the model has no head: one for the labels of the data is put on");
      settings.put(HEAD, Map.of());
      read = run(settings, asked.seed());
    }
    channels.sayUnused(read, notes);
    channels.sayOtherModels(read.source().modelFile(), unpacked, notes);
    if (HELD_OUT.stream().noneMatch(settings::containsKey)) {
      notes.accept(
          "nothing is held out, so that the model is not measured: add a channel 'validation', or set eval-split");
    }
    return read;
  }

  private Path named(@Nullable Object file) {
    return container.data().resolve("" + file).normalize();
  }

  private void putFiles(
      Map<String, Object> settings, String name, Channels channels, String channel) {
    if (!settings.containsKey(name)) {
      List<String> files = channels.dataFiles(channel, notes);
      if (!files.isEmpty()) {
        settings.put(name, files);
      }
    }
  }

  private RunSettings run(Map<String, Object> settings, long seed) {
    return RunSettings.of(
        program,
        file,
        container.data(),
        NAME,
        seed,
        List.of(SettingsLayer.of(program, file, "", settings)));
  }
}
