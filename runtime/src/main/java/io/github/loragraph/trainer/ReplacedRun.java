package io.github.loragraph.trainer;

import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.ProcessLock;
import io.github.loragraph.file.TemporaryFolder;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What stood in the place of a run before. It waits in a hidden folder beside it, which the run
 * folder names, so that also who goes on with a killed run can put it back or take it away. A run
 * appears and disappears by a rename: where the process is killed between two of them, the hidden
 * folder that holds the note is left, and {@link #recover} ends what it had begun.
 */
final class ReplacedRun {
  private static final String NOTE = ".replaced";
  private static final String ASIDE = "-replaced-";

  /** A note from elsewhere must not name just any folder, which would be deleted. */
  private static final Pattern ASIDE_NAME = Pattern.compile("\\..*" + ASIDE + "\\d+");

  private final Path run;

  /** What comes back; null if there is nothing, or nothing any more. */
  private @Nullable Path waiting;

  /** What does not: deleting it takes its time, in which the process may be killed. */
  private final List<Path> worthless;

  private ReplacedRun(Path run, @Nullable Path waiting, List<Path> worthless) {
    this.run = run;
    this.waiting = waiting;
    this.worthless = List.copyOf(worthless);
  }

  /** What a run has replaced. */
  static ReplacedRun of(Path run) throws IOException {
    return of(run, run);
  }

  /**
   * @param noted the folder with the note: that of the run, or one that was to be
   */
  private static ReplacedRun of(Path run, Path noted) throws IOException {
    Path note = noted.resolve(NOTE);
    Path waiting = null;
    List<Path> worthless = new ArrayList<>();
    if (Files.isRegularFile(note)) {
      for (String name : Files.readAllLines(note)) {
        if (!ASIDE_NAME.matcher(name).matches() || Path.of(name).getNameCount() != 1) {
          continue;
        }
        Path folder = beside(run).resolve(name);
        boolean first = waiting == null && worthless.isEmpty();
        if (first && Files.isRegularFile(folder.resolve(RunFolder.CONFIG))) {
          waiting = folder;
        } else {
          worthless.add(folder);
        }
      }
    }
    return new ReplacedRun(run, waiting, worthless);
  }

  /** A new hidden folder beside a run's place, to become the run, with the rights of any folder. */
  static Path made(Path run) throws IOException {
    Path parent = beside(run);
    Files.createDirectories(parent);
    while (true) {
      long number = ThreadLocalRandom.current().nextLong(Long.MAX_VALUE);
      try {
        return Files.createDirectory(parent.resolve("." + nameOf(run) + "-" + number));
      } catch (FileAlreadyExistsException e) {
        // Another number will do.
      }
    }
  }

  /**
   * Puts a new run into its place. If what stands there is a run that is nothing worth, the one
   * that it replaced waits on.
   *
   * @param made the folder to become the run's, locked by this process
   * @param givenUp whether the run that stands there is nothing worth
   */
  static ReplacedRun replace(Path run, Path made, boolean givenUp) throws IOException {
    if (!Files.exists(run.resolve(RunFolder.CONFIG))) {
      // Nothing, or an empty folder.
      Files.move(made, run, StandardCopyOption.REPLACE_EXISTING);
      return new ReplacedRun(run, null, List.of());
    }
    ReplacedRun earlier = of(run);
    Path aside = Files.createTempDirectory(beside(run), "." + nameOf(run) + ASIDE);
    Path waiting = givenUp && earlier.waiting != null ? earlier.waiting : aside;
    List<Path> worthless = new ArrayList<>(earlier.worthless);
    if (waiting != aside) {
      worthless.add(aside);
    } else if (earlier.waiting != null) {
      worthless.add(earlier.waiting);
    }
    List<String> names = new ArrayList<>(List.of(waiting.getFileName().toString()));
    worthless.forEach(folder -> names.add(folder.getFileName().toString()));
    Files.write(made.resolve(NOTE), names);
    Files.move(run, aside, StandardCopyOption.REPLACE_EXISTING);
    Files.move(made, run);
    ReplacedRun replaced = new ReplacedRun(run, waiting, worthless);
    replaced.deleteWorthless(Set.of());
    return replaced;
  }

  private static Path beside(Path run) {
    return AtomicFile.folderOf(run.toAbsolutePath().normalize());
  }

  private static Path nameOf(Path run) {
    return run.toAbsolutePath().normalize().getFileName();
  }

  private void deleteWorthless(Set<Path> kept) throws IOException {
    for (Path folder : worthless) {
      if (!kept.contains(folder) && Files.exists(folder)) {
        TemporaryFolder.delete(folder);
      }
    }
  }

  /** Once the run is worth more. */
  void discard() throws IOException {
    deleteWorthless(Set.of());
    if (waiting != null) {
      TemporaryFolder.delete(waiting);
      waiting = null;
    }
    Files.deleteIfExists(run.resolve(NOTE));
  }

  /** Takes the run away, and puts what it had replaced to where it stood. */
  void putBack() throws IOException {
    Path gone = made(run);
    Files.move(run, gone, StandardCopyOption.REPLACE_EXISTING);
    if (waiting != null) {
      Files.move(waiting, run);
      waiting = null;
    }
    deleteWorthless(Set.of());
    TemporaryFolder.delete(gone);
  }

  /**
   * Ends what killed processes had begun in the place of a run: what they had moved aside and not
   * replaced comes back, and the folders that they had made go.
   *
   * @return whether a run came back
   */
  static boolean recover(Path run) throws IOException {
    if (nameOf(run) == null || !Files.isDirectory(beside(run))) {
      return false;
    }
    boolean back = false;
    boolean atWork = false;
    for (Path hidden : hidden(run, "-")) {
      Path lock = hidden.resolve(RunFolder.LOCK);
      if (!Files.exists(lock) || ProcessLock.isLocked(lock)) {
        atWork |= Files.exists(lock);
        continue;
      }
      ReplacedRun left = of(run, hidden);
      if (left.waiting != null && !Files.exists(run)) {
        back |= move(left.waiting, run);
      }
      left.deleteWorthless(of(run).folders());
      TemporaryFolder.delete(hidden);
    }
    if (!atWork && !Files.exists(run)) {
      // No note is left of it, but it can have come from nowhere else.
      Optional<Path> last =
          hidden(run, ASIDE).stream()
              .filter(folder -> Files.isRegularFile(folder.resolve(RunFolder.CONFIG)))
              .max(Comparator.comparing(ReplacedRun::changed));
      if (last.isPresent()) {
        back |= move(last.get(), run);
      }
    }
    return back;
  }

  private Set<Path> folders() {
    return Stream.concat(Stream.ofNullable(waiting), worthless.stream())
        .collect(Collectors.toSet());
  }

  private static List<Path> hidden(Path run, String infix) throws IOException {
    Pattern name = Pattern.compile(Pattern.quote("." + nameOf(run) + infix) + "\\d+");
    try (Stream<Path> files = Files.list(beside(run))) {
      return files.filter(f -> name.matcher(f.getFileName().toString()).matches()).toList();
    }
  }

  /** Another process may do the same at the same time. */
  private static boolean move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to);
      return true;
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private static FileTime changed(Path folder) {
    try {
      return Files.getLastModifiedTime(folder.resolve(RunFolder.CONFIG));
    } catch (IOException e) {
      return FileTime.fromMillis(0);
    }
  }
}
