package io.github.loragraph.sagemaker;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The channels of a job: folders with its data and its model.
 *
 * @param folders by the names of the channels
 */
record Channels(Map<String, Path> folders) {
  private static final String MODE = "TrainingInputMode";

  /** Files that hold examples, packed or not. */
  private static final Pattern DATA =
      Pattern.compile(
          "(?i).+\\.(?:tsv|csv|jsonl|ndjson|json|conll|conllu|bio|iob|iob2|txt)(?:\\.(?:gz|zst))?");

  Channels {
    folders = Map.copyOf(folders);
  }

  /**
   * Those that the platform has filled.
   *
   * @throws LoraGraphException if one is unknown, is a pipe, or is not there
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
                PlatformNames.CHANNELS.stream()
                    .filter(name -> Files.isDirectory(container.data().resolve(name)))
                    .forEach(name -> folders.put(name, container.data().resolve(name))));
    return new Channels(folders);
  }

  private static Path folder(ContainerFolders container, String name, JsonNode channel) {
    Path config = container.inputDataConfig();
    if (!PlatformNames.CHANNELS.contains(name)) {
      throw new LoraGraphException(
          "%s: there is a channel '%s', and the channels are %s: rename it, or leave it out"
              .formatted(config, name, String.join(", ", PlatformNames.CHANNELS)));
    }
    String mode = channel.path(MODE).asText("File");
    if (!mode.equals("File") && !mode.equals("FastFile")) {
      throw new LoraGraphException(
          "%s: channel '%s' is in %s mode, which is read once and in order: use File or FastFile"
              .formatted(config, name, mode));
    }
    String wrapper = channel.path("RecordWrapperType").asText("None");
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

  /** The folder of a channel; empty where the job has none of the name. */
  Optional<Path> folder(String name) {
    return Optional.ofNullable(folders.get(name));
  }

  /**
   * The data files of a channel, in the order of their paths.
   *
   * @param notes takes a line where other files lie there
   * @throws LoraGraphException if there are none, or the folder cannot be read
   */
  List<String> dataFiles(String name, Consumer<String> notes) {
    Path folder = folders.get(name);
    if (folder == null) {
      return List.of();
    }
    List<String> found = new ArrayList<>();
    List<String> others = new ArrayList<>();
    for (Path file : files(folder)) {
      Path path = folder.relativize(file);
      if (DATA.matcher(file.getFileName().toString()).matches() && !isHidden(path)) {
        found.add(file.toString());
      } else {
        others.add(path.toString());
      }
    }
    if (found.isEmpty()) {
      throw new LoraGraphException(
          "%s has no file with examples: .tsv, .csv, .jsonl, .conll or .txt, also packed (.gz, .zst)"
              .formatted(folder));
    }
    if (!others.isEmpty()) {
      notes.accept("no data of channel '%s', by their names: %s".formatted(name, first(others)));
    }
    return found;
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

  private static List<Path> files(Path folder) {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile).sorted().toList();
    } catch (IOException e) {
      throw new LoraGraphException("cannot list " + folder + ": " + AtomicFile.reason(e), e);
    }
  }

  /**
   * Where the model of a job lies: the folder of its channel, what is unpacked of a {@code
   * model.tar.gz} there, or the one folder in it.
   *
   * @param unpacked where an archive is unpacked to
   * @return empty where there is no such channel
   * @throws LoraGraphException if it cannot be read or unpacked
   */
  Optional<Path> model(Path unpacked, Consumer<String> notes) {
    Path folder = folders.get(PlatformNames.MODEL);
    if (folder == null) {
      return Optional.empty();
    }
    List<Path> archives =
        files(folder).stream()
            .filter(f -> f.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".tar.gz"))
            .toList();
    boolean hasModel =
        files(folder).stream().anyMatch(f -> f.getFileName().toString().endsWith(".onnx"));
    if (hasModel || archives.isEmpty()) {
      return Optional.of(folder);
    }
    if (archives.size() > 1) {
      throw new LoraGraphException(
          "%s has %,d archives: leave one".formatted(folder, archives.size()));
    }
    if (!Files.exists(unpacked)) {
      notes.accept("the model is unpacked from " + archives.get(0));
      TarGz.unpack(archives.get(0), unpacked);
    }
    return Optional.of(unpacked);
  }
}
