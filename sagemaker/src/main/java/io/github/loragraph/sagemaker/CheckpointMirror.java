package io.github.loragraph.sagemaker;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.TrainingListener;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.Checksum;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a run folder in the folder that the platform copies to and from its storage, file by file
 * and while it is written to. So no file there ever gets another content or name: each has the
 * checksum of its content in its name, and what belongs together is said by an index that is
 * written last, one for each checkpoint. The last two of them are kept, with the files that they
 * name; nothing else is ever in the folder of a configuration.
 */
final class CheckpointMirror implements TrainingListener {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern INDEX = Pattern.compile("step-(\\d{1,18})\\.json");
  private static final String FILES = "files";
  private static final int KEPT = 2;
  private static final int DIGITS = 16;

  private final Path folder;
  private final Path run;

  /** Checksums of files of the run that never change, so that each is read for it once. */
  private final Map<Path, String> known = new LinkedHashMap<>();

  /**
   * @param checkpoints the platform's folder
   * @param configuration tells trainings apart: only one of the same is gone on with
   * @param run the folder that is kept
   */
  CheckpointMirror(Path checkpoints, String configuration, Path run) {
    this.folder = checkpoints.resolve("run-" + configuration.substring(0, DIGITS));
    this.run = run;
  }

  /** One checkpoint with all that belongs to it. */
  private record Index(long step, Path file, Map<String, String> names) {}

  /**
   * Brings back the last checkpoint that is whole, into a run folder that is not there yet.
   *
   * @param notes takes a line for each that is passed over, and for those of other configurations
   * @return whether there was one
   * @throws LoraGraphException if it cannot be written
   */
  boolean restore(Consumer<String> notes) {
    sayOthers(notes);
    for (Path file : indexes()) {
      Optional<Index> index = whole(file, notes);
      if (index.isPresent()) {
        index
            .get()
            .names
            .forEach((name, stored) -> copy(folder.resolve(stored), run.resolve(name)));
        notes.accept(
            "going on from the checkpoint of step %,d in %s".formatted(index.get().step, folder));
        return true;
      }
    }
    return false;
  }

  private void sayOthers(Consumer<String> notes) {
    try (Stream<Path> there = Files.list(AtomicFile.folderOf(folder))) {
      List<String> others =
          there
              .filter(path -> !path.equals(folder))
              .map(path -> path.getFileName().toString())
              .sorted()
              .toList();
      if (!others.isEmpty() && !Files.isDirectory(folder)) {
        notes.accept(
            "%s has nothing of this configuration (model, data and hyperparameters): the training begins anew, and what is there stays: %s"
                .formatted(AtomicFile.folderOf(folder), String.join(", ", others)));
      }
    } catch (IOException e) {
      throw new LoraGraphException(
          "cannot list %s: %s".formatted(AtomicFile.folderOf(folder), AtomicFile.reason(e)), e);
    }
  }

  /** The last ones first. */
  private List<Path> indexes() {
    return list().stream()
        .filter(file -> INDEX.matcher(file.getFileName().toString()).matches())
        .sorted(Comparator.comparingLong(CheckpointMirror::stepOf).reversed())
        .toList();
  }

