package io.github.loragraph.lora;

import io.github.loragraph.error.Spelling;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Suggests module paths for an expression that matches none. */
public final class NearestPaths {
  private NearestPaths() {}

  /** The paths that have a part most like a part of the expression, in their order. */
  public static List<String> of(String expression, List<String> paths, int most) {
    List<String> wanted =
        Arrays.stream(expression.split("[^A-Za-z0-9_]+")).filter(w -> !w.isEmpty()).toList();
    return paths.stream()
        .sorted(Comparator.comparingDouble(path -> distance(path, wanted)))
        .limit(most)
        .toList();
  }

  private static double distance(String path, List<String> wanted) {
    double nearest = Double.MAX_VALUE;
    for (String part : path.split("\\.")) {
      for (String word : wanted) {
        double edits = Spelling.edits(part.toLowerCase(Locale.ROOT), word.toLowerCase(Locale.ROOT));
        nearest = Math.min(nearest, edits / Math.max(part.length(), word.length()));
      }
    }
    return nearest;
  }
}
