package io.github.loragraph.trainer;

import io.github.loragraph.file.TemporaryFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What stood in the place of a run before. It waits in a hidden folder beside it, which the run
 * folder names, so that also who goes on with a killed run can put it back or take it away.
 */
final class ReplacedRun {
  private static final String NOTE = ".replaced";
  private static final String ASIDE = "-replaced-";

  /** A note from elsewhere must not name just any folder, which would be deleted. */
  private static final Pattern ASIDE_NAME = Pattern.compile("\\..*" + ASIDE + "\\d+");

  private final Path run;

  /** What comes back; null if there is nothing, or nothing any more. */
  private Path waiting;

  /** What does not: deleting it takes its time, in which the process may be killed. */
  private final List<Path> worthless;

  private ReplacedRun(Path run, Path waiting, List<Path> worthless) {
    this.run = run;
    this.waiting = waiting;
    this.worthless = List.copyOf(worthless);
  }

  /** What a run has replaced. */
  static ReplacedRun of(Path run) throws IOException {
    Path note = run.resolve(NOTE);
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

  /**
   * Puts a new run into its place. If what stands there is a run that is nothing worth, the one
   * that it replaced waits on.
   *
   * @param made the folder to become the run's
   * @param givenUp whether the run that stands there is nothing worth
   */
  static ReplacedRun replace(Path run, Path made, boolean givenUp) throws IOException {
    if (!Files.exists(run.resolve(RunFolder.CONFIG))) {
      // Nothing, or an empty folder.
      Files.move(made, run, StandardCopyOption.REPLACE_EXISTING);
      return new ReplacedRun(run, null, List.of());
    }
    ReplacedRun earlier = of(run);
    Path aside = Files.createTempDirectory(beside(run), "." + run.getFileName() + ASIDE);
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
    replaced.deleteWorthless();
    return replaced;
  }

  private static Path beside(Path run) {
    return run.toAbsolutePath().normalize().getParent();
  }

  private void deleteWorthless() throws IOException {
    for (Path folder : worthless) {
      if (Files.exists(folder)) {
        TemporaryFolder.delete(folder);
      }
    }
  }

  /** Once the run is worth more. */
  void discard() throws IOException {
    deleteWorthless();
    if (waiting != null) {
      TemporaryFolder.delete(waiting);
      waiting = null;
    }
    Files.deleteIfExists(run.resolve(NOTE));
  }

  /** To where it stood; that folder must be gone. */
  void putBack() throws IOException {
    deleteWorthless();
    if (waiting != null) {
      Files.move(waiting, run);
      waiting = null;
    }
  }
}
