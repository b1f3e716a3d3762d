package io.github.loragraph.search;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A parameter of a search.
 *
 * @param when names other parameters with the values that each has to have for this one to exist;
 *     empty where it always does
 * @param points how many values of a range a grid takes; 0 where that was not said
 */
public record Parameter(String name, Domain domain, Map<String, List<Object>> when, int points) {
  public Parameter {
    when = Map.copyOf(new LinkedHashMap<>(when));
  }

  /** One that always exists. */
  public Parameter(String name, Domain domain) {
    this(name, domain, Map.of(), 0);
  }

  /** Whether it exists beside the values of other parameters. */
  boolean existsBeside(Map<String, Object> values) {
    return when.entrySet().stream()
        .allMatch(
            condition ->
                values.containsKey(condition.getKey())
                    && condition.getValue().contains(values.get(condition.getKey())));
  }
}
