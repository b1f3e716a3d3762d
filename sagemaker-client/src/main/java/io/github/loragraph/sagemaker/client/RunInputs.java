package io.github.loragraph.sagemaker.client;

import io.github.loragraph.Dataset;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.RunProgram;
import io.github.loragraph.experiment.RunProgram.Part;
import io.github.loragraph.experiment.RunSettings;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.models.ModelFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.sagemaker.PlatformNames;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * What a run's settings are to the container that it is made in: hyperparameters, which are texts,
 * and the channels that its files come through.
 *
 * @param hyperparameters by the settings' own names
 * @param local channels that are uploaded, by their names
 * @param remote channels that lie in S3, by their names
 * @param notes of what is taken for something, a line each
 */
record RunInputs(
    Map<String, String> hyperparameters,
    Map<String, InputFiles> local,
    Map<String, S3Location> remote,
    List<String> notes) {
  private static final String DATA = "data";
  private static final String EVAL = "eval";
  private static final String MODEL = "model";
  private static final String HEAD = "head";
  private static final String SEED = "seed";
  private static final String FILE = "file";
  private static final String ADAPTER = "adapter";
  private static final String LABELS_FROM = "labels-from";

  /** Of a model that is one file, which is chosen from its folder. */
  private static final String ONNX = ".onnx";

  /** Of a model that is one file with all that belongs to it. */
  private static final String ARCHIVE = ".tar.gz";

  /** What the service takes. */
  private static final int MOST_HYPERPARAMETERS = 100;

  RunInputs {
    hyperparameters = Collections.unmodifiableMap(new LinkedHashMap<>(hyperparameters));
    local = Collections.unmodifiableMap(new LinkedHashMap<>(local));
    remote = Collections.unmodifiableMap(new LinkedHashMap<>(remote));
    notes = List.copyOf(notes);
  }

  /**
   * Those of a run.
   *
   * @param program that knows which settings are files
   * @param file what messages begin with
   * @throws LoraGraphException if the service or the container does not take something
   */
  static RunInputs of(RunProgram program, String file, RunSettings run) {
    return new Reader(program, file + ": " + run.name() + ": ").read(run);
  }

  private static final class Reader {
    private final RunProgram program;
    private final String where;
    private final Map<String, String> hyperparameters = new LinkedHashMap<>();

    /** Files in channels, as the container has them, by the settings that name them. */
    private final Map<String, List<String>> paths = new LinkedHashMap<>();

    private final Map<String, InputFiles> local = new LinkedHashMap<>();
    private final Map<String, S3Location> remote = new LinkedHashMap<>();
    private final List<String> notes = new ArrayList<>();

    Reader(RunProgram program, String where) {
      this.program = program;
      this.where = where;
    }

    RunInputs read(RunSettings run) {
      Map<String, List<String>> settings = new LinkedHashMap<>(run.ofSource());
      model(run, settings);
      settings.putAll(run.adapters());
      settings.putAll(run.training());
      if (settings.containsKey(ADAPTER)) {
        throw failure(
            ADAPTER, "no channel takes one: merge it into its model, or train without it");
      }
      // The files of a channel by the settings that name them.
      Map<String, Map<String, List<String>>> channels = new LinkedHashMap<>();
      settings.forEach(
          (name, values) -> {
            if (program.isFile(Part.TRAINING, name) || program.isFile(Part.ADAPTERS, name)) {
              files(channels, name, values);
            } else {
              putTexts(name, values);
            }
          });
      Map<String, List<String>> head = head(run, channels);
      channels.forEach(this::channel);
      Map<String, Object> headTexts = headTexts(head);
      paths.forEach(this::putTexts);
      run.head().ifPresent(there -> putHead(headTexts));
      hyperparameters.put(SEED, Long.toString(run.seed()));
      if (hyperparameters.size() > MOST_HYPERPARAMETERS) {
        throw new LoraGraphException(
            "%s%d settings, and the service takes %d"
                .formatted(where, hyperparameters.size(), MOST_HYPERPARAMETERS));
      }
      return new RunInputs(hyperparameters, local, remote, notes);
    }

    private void model(RunSettings run, Map<String, List<String>> sources) {
      if (run.isModelElsewhere()) {
        referModel(place(MODEL, run.model()));
        return;
      }
      ModelFolder source = run.source();
      if (source.isBundled()) {
        hyperparameters.put(MODEL, run.model());
        return;
      }
      if (source.adapter().isPresent()) {
        throw failure(
            MODEL,
            "a run that has its adapter alone refers to another model: put them together first with 'lora-graph merge %s'"
                .formatted(run.model()));
      }
      SortedMap<String, Path> files = new TreeMap<>(source.companionsByName());
      Path model = source.modelFile().toAbsolutePath().normalize();
      Path folder = AtomicFile.folderOf(model);
      files.put(String.valueOf(model.getFileName()), model);
      for (Path data : OnnxFile.dataFiles(model)) {
        Path relative = folder.relativize(data.toAbsolutePath().normalize());
        if (relative.startsWith("..")) {
          throw failure(MODEL, "%s lies outside of the folder of its model".formatted(data));
        }
        files.put(relative.toString().replace('\\', '/'), data);
      }
      InputFiles channel = new InputFiles(files);
      channel.require();
      local.put(PlatformNames.MODEL, channel);
      hyperparameters.put(MODEL, PlatformNames.MODEL + "/" + model.getFileName());
      // Which of the folder's models it is has just been said.
      sources.remove(FILE);
    }

    /** An archive alone is whole; beside a model's file lies what belongs to it. */
    private void referModel(S3Location place) {
      if (place.name().endsWith(ONNX)) {
        remote.put(PlatformNames.MODEL, folder(MODEL, PlatformNames.MODEL, place));
        hyperparameters.put(MODEL, PlatformNames.MODEL + "/" + place.name());
      } else {
        remote.put(
            PlatformNames.MODEL, place.name().endsWith(ARCHIVE) ? place : asFolder(MODEL, place));
      }
    }

    /** What the service takes besides an address without a slash at its end is no folder's. */
    private S3Location asFolder(String setting, S3Location place) {
      if (place.name().isEmpty()) {
        return place;
      }
      S3Location folder = place(setting, place.resolve("").toString());
      notes.add("%s: %s is taken for a folder, %s".formatted(setting, place, folder));
      return folder;
    }

    private S3Location folder(String setting, String channel, S3Location file) {
      if (file.folder().key().isEmpty()) {
        throw failure(
            setting,
            "%s lies in no folder, and channel '%s' would be all of the bucket: put it into one"
                .formatted(file, channel));
      }
      return file.folder();
    }

    private static void files(
        Map<String, Map<String, List<String>>> channels, String name, List<String> values) {
      channels
          .computeIfAbsent(
              name.startsWith(EVAL) ? PlatformNames.VALIDATION : PlatformNames.TRAIN,
              channel -> new LinkedHashMap<>())
          .put(name, values);
    }

    /** The settings of the head; its labels are those of the data where nothing else is said. */
    private Map<String, List<String>> head(
        RunSettings run, Map<String, Map<String, List<String>>> channels) {
      Map<String, List<String>> head = new LinkedHashMap<>(run.head().orElse(Map.of()));
      head.entrySet()
          .removeIf(
              setting ->
                  setting.getKey().equals(LABELS_FROM)
                      && setting.getValue().equals(run.training().get(DATA)));
      head.forEach(
          (name, values) -> {
            if (program.isFile(Part.HEAD, name)) {
              files(channels, name, values);
            }
          });
      return head;
    }

    /** The settings of the head, which takes its files out of those of the run. */
    private Map<String, Object> headTexts(Map<String, List<String>> head) {
      Map<String, Object> texts = new LinkedHashMap<>();
      head.forEach(
          (name, values) -> {
            List<String> files = program.isFile(Part.HEAD, name) ? paths.remove(name) : null;
            List<String> given = files == null ? values : files;
            texts.put(name, given.size() == 1 ? given.get(0) : given);
          });
      return texts;
    }

    private void putHead(Map<String, Object> texts) {
      if (hyperparameters.containsKey(HEAD)) {
        throw failure(
            HEAD,
            "it puts a head on and names its layers, '%s', and a job takes one of them: put the head on first with 'lora-graph add-head', and name that folder as the model"
                .formatted(hyperparameters.get(HEAD)));
      }
      putText(HEAD, () -> HyperparameterText.ofMap(texts));
    }

    /** Fills a channel, and says the paths in it, as the container has them. */
    private void channel(String channel, Map<String, List<String>> settings) {
      List<String> all = settings.values().stream().flatMap(List::stream).toList();
      long elsewhere = all.stream().filter(program::isElsewhere).count();
      if (elsewhere == 0) {
        upload(channel, settings);
      } else if (elsewhere < all.size()) {
        throw failure(
            String.join(" and ", settings.keySet()),
            "they come through channel '%s', so all of them lie in S3 or none".formatted(channel));
      } else {
        refer(channel, settings, all);
      }
    }

    private void upload(String channel, Map<String, List<String>> settings) {
      Map<Path, String> names = new LinkedHashMap<>();
      SortedMap<String, Path> files = new TreeMap<>();
      settings.forEach(
          (setting, values) -> {
            List<String> found = new ArrayList<>();
            for (Path file : Dataset.files(values).files()) {
              String name = names.computeIfAbsent(file, path -> InputFiles.free(path, files));
              files.put(name, file);
              found.add(channel + "/" + name);
            }
            paths.put(setting, found);
          });
      InputFiles all = new InputFiles(files);
      all.require();
      local.put(channel, all);
    }

    private void refer(String channel, Map<String, List<String>> settings, List<String> all) {
      String firstSetting = settings.keySet().iterator().next();
      S3Location first = place(firstSetting, all.get(0));
      if (all.size() == 1 && (settings.containsKey(DATA) || settings.containsKey(EVAL))) {
        if (PlatformNames.isData(first.name())) {
          // The service takes all whose keys begin with it; the setting says which one it is.
          paths.put(firstSetting, List.of(channel + "/" + first.name()));
          remote.put(channel, first);
        } else {
          // The container takes all data files of the channel.
          remote.put(channel, asFolder(firstSetting, first));
        }
        return;
      }
      settings.forEach(
          (setting, values) -> {
            List<String> found = new ArrayList<>();
            for (String value : values) {
              S3Location file = place(setting, value);
              if (file.name().isEmpty()) {
                throw failure(setting, "%s is no file".formatted(file));
              }
              if (!file.folder().equals(first.folder())) {
                throw failure(
                    setting,
                    "%s and %s come through channel '%s', which is one folder: put them into one"
                        .formatted(first, file, channel));
              }
              found.add(channel + "/" + file.name());
            }
            paths.put(setting, found);
          });
      remote.put(channel, folder(firstSetting, channel, first));
    }

    private S3Location place(String setting, String text) {
      try {
        return S3Location.named(text);
      } catch (LoraGraphException e) {
        throw failure(setting, e.getMessage());
      }
    }

    private void putTexts(String setting, List<String> values) {
      putText(setting, () -> HyperparameterText.of(values, ServiceText.HYPERPARAMETER));
    }

    private void putText(String setting, Supplier<String> text) {
      try {
        hyperparameters.put(setting, text.get());
      } catch (LoraGraphException e) {
        throw failure(setting, e.getMessage());
      }
    }

    private LoraGraphException failure(String setting, String what) {
      return new LoraGraphException("%s%s: %s".formatted(where, setting, what));
    }
  }
}
