package io.github.loragraph.lora;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Suggests module paths for an expression that matches none. */
final class NearestPaths {
  private NearestPaths() {}

  /** The paths that have a part most like a part of the expression, in their order. */
  static List<String> of(String expression, List<String> paths, int most) {
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
        double edits = edits(part.toLowerCase(Locale.ROOT), word.toLowerCase(Locale.ROOT));
        nearest = Math.min(nearest, edits / Math.max(part.length(), word.length()));
      }
    }
    return nearest;
  }

  /** Levenshtein's distance. */
  private static int edits(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(change, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
