package io.github.loragraph.sagemaker;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.RunSettings;
import io.github.loragraph.file.AtomicFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * The channels of a job: folders with its data and its model.
 *
 * @param folders by the names of the channels
 */
record Channels(Map<String, Path> folders) {
  private static final String MODE = "TrainingInputMode";

  /** What tools put beside data. */
  private static final Pattern BESIDE =
      Pattern.compile(
          "(?i)(?:.+[.-])?manifest(?:\\.json)?|dataset_infos?\\.json|state\\.json"
              + "|(?:readme|license|licence|changelog|notice)(?:\\.txt)?|.+\\.(?:md|rst|html|pdf)");

  private static final String FORMATS =
      ".tsv, .csv, .jsonl, .conll or .txt, also packed (.gz, .zst)";

  private static final String ARCHIVE = ".tar.gz";

  /** Files that hold others, in ways that are not unpacked. */
  private static final Pattern PACKED =
      Pattern.compile("(?i).+\\.(?:tgz|tar|zip|7z|tar\\.(?:bz2|xz|zst)|tbz2?|txz)");

  Channels {
    folders = Map.copyOf(folders);
  }

  /**
   * Those that the platform has filled.
   *
   * @throws LoraGraphException if one is unknown, is a pipe, is not there, or is said to be
   *     something else than a channel
   */
  static Channels read(ContainerFolders container) {
    Path config = container.inputDataConfig();
    Map<String, Path> folders = new LinkedHashMap<>();
    JsonFile.read(config)
        .ifPresentOrElse(
            object ->
                object
                    .properties()
                    .forEach(
                        channel ->
                            folders.put(
                                channel.getKey(),
                                folder(container, channel.getKey(), channel.getValue()))),
            // Without the file the folders tell, as where somebody tries an image by hand.
            () ->
                FolderFiles.in(container.data()).stream()
                    .filter(Files::isDirectory)
                    .filter(folder -> !isHidden(folder.getFileName()))
                    .forEach(
                        folder -> {
                          String name = folder.getFileName().toString();
                          requireKnown(container.data(), name);
                          folders.put(name, folder);
                        }));
    return new Channels(folders);
  }

  private static void requireKnown(Path place, String name) {
    if (!PlatformNames.CHANNELS.contains(name)) {
      throw new LoraGraphException(
          "%s: there is a channel '%s', and the channels are %s: rename it, or leave it out"
              .formatted(place, name, String.join(", ", PlatformNames.CHANNELS)));
    }
  }

  private static Path folder(ContainerFolders container, String name, JsonNode channel) {
    Path config = container.inputDataConfig();
    requireKnown(config, name);
    if (!channel.isObject()) {
      throw new LoraGraphException(
          "%s: channel '%s' is no JSON object: {\"%s\": \"File\"}".formatted(config, name, MODE));
    }
    String mode = text(config, name, channel, MODE, "File");
    if (!mode.equals("File") && !mode.equals("FastFile")) {
      throw new LoraGraphException(
          "%s: channel '%s' is in %s mode, which is read once and in order: use File or FastFile"
              .formatted(config, name, mode));
    }
    String wrapper = text(config, name, channel, "RecordWrapperType", "None");
    if (!wrapper.equals("None")) {
      throw new LoraGraphException(
          "%s: channel '%s' wraps its files in %s: leave RecordWrapperType out"
              .formatted(config, name, wrapper));
    }
    Path folder = container.data().resolve(name);
    if (!Files.isDirectory(folder)) {
      throw new LoraGraphException(
          "%s: channel '%s' is named, and there is no folder %s".formatted(config, name, folder));
    }
    return folder;
  }

