package io.github.loragraph.adapter;

import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How the module paths of an adapter and those of a model differ: one has some segments in front
 * that the other has not. {@code roberta.encoder.layer.0} of a classifier is {@code
 * encoder.layer.0} of the encoder alone, and {@code 0.auto_model.encoder.layer.0} of
 * sentence-transformers.
 *
 * @param adapter what the adapter has in front; empty, or it ends in a dot
 * @param model what the model has there instead; empty, or it ends in a dot
 */
record PathPrefix(String adapter, String model) {
  static final PathPrefix NONE = new PathPrefix("", "");

  /** Models nest no deeper than this around their encoders. */
  private static final int MOST_SEGMENTS = 4;

  /**
   * The difference between the paths of some modules and those of a model, the one by which each
   * has its place.
   *
   * @param modules paths of an adapter
   * @param paths all that a module can be; what is asked for is among them
   * @return null where there is none by which all have a place
   * @throws LoraGraphException if there are several
   */
  static @Nullable PathPrefix between(Collection<String> modules, Set<String> paths) {
    if (paths.containsAll(modules)) {
      return NONE;
    }
    Set<PathPrefix> possible = new LinkedHashSet<>();
    for (PathPrefix prefix : candidates(modules.iterator().next(), paths)) {
      if (modules.stream()
          .allMatch(m -> m.startsWith(prefix.adapter) && paths.contains(prefix.toModel(m)))) {
        possible.add(prefix);
      }
    }
    if (possible.size() > 1) {
      List<PathPrefix> two = List.copyOf(possible);
      String module = modules.iterator().next();
      throw new LoraGraphException(
          "its '%s' may be '%s' of the model as well as '%s': which is meant cannot be told"
              .formatted(module, two.get(0).toModel(module), two.get(1).toModel(module)));
    }
    return possible.isEmpty() ? null : possible.iterator().next();
  }

  private static List<PathPrefix> candidates(String module, Set<String> paths) {
    List<PathPrefix> candidates = new ArrayList<>();
    for (String front : fronts(module)) {
      String rest = module.substring(front.length());
      for (String path : paths) {
        String other = path.substring(0, Math.max(0, path.length() - rest.length()));
        if (path.endsWith(rest)
            && (other.isEmpty() || other.endsWith("."))
            && segments(other) <= MOST_SEGMENTS
            && !clash(front, other)) {
          candidates.add(new PathPrefix(front, other));
        }
      }
    }
    return candidates;
  }

  /** What may be in front of a path: nothing, its first segment, the first two, and so on. */
  private static List<String> fronts(String module) {
    List<String> fronts = new ArrayList<>(List.of(""));
    int dot = -1;
    while (fronts.size() <= MOST_SEGMENTS && (dot = module.indexOf('.', dot + 1)) >= 0) {
      fronts.add(module.substring(0, dot + 1));
    }
    return fronts;
  }

  private static int segments(String prefix) {
    return (int) prefix.chars().filter(c -> c == '.').count();
  }

  /**
   * Whether two prefixes cannot stand for one another: where both end in the same segment a shorter
   * one says the same, and a number is that of a layer.
   */
  private static boolean clash(String one, String other) {
    return !one.isEmpty()
        && !other.isEmpty()
        && (last(one).equals(last(other)) || isNumber(last(one)) || isNumber(last(other)));
  }

  private static boolean isNumber(String segment) {
    return segment.chars().allMatch(Character::isDigit);
  }

  private static String last(String prefix) {
    String path = prefix.substring(0, prefix.length() - 1);
    return path.substring(path.lastIndexOf('.') + 1);
  }

  /** The path in the model of a module of the adapter that begins with the adapter's prefix. */
  String toModel(String module) {
    return model + module.substring(adapter.length());
  }

  /** The path in the adapter of a module of the model; its own where it does not begin so. */
  String toAdapter(String path) {
    return path.startsWith(model) ? adapter + path.substring(model.length()) : path;
  }

  /**
   * Where a parameter of the adapter may be in the model, the likeliest first: heads lie beside
   * what has the prefix.
   */
  List<String> placesOf(String name) {
    Set<String> places = new LinkedHashSet<>();
    if (name.startsWith(adapter)) {
      places.add(toModel(name));
    }
    places.add(name);
    places.add(model + name);
    return List.copyOf(places);
  }
}
