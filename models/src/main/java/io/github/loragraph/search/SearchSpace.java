package io.github.loragraph.search;

import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** The parameters of a search, each after those that it depends on. */
public final class SearchSpace {
  /** Places within a range, of which one is not whole unless all are. */
  private static final List<Double> BETWEEN = List.of(0.37, 0.53, 0.71);

  private final List<Parameter> parameters;

  private SearchSpace(List<Parameter> parameters) {
    this.parameters = List.copyOf(parameters);
  }

  /**
   * @param parameters in any order
   * @throws LoraGraphException if there are none, two have one name, or a condition names a
   *     parameter or value that is not there, or its own parameter in the end
   */
  public static SearchSpace of(List<Parameter> parameters) {
    if (parameters.isEmpty()) {
      throw new LoraGraphException("a search needs at least one parameter");
    }
    Map<String, Parameter> byName = new LinkedHashMap<>();
    for (Parameter parameter : parameters) {
      if (byName.put(parameter.name(), parameter) != null) {
        throw new LoraGraphException("%s is there twice".formatted(parameter.name()));
      }
    }
    parameters.forEach(parameter -> requireConditions(parameter, byName));
    Set<Parameter> ordered = new LinkedHashSet<>();
    while (ordered.size() < parameters.size()) {
      int before = ordered.size();
      for (Parameter parameter : parameters) {
        if (parameter.when().keySet().stream().map(byName::get).allMatch(ordered::contains)) {
          ordered.add(parameter);
        }
      }
      if (ordered.size() == before) {
        throw new LoraGraphException(
            "the conditions of %s go round in a circle"
                .formatted(
                    String.join(
                        ", ",
                        parameters.stream()
                            .filter(parameter -> !ordered.contains(parameter))
                            .map(Parameter::name)
                            .toList())));
      }
    }
    return new SearchSpace(new ArrayList<>(ordered));
  }

  private static void requireConditions(Parameter parameter, Map<String, Parameter> byName) {
    parameter
        .when()
        .forEach(
            (name, values) -> {
              Parameter other = byName.get(name);
              if (other == null) {
                throw new LoraGraphException(
                    "%s depends on %s, which is no parameter of the search: %s"
                        .formatted(parameter.name(), name, String.join(", ", byName.keySet())));
              }
              if (!(other.domain() instanceof Choice choice)) {
                throw new LoraGraphException(
                    "%s depends on %s, which is no choice".formatted(parameter.name(), name));
              }
              for (Object value : values) {
                if (!choice.values().contains(value)) {
                  throw new LoraGraphException(
                      "%s depends on %s being %s, which is none of its values: %s"
                          .formatted(parameter.name(), name, value, choice.values()));
                }
              }
            });
  }

  /** Each after those that its conditions name. */
  public List<Parameter> parameters() {
    return parameters;
  }

  /** Values for all parameters that exist, by the distributions of the space. */
  Map<String, Object> draw(Random random) {
    Map<String, Object> values = new LinkedHashMap<>();
    for (Parameter parameter : parameters) {
      // Drawn in any case: what a parameter gets does not depend on whether another exists.
      Object value = parameter.domain().draw(random);
      if (parameter.existsBeside(values)) {
        values.put(parameter.name(), value);
      }
    }
    return values;
  }

  /**
   * How many different trials there can be.
   *
   * @param most where counting ends
   * @return at most {@code most}
   */
  public long size(long most) {
    return size(0, new LinkedHashMap<>(), most);
  }

  private long size(int from, Map<String, Object> values, long most) {
    if (from == parameters.size()) {
      return 1;
    }
    Parameter parameter = parameters.get(from);
    if (!parameter.existsBeside(values)) {
      return size(from + 1, values, most);
    }
    if (!isConditionOfAnother(parameter)) {
      long rest = size(from + 1, values, most);
      long own = parameter.domain().size();
      return own >= most || rest >= most || own * rest >= most ? most : own * rest;
    }
    long sum = 0;
    for (Object value : ((Choice) parameter.domain()).values()) {
      values.put(parameter.name(), value);
      sum = Math.min(most, sum + size(from + 1, values, most));
      values.remove(parameter.name());
    }
    return sum;
  }

  private boolean isConditionOfAnother(Parameter parameter) {
    return parameters.stream().anyMatch(other -> other.when().containsKey(parameter.name()));
  }