  private static String text(Path config, String name, JsonNode channel, String key, String usual) {
    JsonNode value = channel.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return usual;
    }
    if (!value.isTextual()) {
      throw new LoraGraphException(
          "%s: channel '%s': %s is no text, as \"%s\" is: %s"
              .formatted(config, name, key, usual, value));
    }
    return value.textValue();
  }

  /** The folder of a channel; empty where the job has none of the name. */
  Optional<Path> folder(String name) {
    return Optional.ofNullable(folders.get(name));
  }

  /**
   * The data files of a channel, in the order of their paths. Hidden ones and what tools put beside
   * data are left out.
   *
   * @param notes takes a line where some are left out
   * @throws LoraGraphException if there are none, one has another form, or the folder cannot be
   *     read
   */
  List<String> dataFiles(String name, Consumer<String> notes) {
    Path folder = folders.get(name);
    if (folder == null) {
      return List.of();
    }
    List<String> found = new ArrayList<>();
    List<String> others = new ArrayList<>();
    List<String> refused = new ArrayList<>();
    for (Path file : FolderFiles.below(folder)) {
      Path path = folder.relativize(file);
      String last = path.getFileName().toString();
      if (isHidden(path) || BESIDE.matcher(last).matches()) {
        others.add(path.toString());
      } else if (!PlatformNames.isData(last)) {
        refused.add(path.toString());
      } else if (!Files.isRegularFile(file)) {
        throw new LoraGraphException(
            "%s is a link that leads nowhere, or no file: take it away".formatted(file));
      } else {
        found.add(file.toString());
      }
    }
    if (!refused.isEmpty()) {
      throw new LoraGraphException(
          "%s holds what is none of the forms of data (%s): take it out, or name the files to take in hyperparameter '%s': %s"
              .formatted(
                  folder,
                  FORMATS,
                  name.equals(PlatformNames.TRAIN) ? "data" : "eval",
                  first(refused)));
    }
    if (!others.isEmpty()) {
      notes.accept("no data of channel '%s', by their names: %s".formatted(name, first(others)));
    }
    if (found.isEmpty()) {
      throw new LoraGraphException("%s has no file with examples: %s".formatted(folder, FORMATS));
    }
    return found;
  }

  /**
   * Says which files of the channels for data a run has no use for, since its hyperparameters name
   * others.
   *
   * @param notes takes a line for each channel with such files
   */
  void sayUnused(RunSettings run, Consumer<String> notes) {
    Set<String> used = new HashSet<>();
    run.dataFiles().values().forEach(files -> files.forEach(file -> used.add(file.toString())));
    for (Map<String, List<String>> settings :
        List.of(run.training(), run.adapters(), run.ofSource(), run.head().orElse(Map.of()))) {
      settings.values().forEach(used::addAll);
    }
    for (String name : List.of(PlatformNames.TRAIN, PlatformNames.VALIDATION)) {
      Path folder = folders.get(name);
      if (folder == null) {
        continue;
      }
      List<String> left =
          FolderFiles.below(folder).stream()
              .filter(file -> !used.contains(file.toString()))
              .map(folder::relativize)
              .filter(
                  path ->
                      !isHidden(path) && !BESIDE.matcher(path.getFileName().toString()).matches())
              .map(Path::toString)
              .toList();
      if (!left.isEmpty()) {
        notes.accept(
            "not used of channel '%s', since hyperparameters name other files: %s"
                .formatted(name, first(left)));
      }
    }
  }

  private static boolean isHidden(Path path) {
    for (Path part : path) {
      if (part.toString().startsWith(".") || part.toString().startsWith("_")) {
        return true;
      }
    }
    return false;
  }

  private static String first(List<String> names) {
    int most = 5;
    return names.size() <= most
        ? String.join(", ", names)
        : "%s and %,d more"
            .formatted(String.join(", ", names.subList(0, most)), names.size() - most);
  }

  /**
   * Where the model of a job lies: the folder of its channel, what is unpacked of a {@code
   * model.tar.gz} there, or the one folder in either that has the model.
   *
   * @param unpacked the folder that an archive is unpacked in, under its own name
   * @return empty where there is no such channel
   * @throws LoraGraphException if there is none, or more than one, or it cannot be read or unpacked
   */
  Optional<Path> model(Path unpacked, Consumer<String> notes) {
    Path folder = folders.get(PlatformNames.MODEL);
    if (folder == null) {
      return Optional.empty();
    }
    List<Path> archives = named(folder, name -> name.toLowerCase(Locale.ROOT).endsWith(ARCHIVE));
    List<String> names = archives.stream().map(file -> folder.relativize(file).toString()).toList();
    Optional<Path> there = modelIn(folder, folder.toString(), notes);
    if (there.isPresent()) {
      if (!archives.isEmpty()) {
        notes.accept(
            "not unpacked, since the model lies in channel 'model' as it is: " + first(names));
      }
      return there;
    }
    if (archives.size() > 1) {
      throw new LoraGraphException(
          "%s has %,d archives: leave one: %s".formatted(folder, archives.size(), first(names)));
    }
    if (archives.isEmpty()) {
      List<Path> packed = named(folder, name -> PACKED.matcher(name).matches());
      if (!packed.isEmpty()) {
        throw new LoraGraphException(
            "%s is not unpacked: pack the model as model%s (tar -czf)"
                .formatted(packed.get(0), ARCHIVE));
      }
      // What else may be a model says who opens it.
      return Optional.of(folder);
    }
    Path archive = archives.get(0);
    // Messages about what is in it have its name.
    Path target = unpacked.resolve(archive.getFileName().toString());
    if (!Files.exists(target)) {
      notes.accept("the model is unpacked from " + archive);
      TarGz.unpack(archive, target);
    }
    return Optional.of(
        modelIn(target, archive.toString(), notes)
            .orElseThrow(
                () -> new LoraGraphException("%s has no .onnx file in it".formatted(archive))));
  }

  /**
   * Says which models of the channel, or of what was unpacked of it, a run does not begin with.
   *
   * @param taken the file that it begins with
   */
  void sayOtherModels(Path taken, Path unpacked, Consumer<String> notes) {
    Path channel = folders.get(PlatformNames.MODEL);
    Path folder = taken.startsWith(unpacked) ? unpacked : channel;
    if (folder == null || !taken.startsWith(folder)) {
      return;
    }
    List<String> others =
        named(folder, name -> name.endsWith(".onnx")).stream()
            .filter(file -> !file.equals(taken))
            .map(file -> folder.relativize(file).toString())
            .toList();
    if (!others.isEmpty()) {
      notes.accept(
          "the model is %s; not used: %s".formatted(folder.relativize(taken), first(others)));
    }
  }

  private static List<Path> named(Path folder, Predicate<String> wanted) {
    return FolderFiles.below(folder).stream()
        .filter(file -> !isHidden(folder.relativize(file)))
        .filter(file -> wanted.test(file.getFileName().toString()))
        .toList();
  }

  /** The one folder with a model, which has it in itself or in its folder {@code onnx}. */
  private static Optional<Path> modelIn(Path folder, String shown, Consumer<String> notes) {
    List<Path> found =
        named(folder, name -> name.endsWith(".onnx")).stream()
            .map(AtomicFile::folderOf)
            .map(
                home ->
                    home.endsWith("onnx") && !home.equals(folder)
                        ? AtomicFile.folderOf(home)
                        : home)
            .distinct()
            .toList();
    if (found.isEmpty()) {
      return Optional.empty();
    }
    if (found.contains(folder)) {
      return Optional.of(folder);
    }
    List<String> names = found.stream().map(home -> folder.relativize(home).toString()).toList();
    if (found.size() > 1) {
      throw new LoraGraphException(
          "%s has models in several folders: leave one: %s".formatted(shown, first(names)));
    }
    notes.accept("the model is in folder %s of %s".formatted(names.get(0), shown));
    return Optional.of(found.get(0));
  }
}
