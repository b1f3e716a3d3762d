package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import java.util.Collection;
import java.util.List;
import java.util.OptionalInt;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which of a model's numbered layers are meant: PEFT's {@code layers_to_transform} and {@code
 * layers_pattern}.
 *
 * @param indexes of the layers, from 0
 * @param patterns expressions of the segments before the index, as {@code layer}; where there are
 *     none, the first numbered segment of a path counts
 */
public record LayerIndexes(SortedSet<Integer> indexes, List<String> patterns) {
  private static final Pattern FIRST = Pattern.compile("(?:.*?\\.)?[^.]+\\.(?<index>\\d+)\\.");

  /**
   * @throws LoraGraphException if there is no index, a negative one, or a pattern is no expression
   */
  public LayerIndexes {
    indexes = new TreeSet<>(indexes);
    patterns = List.copyOf(patterns);
    if (indexes.isEmpty() || indexes.first() < 0) {
      throw new LoraGraphException("layers are counted from 0, as 0,2-4");
    }
    patterns.forEach(LayerIndexes::expression);
  }

  /** By the first numbered segment of each path. */
  public static LayerIndexes of(Collection<Integer> indexes) {
    return new LayerIndexes(new TreeSet<>(indexes), List.of());
  }

  /** The index in a module path; empty where it has none. */
  public OptionalInt indexIn(String path) {
    if (patterns.isEmpty()) {
      return index(FIRST, path);
    }
    return patterns.stream()
        .map(pattern -> index(expression(pattern), path))
        .filter(OptionalInt::isPresent)
        .findFirst()
        .orElse(OptionalInt.empty());
  }

  /** Whether a path is one of a layer that is meant. */
  public boolean matches(String path) {
    OptionalInt index = indexIn(path);
    return index.isPresent() && indexes.contains(index.getAsInt());
  }

  private static OptionalInt index(Pattern pattern, String path) {
    Matcher matcher = pattern.matcher(path);
    try {
      return matcher.lookingAt()
          ? OptionalInt.of(Integer.parseInt(matcher.group("index")))
          : OptionalInt.empty();
    } catch (NumberFormatException e) {
      return OptionalInt.empty(); // More digits than any layer has.
    }
  }

  private static Pattern expression(String segment) {
    return TargetModules.python("(?:.*?\\.)?(?:" + segment + ")\\.(?<index>\\d+)\\.");
  }
}