  private List<Path> list() {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    } catch (IOException e) {
      throw new LoraGraphException("cannot list " + folder + ": " + AtomicFile.reason(e), e);
    }
  }

  private static long stepOf(Path index) {
    return Long.parseLong(index.getFileName().toString().replaceAll("\\D", ""));
  }

  private Optional<Index> whole(Path file, Consumer<String> notes) {
    @Nullable String fault = null;
    try {
      Map<String, String> names = names(file);
      for (Map.Entry<String, String> entry : names.entrySet()) {
        Path stored = folder.resolve(entry.getValue());
        if (!Files.isRegularFile(stored)
            || !stored.getFileName().toString().startsWith(Checksum.of(stored).substring(0, DIGITS))
            || !run.resolve(entry.getKey()).normalize().startsWith(run)) {
          fault = entry.getValue() + " is not there, or not whole";
          break;
        }
      }
      if (fault == null) {
        return Optional.of(new Index(stepOf(file), file, names));
      }
    } catch (LoraGraphException e) {
      fault = e.getMessage();
    }
    notes.accept("%s is passed over: %s".formatted(file, fault));
    return Optional.empty();
  }

  private static Map<String, String> names(Path index) {
    Map<String, String> names = new LinkedHashMap<>();
    JsonNode files =
        JsonFile.read(index)
            .map(object -> object.path(FILES))
            .orElseThrow(() -> new LoraGraphException("no such file: " + index));
    files.properties().forEach(e -> names.put(e.getKey(), e.getValue().asText()));
    if (names.isEmpty()) {
      throw new LoraGraphException(index + " names no files");
    }
    return names;
  }

  /** Keeps the run as it is after a checkpoint was written into it. */
  @Override
  public void onSave(long step) {
    Map<String, String> names = new LinkedHashMap<>();
    for (Path file : runFiles()) {
      Path name = run.relativize(file);
      // A checkpoint's file never changes under its name, all others may.
      String checksum =
          name.getNameCount() > 1 ? known.computeIfAbsent(file, Checksum::of) : Checksum.of(file);
      String stored =
          checksum.substring(0, DIGITS) + "-" + name.toString().replaceAll("[^\\w.-]+", "-");
      Path target = folder.resolve(stored);
      if (!isKept(file, target)) {
        copy(file, target);
      }
      names.put(name.toString().replace('\\', '/'), stored);
    }
    write(step, names);
    clear(step);
  }

  private static boolean isKept(Path file, Path target) {
    try {
      return Files.isRegularFile(target) && Files.size(target) == Files.size(file);
    } catch (IOException e) {
      return false;
    }
  }

  private void write(long step, Map<String, String> names) {
    Path index = folder.resolve(String.format(Locale.ROOT, "step-%08d.json", step));
    Map<String, Object> content = new LinkedHashMap<>();
    content.put("step", step);
    content.put(FILES, names);
    try {
      Files.createDirectories(folder);
      Files.write(index, JSON.writeValueAsBytes(content));
    } catch (IOException e) {
      throw cannotWrite(index, e);
    }
  }

  private List<Path> runFiles() {
    try (Stream<Path> all = Files.walk(run)) {
      return all.filter(Files::isRegularFile)
          .filter(file -> !file.getFileName().toString().startsWith("."))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new LoraGraphException("cannot list " + run + ": " + AtomicFile.reason(e), e);
    }
  }

  /**
   * Deletes what no kept index names. The indexes go first: none ever names what is not there.
   *
   * @param step of the last one; those of later steps were passed over when the training went on
   */
  private void clear(long step) {
    Set<Path> indexes = new HashSet<>();
    Set<Path> kept = new HashSet<>();
    int count = 0;
    for (Path index : indexes()) {
      indexes.add(index);
      if (stepOf(index) > step || count == KEPT) {
        continue;
      }
      try {
        names(index).values().forEach(name -> kept.add(folder.resolve(name)));
        kept.add(index);
        count++;
      } catch (LoraGraphException e) {
        // A process was killed while it wrote it.
      }
    }
    List<Path> rest = new ArrayList<>(list());
    rest.removeAll(kept);
    rest.sort(Comparator.comparing((Path file) -> !indexes.contains(file)));
    for (Path file : rest) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        throw cannotWrite(file, e);
      }
    }
  }

  private static void copy(Path from, Path to) {
    try {
      Files.createDirectories(AtomicFile.folderOf(to));
      Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw cannotWrite(to, e);
    }
  }

  private static LoraGraphException cannotWrite(Path file, IOException e) {
    return new LoraGraphException("cannot write " + file + ": " + AtomicFile.reason(e), e);
  }
}
