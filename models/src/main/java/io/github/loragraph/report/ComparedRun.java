package io.github.loragraph.report;

import io.github.loragraph.trainer.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A run of a comparison.
 *
 * @param name what the page calls it
 * @param configuration what it has in common with runs that differ in their seed alone: their mean
 *     and spread are shown, and they have one colour. Null for what the run's own configuration
 *     says
 * @param seed null for the run's own
 * @param status the word that says where it stands; null for what its folder says
 * @param folder of the run; one that is not there is a run of which nothing is left
 * @param options what it was given, by name; of all runs, those that differ become columns. Empty
 *     for what the run's own configuration says
 */
public record ComparedRun(
    String name,
    @Nullable String configuration,
    @Nullable String seed,
    @Nullable String status,
    Path folder,
    Map<String, String> options) {
  public ComparedRun {
    options = Collections.unmodifiableMap(new LinkedHashMap<>(options));
  }

  /** A run of which its folder says everything. */
  public static ComparedRun of(Path folder) {
    Path name = folder.toAbsolutePath().normalize().getFileName();
    return new ComparedRun(
        name == null ? folder.toString() : name.toString(), null, null, null, folder, Map.of());
  }

  boolean isThere() {
    return Files.isRegularFile(folder.resolve(RunFolder.CONFIG));
  }
}
