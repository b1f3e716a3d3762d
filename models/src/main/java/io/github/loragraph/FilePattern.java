package io.github.loragraph;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/**
 * Files by their names: one, or with {@code *}, {@code ?}, {@code [...]}, <code>{a,b}</code> and
 * {@code **} over folders all that match, as {@link java.nio.file.FileSystem#getPathMatcher} has
 * it. As a shell has it, names that begin with a dot match what begins with one alone.
 *
 * @param name a file, or a pattern where there is no such file
 */
record FilePattern(String name) {
  private static final Pattern SIGNS = Pattern.compile("[*?\\[{]");

  static FilePattern of(String name) {
    return new FilePattern(name);
  }

  /**
   * The files, in the order of their paths.
   *
   * @throws LoraGraphException if it is a pattern and no file matches
   */
  List<Path> files() {
    int sign = sign();
    if (sign < 0) {
      return List.of(Path.of(name));
    }
    // What is before the sign is a folder up to its last separator.
    int end = Math.max(name.lastIndexOf('/', sign), name.lastIndexOf(File.separatorChar, sign));
    Path folder = Path.of(end < 0 ? "" : name.substring(0, end + 1));
    try {
      PathMatcher matcher =
          folder
              .getFileSystem()
              .getPathMatcher("glob:" + name.replace("\\", "/").substring(end + 1));
      try (Stream<Path> all =
          Files.walk(folder, name.contains("**") ? Integer.MAX_VALUE : depth(end + 1))) {
        List<Path> matching =
            all.filter(Files::isRegularFile)
                .map(file -> folder.toString().isEmpty() ? file : folder.relativize(file))
                .filter(file -> namesHidden(end + 1) || !isHidden(file))
                .filter(matcher::matches)
                .map(folder::resolve)
                .sorted()
                .toList();
        if (matching.isEmpty()) {
          throw new LoraGraphException("no file matches " + name + ": check the pattern");
        }
        return matching;
      }
    } catch (PatternSyntaxException e) {
      throw new LoraGraphException(
          "%s is no pattern of files: %s".formatted(name, e.getDescription()), e);
    } catch (IOException e) {
      throw new LoraGraphException(
          "cannot look for %s: %s".formatted(name, AtomicFile.reason(e)), e);
    } catch (UncheckedIOException e) {
      throw new LoraGraphException(
          "cannot look for %s: %s"
              .formatted(name, AtomicFile.reason(Objects.requireNonNull(e.getCause()))),
          e);
    }
  }

  /** Whether a name in the pattern begins with a dot: who writes it means such files. */
  private boolean namesHidden(int from) {
    return Stream.of(name.substring(from).split("[/\\\\]")).anyMatch(part -> part.startsWith("."));
  }

  private static boolean isHidden(Path below) {
    for (Path part : below) {
      if (part.toString().startsWith(".")) {
        return true;
      }
    }
    return false;
  }

  private int depth(int from) {
    return 1 + (int) name.substring(from).chars().filter(c -> c == '/' || c == '\\').count();
  }

  /** Where the pattern begins; -1 for a file. */
  private int sign() {
    Matcher first = SIGNS.matcher(name);
    if (!first.find()) {
      return -1;
    }
    try {
      return Files.exists(Path.of(name)) ? -1 : first.start();
    } catch (InvalidPathException e) {
      return first.start();
    }
  }
}
