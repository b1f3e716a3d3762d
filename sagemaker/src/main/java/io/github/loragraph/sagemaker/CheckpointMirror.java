package io.github.loragraph.sagemaker;

import io.github.loragraph.TrainingListener;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.Checksum;
import io.github.loragraph.file.FileStamps;
import io.github.loragraph.file.TemporaryFolder;
import io.github.loragraph.trainer.StoppedRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Keeps a run folder in the folder that the platform copies to and from its storage, file by file
 * and while it is written to. So no file there is written to again once it is whole: each has the
 * checksum of its content in its name, what stands under such a name with other content is left
 * alone, and what belongs together is said by an index that is written last, one for each
 * checkpoint. The last two of them are kept, with the files that they name; nothing else stays in
 * the folder of a configuration.
 *
 * <p>Long because what is written and what is read again are one thing.
 */
final class CheckpointMirror implements TrainingListener {
  private static final int KEPT = 2;

  private final Path checkpoints;
  private final Path folder;
  private final Path run;
  private final Consumer<String> notes;

  /** Of the run's files, so that what does not change is read for it once. */
  private final Map<Path, Known> known = new HashMap<>();

  /** Files that were written here, or read and found whole. */
  private final Set<Path> whole = new HashSet<>();

  /** Indexes that name no checkpoint which can be gone on from. */
  private final Set<Path> passedOver = new HashSet<>();

  /** What cannot be deleted, and was said to be so. */
  private final Set<Path> stuck = new HashSet<>();

  private boolean keepsSome;

  /**
   * @param checkpoints the platform's folder
   * @param configuration tells trainings apart: only one of the same is gone on with
   * @param run the folder that is kept
   * @param notes takes a line for each thing that is passed over or stands in the way
   */
  CheckpointMirror(Path checkpoints, String configuration, Path run, Consumer<String> notes) {
    this.checkpoints = checkpoints;
    this.folder = checkpoints.resolve("run-" + CheckpointIndex.checksumOf(configuration));
    this.run = run;
    this.notes = notes;
  }

  /** A checksum, for as long as the file is the same one. */
  private record Known(FileStamps stamps, String checksum) {}

