package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.experiment.ExperimentFile;
import io.github.loragraph.experiment.RunProgram;
import io.github.loragraph.experiment.RunSettings;
import io.github.loragraph.experiment.SettingsLayer;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.Checksum;
import io.github.loragraph.models.RunConfiguration;
import io.github.loragraph.models.SettingsFile;
import io.github.loragraph.sagemaker.ArticleNames;
import io.github.loragraph.sagemaker.PlatformNames;
import io.github.loragraph.search.SearchFile;
import io.github.loragraph.search.SearchJob;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.sagemaker.model.CreateTrainingJobRequest;

/**
 * Reads the file of an experiment or a search, checked as they are, as what is submitted: a
 * training job for each run and seed, or one tuning job. Used by one thread.
 */
final class SubmissionFile {
  private static final String BASE = "base";
  private static final String GRID = "grid";
  private static final String RUNS = "runs";
  private static final String SPACE = "space";
  private static final String SEEDS = "seeds";
  private static final String MODEL = "model";

  private final Path file;
  private final SageMakerSettings settings;
  private final JobNames names;
  private final RunProgram program = new RemoteProgram(RunProgram.ofThisProcess());
  private final Map<String, Object> entries;

  /** Checksums of files that are read: many runs have the same. */
  private final Map<Path, String> checksums = new HashMap<>();

  private final Set<Upload> uploads = new LinkedHashSet<>();

  private SubmissionFile(
      Path file, SageMakerSettings settings, JobNames names, Map<String, Object> entries) {
    this.file = file;
    this.settings = settings;
    this.names = names;
    this.entries = entries;
  }

  /**
   * Reads a file.
   *
   * @param now which the jobs are named by
   * @throws LoraGraphException if it cannot be read, or something in it is not possible
   */
  static Submission read(Path file, Instant now) {
    Map<String, Object> entries = new LinkedHashMap<>(RunConfiguration.entries(file));
    String name = String.valueOf(file.getFileName()).replaceFirst("\\.[^.]*$", "");
    SageMakerSettings settings =
        SageMakerSettings.of(file.toString(), name, entries.remove(SettingsFile.SAGEMAKER));
    SubmissionFile reader = new SubmissionFile(file, settings, new JobNames(now), entries);
    reader.requireOwnNames();
    reader.putChannels();
    return entries.containsKey(SPACE) ? reader.tuning() : reader.trainings();
  }

  /** The article's names are those of a job: who submits a file writes the settings' own. */
  private void requireOwnNames() {
    for (String key : List.of(BASE, GRID, SPACE)) {
      requireOwnNames(key + ".", entries.get(key));
    }
    if (entries.get(RUNS) instanceof Map<?, ?> runs) {
      runs.forEach(
          (name, run) -> {
            String place = "%s.%s.".formatted(RUNS, name);
            requireOwnNames(place, run);
            if (run instanceof Map<?, ?> settings) {
              requireOwnNames(place + GRID + ".", settings.get(GRID));
            }
          });
    }
  }

  private void requireOwnNames(String place, @Nullable Object settings) {
    if (!(settings instanceof Map<?, ?> map)) {
      return;
    }
    map.forEach(
        (key, value) ->
            ArticleNames.meaning(
                    SettingsLayer.kebab(String.valueOf(key)), SettingsLayer.text(value))
                .ifPresent(
                    meant -> {
                      boolean isOne = !(value instanceof Map) && !(value instanceof List);
                      throw new LoraGraphException(
                          "%s: %s%s is a name of the article's: write '%s' here"
                              .formatted(
                                  file,
                                  place,
                                  key,
                                  isOne
                                      ? meant.setting() + ": " + meant.value()
                                      : meant.setting()));
                    }));
  }

  /** What a channel brings is what the setting of its kind names. */
  private void putChannels() {
    settings
        .channels()
        .forEach(
            (channel, place) -> {
              if (channel.equals(PlatformNames.MODEL)) {
                put("", entries, channel, MODEL, place);
              } else {
                Map<String, Object> base = new LinkedHashMap<>();
                Object given = entries.get(BASE);
                if (given != null && !(given instanceof Map)) {
                  // It is refused with the rest of the file.
                  return;
                }
                if (given instanceof Map<?, ?> map) {
                  map.forEach((key, value) -> base.put(String.valueOf(key), value));
                }
                put(BASE + ".", base, channel, setting(channel), place);
                entries.put(BASE, base);
              }
            });
  }

  private void put(
      String where, Map<String, Object> map, String channel, String key, S3Location place) {
    if (map.putIfAbsent(key, place.toString()) != null) {
      throw new LoraGraphException(
          "%s: %s%s and sagemaker.channels.%s name the same: keep one of them"
              .formatted(file, where, key, channel));
    }
  }

