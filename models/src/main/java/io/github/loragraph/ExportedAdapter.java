package io.github.loragraph;

import java.nio.file.Path;
import java.util.List;

/**
 * An adapter that was written in PEFT's layout.
 *
 * @param folder has its two files
 * @param targetModules PEFT's {@code target_modules}: the shortest names that choose the adapted
 *     layers and no others; those of an imported adapter as they were
 * @param modulesToSave what was trained in full
 * @param tensors their number
 * @param parameters the number of elements of all
 */
public record ExportedAdapter(
    Path folder,
    List<String> targetModules,
    List<String> modulesToSave,
    int tensors,
    long parameters) {
  public ExportedAdapter {
    targetModules = List.copyOf(targetModules);
    modulesToSave = List.copyOf(modulesToSave);
  }
}