  /**
   * Refuses a folder that takes no checkpoints; to be called before long work. Nothing is there
   * where a job keeps none.
   *
   * @throws LoraGraphException if it is a file, or nothing can be written into it
   */
  static void requireWritable(Path folder) {
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!Files.isDirectory(folder)) {
      throw new LoraGraphException(
          "%s is no folder, and checkpoints are kept in it: take away what is there"
              .formatted(folder));
    }
    try {
      if (Files.getFileStore(folder).getUsableSpace() == 0) {
        throw new LoraGraphException("cannot write %s: no space is left".formatted(folder));
      }
      // An empty folder is nothing to the platform, which copies files.
      Files.delete(Files.createTempDirectory(folder, ".lora-"));
    } catch (IOException e) {
      throw ContentFile.cannotWrite(folder, e);
    }
  }

  /** Whether a later start of the job has something to go on from. */
  boolean keepsSome() {
    return keepsSome;
  }

  /**
   * Brings back the last checkpoint that is whole, into a run folder that is not there yet. Each
   * that is passed over is said, and where there is none that the training begins anew.
   *
   * @return whether there was one
   * @throws LoraGraphException if it cannot be written, or checkpoints cannot be kept
   */
  boolean restore() {
    boolean begun = Files.exists(folder, LinkOption.NOFOLLOW_LINKS);
    if (Files.isSymbolicLink(folder)) {
      throw new LoraGraphException(
          "%s is a link, and what no checkpoint needs is deleted where it leads: take it away"
              .formatted(folder));
    }
    requireWritable(folder);
    for (Path file : indexes()) {
      Optional<String> fault = restore(file);
      if (fault.isEmpty()) {
        notes.accept(
            "going on from the checkpoint of step %,d in %s"
                .formatted(CheckpointIndex.stepOf(file), folder));
        keepsSome = true;
        return true;
      }
      passedOver.add(file);
      notes.accept("%s is passed over: %s".formatted(file, fault.get()));
    }
    sayNone(begun);
    return false;
  }

  private void sayNone(boolean begun) {
    List<String> others =
        FolderFiles.in(checkpoints).stream()
            .filter(path -> !path.equals(folder))
            .map(path -> path.getFileName().toString())
            .filter(name -> !name.startsWith("."))
            .toList();
    String stays = "what is there stays: " + String.join(", ", others);
    if (begun) {
      notes.accept(
          "no whole checkpoint in %s: the training begins anew%s"
              .formatted(folder, others.isEmpty() ? "" : "; beside it " + stays));
    } else if (!others.isEmpty()) {
      notes.accept(
          "%s has nothing of this configuration (model, data and hyperparameters): the training begins anew, and %s"
              .formatted(checkpoints, stays));
    }
  }

  /** The last ones first. */
  private List<Path> indexes() {
    return FolderFiles.in(folder).stream()
        .filter(Files::isRegularFile)
        .filter(CheckpointIndex::isOne)
        .sorted(Comparator.comparingLong(CheckpointIndex::stepOf).reversed())
        .toList();
  }

  /** Says what is wrong with a checkpoint, of which nothing is left in the run folder then. */
  private Optional<String> restore(Path file) {
    CheckpointIndex index;
    try {
      index = CheckpointIndex.read(file);
    } catch (LoraGraphException e) {
      return Optional.of(e.getMessage());
    }
    for (String stored : index.files().values()) {
      Optional<String> fault = fault(folder.resolve(stored), CheckpointIndex.checksumOf(stored));
      if (fault.isPresent()) {
        return fault;
      }
    }
    boolean done = false;
    try {
      index.files().forEach((name, stored) -> copy(folder.resolve(stored), run.resolve(name)));
      Optional<String> fault = unfit(index.step());
      done = fault.isEmpty();
      return fault;
    } finally {
      if (!done) {
        deleteRun();
      }
    }
  }

  private void deleteRun() {
    try {
      if (Files.exists(run)) {
        TemporaryFolder.delete(run);
      }
    } catch (IOException e) {
      throw ContentFile.cannotWrite(run, e);
    }
  }

  /** Why what was brought back cannot be gone on with. */
  private Optional<String> unfit(long step) {
    List<String> said = new ArrayList<>();
    try (StoppedRun stopped = StoppedRun.open(run, said::add)) {
      boolean same =
          stopped
              .start()
              .flatMap(start -> start.group(Checkpoint.GROUP))
              .filter(group -> group.step() == step)
              .isPresent();
      if (same) {
        return Optional.empty();
      }
      said.add("its checkpoint is not of step %,d".formatted(step));
    } catch (LoraGraphException e) {
      said.add(e.getMessage());
    }
    // Its place is of no use to anybody any more.
    return Optional.of(said.get(0).replace(run + "/", ""));
  }

  /** What is wrong with a kept file; it is read once. */
  private Optional<String> fault(Path kept, String checksum) {
    if (!Files.isRegularFile(kept)) {
      return Optional.of(kept.getFileName() + " is not there");
    }
    try {
      if (whole.contains(kept) || Checksum.of(kept).startsWith(checksum)) {
        whole.add(kept);
        return Optional.empty();
      }
    } catch (LoraGraphException e) {
      return Optional.of(e.getMessage());
    }
    return Optional.of(kept.getFileName() + " is not whole");
  }

  /** Keeps the run as it is after a checkpoint was written into it. */
  @Override
  public void onSave(long step) {
    Map<String, String> names = new LinkedHashMap<>();
    for (Path file : runFiles()) {
      String name = CheckpointIndex.requireName(run.relativize(file).toString().replace('\\', '/'));
      String checksum = checksum(file);
      String stem = checksum + "-" + name.replace('/', '-');
      names.put(
          name, keep(stem, "", checksum, to -> Files.copy(file, to)).getFileName().toString());
    }
    byte[] index = new CheckpointIndex(step, names).content();
    String checksum = CheckpointIndex.checksumOf(new Checksum.Builder().add(index).build());
    Path written =
        keep(
            CheckpointIndex.stem(step, checksum),
            ".json",
            checksum,
            to -> Files.write(to, index, StandardOpenOption.CREATE_NEW));
    keepsSome = true;
    clear(written);
  }

  private String checksum(Path file) {
    Known before = known.get(file);
    if (before != null && before.stamps.areUnchanged()) {
      return before.checksum;
    }
    // Taken first: what changes meanwhile is read again.
    FileStamps stamps = FileStamps.of(List.of(file));
    String checksum = CheckpointIndex.checksumOf(Checksum.of(file));
    known.put(file, new Known(stamps, checksum));
    return checksum;
  }

  private List<Path> runFiles() {
    return FolderFiles.below(run).stream()
        .filter(file -> !file.getFileName().toString().startsWith("."))
        .toList();
  }

  /** Writes a file that is not there yet. */
  private interface Content {
    void writeTo(Path file) throws IOException;
  }

  /**
   * Writes content under the first name that nothing else stands under; it may be there already.
   */
  private Path keep(String stem, String ending, String checksum, Content content) {
    for (int n = 1; ; n++) {
      Path place = folder.resolve((n == 1 ? stem : stem + "-" + n) + ending);
      if (fault(place, checksum).isEmpty()) {
        return place;
      }
      if (!Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
        write(place, content);
        whole.add(place);
        return place;
      }
    }
  }

  private static void write(Path file, Content content) {
    boolean done = false;
    try {
      Files.createDirectories(AtomicFile.folderOf(file));
      content.writeTo(file);
      done = true;
    } catch (IOException e) {
      throw ContentFile.cannotWrite(file, e);
    } finally {
      if (!done) {
        deleteQuietly(file);
      }
    }
  }

  private static void deleteQuietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // No index names it, and the next checkpoint deletes it.
    }
  }

  private static void copy(Path from, Path to) {
    write(to, file -> Files.copy(from, file));
  }

  /**
   * Deletes what no kept index names. The indexes go first: none ever names what is not there.
   *
   * @param last of the checkpoint that was just written; those of later steps, and others of the
   *     same one, were passed over or are outdated
   */
  private void clear(Path last) {
    Set<Path> kept = new HashSet<>();
    int count = 0;
    List<Path> indexes = indexes();
    for (Path index : indexes) {
      boolean mayStay =
          index.equals(last)
              || (CheckpointIndex.stepOf(index) < CheckpointIndex.stepOf(last)
                  && !passedOver.contains(index));
      if (!mayStay || count == KEPT) {
        continue;
      }
      try {
        CheckpointIndex.read(index)
            .files()
            .values()
            .forEach(name -> kept.add(folder.resolve(name)));
        kept.add(index);
        count++;
      } catch (LoraGraphException e) {
        // A process was killed while it wrote it.
      }
    }
    List<Path> rest = new ArrayList<>(FolderFiles.in(folder));
    rest.removeAll(kept);
    rest.sort(Comparator.comparing((Path file) -> !indexes.contains(file)));
    rest.forEach(this::delete);
  }

  /** What cannot be deleted is in nobody's way: the checkpoint is there. */
  private void delete(Path file) {
    try {
      Files.deleteIfExists(file);
      whole.remove(file);
    } catch (IOException e) {
      if (stuck.add(file)) {
        notes.accept(
            "%s is no part of a checkpoint and cannot be deleted: it stays".formatted(file));
      }
    }
  }
}