  private Submission trainings() {
    ExperimentFile experiment =
        ExperimentFile.of(program, file.toString(), AtomicFile.folderOf(file), entries);
    experiment.runs().stream()
        .filter(RunSettings::isMeasured)
        .findFirst()
        .ifPresent(
            run -> {
              throw new LoraGraphException(
                  "%s: runs.%s: a run of method none trains nothing, so there is no job for it: leave it out, or measure it here with 'lora-graph experiment'"
                      .formatted(file, run.name()));
            });
    JobRequests requests = new JobRequests(settings);
    List<PlannedJob> jobs = new ArrayList<>();
    Set<String> notes = new LinkedHashSet<>();
    for (RunSettings run : experiment.runs()) {
      requireChannels(run);
      RunInputs inputs = RunInputs.of(program, file.toString(), run);
      notes.addAll(inputs.notes());
      String name = names.next(settings.jobPrefix() + "-" + run.fullName(), JobNames.TRAINING);
      requireCheckpoints(name);
      CreateTrainingJobRequest request =
          requests.training(name, inputs.hyperparameters(), channels(inputs));
      jobs.add(new PlannedJob(name, run.fullName(), Optional.of(request), Optional.empty()));
    }
    return submission(jobs, notes);
  }

  /** A run that has its own data has no use for the channel that all are said to have. */
  private void requireChannels(RunSettings run) {
    settings
        .channels()
        .forEach(
            (channel, place) -> {
              String key = setting(channel);
              List<String> own = key.equals(MODEL) ? List.of(run.model()) : run.training().get(key);
              if (!List.of(place.toString()).equals(own)) {
                throw new LoraGraphException(
                    "%s: runs.%s: its '%s' is another one than sagemaker.channels.%s: keep one of them"
                        .formatted(file, run.name(), key, channel));
              }
            });
  }

  /** The setting that a channel stands for. */
  private static String setting(String channel) {
    return switch (channel) {
      case PlatformNames.TRAIN -> "data";
      case PlatformNames.VALIDATION -> "eval";
      default -> MODEL;
    };
  }

  private Submission tuning() {
    settings.requireOfTuning(file.toString());
    if (entries.containsKey(SEEDS)) {
      throw new LoraGraphException(
          "%s: %s: all trainings of a search have its 'seed': several need an experiment, 'runs' in the place of 'space'"
              .formatted(file, SEEDS));
    }
    SearchFile search = SearchFile.of(file, entries);
    TuningConfig tuning = TuningConfig.of(program, search);
    @Nullable Map<String, String> shared = null;
    @Nullable RunInputs inputs = null;
    Set<String> notes = new LinkedHashSet<>(tuning.notes());
    for (RunSettings trial : SearchJob.trials(search, program)) {
      inputs = RunInputs.of(program, file.toString(), trial);
      notes.addAll(inputs.notes());
      Map<String, String> own = new LinkedHashMap<>(inputs.hyperparameters());
      own.keySet().removeAll(tuning.tuned());
      if (shared != null && !shared.equals(own)) {
        throw differing(shared, own);
      }
      shared = own;
    }
    if (shared == null || inputs == null) {
      throw new IllegalStateException("a space without a trial");
    }
    String name = names.next(settings.jobPrefix(), JobNames.TUNING);
    requireCheckpoints(name);
    return submission(
        List.of(
            new PlannedJob(
                name,
                settings.jobPrefix(),
                Optional.empty(),
                Optional.of(
                    new JobRequests(settings)
                        .tuning(name, tuning.config(), shared, channels(inputs))))),
        notes);
  }

  private LoraGraphException differing(Map<String, String> one, Map<String, String> other) {
    Set<Map.Entry<String, String>> apart = new LinkedHashSet<>(one.entrySet());
    apart.addAll(other.entrySet());
    apart.removeIf(entry -> one.entrySet().contains(entry) && other.entrySet().contains(entry));
    return new LoraGraphException(
        "%s: base.%s: it is a setting of some trials alone, and the service gives all trainings the same: leave it out, or that which decides on it in 'space'"
            .formatted(file, apart.iterator().next().getKey()));
  }

  private Submission submission(List<PlannedJob> jobs, Set<String> notes) {
    return new Submission(
        jobs, List.copyOf(uploads), settings.region(), settings.kmsKey(), List.copyOf(notes));
  }

  private String checksum(Path file) {
    return checksums.computeIfAbsent(file, Checksum::of);
  }

  /** The address of what a job of that name keeps. */
  private void requireCheckpoints(String job) {
    settings.checkpoints().ifPresent(place -> fitting("checkpoints", place.resolve(job)));
  }

  /** What lies below an address is longer than that. */
  private S3Location fitting(String key, S3Location derived) {
    try {
      ServiceText.S3_ADDRESS.require(derived.toString());
      return derived;
    } catch (LoraGraphException e) {
      throw new LoraGraphException(
          "%s: sagemaker.%s: the address '%s' below it is too long: %s: take a shorter one"
              .formatted(file, key, PlainText.shortened(derived.toString(), 60), e.getMessage()),
          e);
    }
  }

  /** Where the channels of a run are in S3, what is uploaded for them among it. */
  private Map<String, S3Location> channels(RunInputs inputs) {
    Map<String, S3Location> channels = new LinkedHashMap<>();
    inputs
        .local()
        .forEach(
            (channel, files) -> {
              S3Location folder =
                  fitting(
                      "output",
                      settings
                          .output()
                          .resolve("input")
                          .resolve(files.digest(this::checksum) + "/"));
              files
                  .files()
                  .forEach(
                      (name, path) ->
                          uploads.add(
                              new Upload(
                                  path, fitting("output", folder.resolve(name)), checksum(path))));
              channels.put(channel, folder);
            });
    channels.putAll(inputs.remote());
    return channels;
  }
}
