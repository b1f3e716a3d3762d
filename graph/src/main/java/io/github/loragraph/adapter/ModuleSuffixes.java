package io.github.loragraph.adapter;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** The shortest ends of module paths that choose some modules and no others, as a user writes. */
final class ModuleSuffixes {
  private ModuleSuffixes() {}

  /**
   * Names of which each chosen path is one or ends in a dot and one, and no other path is or does;
   * in alphabetical order.
   */
  static List<String> of(Collection<String> chosen, Collection<String> others) {
    List<String> suffixes = new ArrayList<>();
    for (String path : chosen) {
      if (suffixes.stream().anyMatch(suffix -> endsIn(path, suffix))) {
        continue;
      }
      String suffix = path.substring(path.lastIndexOf('.') + 1);
      while (suffix.length() < path.length() && anyEndsIn(others, suffix)) {
        int dot = path.lastIndexOf('.', path.length() - suffix.length() - 2);
        suffix = path.substring(dot + 1);
      }
      suffixes.add(suffix);
    }
    return suffixes.stream().sorted().toList();
  }

  private static boolean anyEndsIn(Collection<String> paths, String suffix) {
    return paths.stream().anyMatch(path -> endsIn(path, suffix));
  }

  static boolean endsIn(String path, String suffix) {
    return path.equals(suffix) || path.endsWith("." + suffix);
  }
}