  /**
   * All combinations of the values of a grid: a whole range of whole numbers where no number of
   * points is said.
   *
   * @throws LoraGraphException if a range of real numbers has no number of points, or there are
   *     more combinations than {@code most}
   */
  public List<Map<String, Object>> grid(int most) {
    List<Map<String, Object>> grid = new ArrayList<>();
    grid.add(Map.of());
    for (Parameter parameter : parameters) {
      List<Map<String, Object>> longer = new ArrayList<>();
      for (Map<String, Object> values : grid) {
        if (!parameter.existsBeside(values)) {
          longer.add(values);
          continue;
        }
        for (Object value : gridOf(parameter, most)) {
          Map<String, Object> more = new LinkedHashMap<>(values);
          more.put(parameter.name(), value);
          longer.add(more);
        }
        if (longer.size() > most) {
          throw new LoraGraphException(
              "the grid has more than %,d points: take fewer values".formatted(most));
        }
      }
      grid = longer;
    }
    return List.copyOf(grid);
  }

  /**
   * Trials that together have each value of each choice, both ends of each range and, where all
   * real numbers between them are values, one that is not whole: where all of them are possible,
   * each value is one that is.
   */
  public List<Map<String, Object>> corners() {
    List<Map<String, Object>> corners = new ArrayList<>();
    int most = parameters.stream().mapToInt(parameter -> tried(parameter).size()).max().orElse(1);
    // One parameter after the other goes over all its values while those before it are such that it
    // exists.
    for (Parameter varied : parameters) {
      for (int value = 0; value < most; value++) {
        Map<String, Object> corner = corner(varied, value);
        if (corner.containsKey(varied.name())) {
          corners.add(corner);
        }
      }
    }
    return corners;
  }

  private Map<String, Object> corner(Parameter varied, int index) {
    Map<String, Object> wanted = new LinkedHashMap<>();
    List<Object> tried = tried(varied);
    wanted.put(varied.name(), tried.get(index % tried.size()));
    // Backwards: what a parameter needs comes before it.
    for (int i = parameters.size() - 1; i >= 0; i--) {
      Parameter parameter = parameters.get(i);
      if (wanted.containsKey(parameter.name())) {
        parameter.when().forEach((name, values) -> wanted.putIfAbsent(name, values.get(0)));
      }
    }
    Map<String, Object> corner = new LinkedHashMap<>();
    for (Parameter parameter : parameters) {
      if (parameter.existsBeside(corner)) {
        Object value = wanted.get(parameter.name());
        corner.put(parameter.name(), value == null ? tried(parameter).get(0) : value);
      }
    }
    return corner;
  }

  private static List<Object> tried(Parameter parameter) {
    if (!(parameter.domain() instanceof NumberDomain numbers)) {
      return parameter.domain().grid(0);
    }
    List<Object> tried = new ArrayList<>(List.of(numbers.value(0), numbers.value(1)));
    if (numbers instanceof RealRange && parameter.points() == 0) {
      BETWEEN.stream()
          .map(numbers::value)
          .filter(value -> !isWhole((double) value))
          .findFirst()
          .ifPresent(tried::add);
    }
    return tried;
  }

  static boolean isWhole(double value) {
    return value == StrictMath.rint(value);
  }

  /** All trials that there can be, where {@link #size} says that they are few. */
  List<Map<String, Object>> whole(int most) {
    return of(parameters.stream()
            .map(
                parameter ->
                    new Parameter(parameter.name(), parameter.domain(), parameter.when(), 0))
            .toList())
        .grid(most);
  }

  private static List<Object> gridOf(Parameter parameter, int most) {
    Domain domain = parameter.domain();
    if (parameter.points() > 0 || domain.size() == 1) {
      return domain.grid(Math.max(1, parameter.points()));
    }
    if (domain.size() == Domain.UNCOUNTED) {
      throw new LoraGraphException(
          "%s is a range of real numbers: a grid needs to know how many points to take of it, 'points: 5' beside the range"
              .formatted(parameter.name()));
    }
    if (domain instanceof IntegerRange range) {
      List<Object> all = new ArrayList<>();
      for (long value = range.low(); value <= range.high() && all.size() <= most; value++) {
        all.add(value);
      }
      return all;
    }
    return domain.grid(0);
  }
}
