package io.github.loragraph.cuda;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A shared library that is needed.
 *
 * @param name that the dynamic linker asks for
 * @param path where it was found; empty if it is missing
 * @param linked whether the dynamic linker finds it by itself
 */
public record Library(String name, Optional<Path> path, boolean linked) {
  /** Whether it is there. */
  public boolean isThere() {
    return path.isPresent();
  }

  /** Whether it is there, but has to be loaded by its path before others ask for it by its name. */
  boolean needsLoading() {
    return isThere() && !linked;
  }
}
