package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.CheckpointFile;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The checkpoints of a run: a file for each, by its step. The last two that are whole are kept, so
 * that a damaged one costs the steps between two checkpoints and not the run.
 */
final class RunCheckpoints implements BestParameters {
  static final String FOLDER = "checkpoints";
  private static final Pattern ANY_NAME = Pattern.compile("step-(\\d+)");
  private static final String BEST = "best-";

  /** More digits than the number of a step can have. */
  private static final int LONGEST = 18;

  private final Path folder;

  /** The last one that was read or written here; null before it. */
  private @Nullable Path whole;

  /** The last one before it that was written here; null where there was none. */
  private @Nullable Path beforeIt;

  /** The steps whose parameters these two refer to as the best ones; 0 for none. */
  private long bestOfWhole;

  private long bestOfBefore;

  /**
   * @param run the folder of the run; not touched before the first checkpoint is written
   */
  RunCheckpoints(Path run) {
    this.folder = run.resolve(FOLDER);
  }

  static String name(long step) {
    return String.format(Locale.ROOT, "step-%08d", step);
  }

  /** Where they lie. */
  Path folder() {
    return folder;
  }

  /** Whether there is none, damaged ones included. */
  boolean isEmpty() {
    return files().isEmpty();
  }

  /** The last ones first. */
  private List<Path> files() {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(f -> ANY_NAME.matcher(f.getFileName().toString()).matches())
          .sorted(Comparator.comparingLong(RunCheckpoints::stepOf).reversed())
          .toList();
    } catch (IOException e) {
      throw new LoraGraphException("cannot list " + folder + ": " + AtomicFile.reason(e), e);
    }
  }

  /** By the name of the file; one that no step gets counts as later than all. */
  private static long stepOf(Path file) {
    Matcher name = ANY_NAME.matcher(file.getFileName().toString());
    return name.matches() && name.group(1).length() <= LONGEST
        ? Long.parseLong(name.group(1))
        : Long.MAX_VALUE;
  }

  /**
   * The last checkpoint that can be gone on from. Each later one that cannot is named.
   *
   * @param notes takes a line for each checkpoint that is passed over
   * @return empty where there is none at all
   * @throws LoraGraphException if there are some, and none can be gone on from
   */
  Optional<Checkpoint> last(Consumer<String> notes) {
    List<String> refusals = new ArrayList<>();
    for (Path file : files()) {
      try {
        Checkpoint checkpoint = read(file);
        whole = file;
        bestOfWhole = BestEvaluation.stepIn(checkpoint);
        refusals.forEach(
            refusal ->
                notes.accept(
                    "%s: going on from the checkpoint of step %,d instead"
                        .formatted(refusal, checkpoint.step())));
        return Optional.of(checkpoint);
      } catch (LoraGraphException e) {
        refusals.add(e.getMessage());
      }
    }
    if (!refusals.isEmpty()) {
      refusals.forEach(notes);
      throw new LoraGraphException(folder + " has no checkpoint that is whole", Remedy.RUN_ANEW);
    }
    return Optional.empty();
  }

  private Checkpoint read(Path file) {
    Checkpoint checkpoint = CheckpointFile.readChecked(file);
    long step = checkpoint.step();
    String name = name(step);
    if (!file.getFileName().toString().equals(name)) {
      throw new LoraGraphException(
          "%s is the checkpoint of step %,d under another name (rename it to %s to have it used)"
              .formatted(file, step, name));
    }
    checkpoint
        .notANumber()
        .ifPresent(
            what -> {
              throw new LoraGraphException(
                  "%s holds values that are no numbers (%s): the training had diverged by then"
                      .formatted(file, what));
            });
    long best = BestEvaluation.stepIn(checkpoint);
    if (best > 0) {
      requireBest(file, best);
    }
    return checkpoint;
  }

  /** A checkpoint is whole only with the best parameters that it refers to. */
  private void requireBest(Path file, long step) {
    Path best = best(step);
    if (!Files.exists(best)) {
      throw new LoraGraphException(
          "%s refers to the best parameters, of step %,d, and %s is not there"
              .formatted(file, step, best));
    }
    CheckpointFile.readChecked(best);
  }

  private Path best(long step) {
    return folder.resolve(BEST + String.format(Locale.ROOT, "%08d", step));
  }

  @Override
  public void keep(long step, Checkpoint state) {
    CheckpointFile.write(state, best(step), true);
    deleteBest(new HashSet<>(List.of(step, bestOfWhole, bestOfBefore)));
  }

  /** Copied: the file goes with the checkpoints. */
  @Override
  public Checkpoint of(long step) {
    CheckpointFile.readChecked(best(step));
    return CheckpointFile.readCopied(best(step));
  }

  private void deleteBest(Set<Long> kept) {
    Set<Path> names = kept.stream().map(this::best).collect(Collectors.toSet());
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        if (file.getFileName().toString().startsWith(BEST) && !names.contains(file)) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      throw new LoraGraphException("cannot write " + folder + ": " + AtomicFile.reason(e), e);
    }
  }

  /**
   * Writes a checkpoint, and deletes all others but the last one of another step that was known to
   * be whole.
   */
  void write(long step, Checkpoint state) {
    Path file = folder.resolve(name(step));
    CheckpointFile.write(state, file, true);
    if (whole != null && !whole.equals(file)) {
      beforeIt = whole;
      bestOfBefore = bestOfWhole;
    }
    whole = file;
    bestOfWhole = BestEvaluation.stepIn(state);
    List<Path> kept = new ArrayList<>(List.of(file));
    if (beforeIt != null) {
      kept.add(beforeIt);
    }
    try {
      // The older ones first: at whatever point the process is killed, later ones are there.
      List<Path> older = new ArrayList<>(files());
      Collections.reverse(older);
      for (Path other : older) {
        if (!kept.contains(other)) {
          Files.deleteIfExists(other);
        }
      }
    } catch (IOException e) {
      throw new LoraGraphException("cannot write " + folder + ": " + AtomicFile.reason(e), e);
    }
    deleteBest(new HashSet<>(List.of(bestOfWhole, bestOfBefore)));
  }
}
