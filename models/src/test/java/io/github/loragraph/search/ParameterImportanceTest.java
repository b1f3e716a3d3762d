package io.github.loragraph.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The share of each parameter, whatever order figures come in. */
class ParameterImportanceTest {
  private static final SearchSpace SPACE =
      SearchSpace.of(
          List.of(
              new Parameter("size", new IntegerRange(1, 4, false)),
              new Parameter("kind", new Choice(List.of("a", "b")))));

  @Test
  void equalFiguresAndEqualValuesAreInNoOrder() {
    List<Map<String, Object>> trials = new ArrayList<>();
    Map<Integer, Double> forwards = new LinkedHashMap<>();
    for (int i = 0; i < 12; i++) {
      trials.add(Map.of("size", i < 9 ? 2L : 4L, "kind", i % 2 == 0 ? "a" : "b"));
      forwards.put(i, i % 3 == 0 ? 0.5 : 0.25);
    }
    Map<Integer, Double> backwards = new LinkedHashMap<>();
    for (int i = 11; i >= 0; i--) {
      backwards.put(i, forwards.get(i));
    }
    Map<String, Double> shares = ParameterImportance.of(SPACE, forwards, trials);
    assertEquals(shares, ParameterImportance.of(SPACE, backwards, trials));
    // The figures have nothing to do with either, and three of nine equal sizes are like the rest.
    assertEquals(0, shares.get("size"), 1e-12);
    assertEquals(0, shares.get("kind"), 1e-12);
  }

  @Test
  void aParameterThatDecidesHasAllOfIt() {
    List<Map<String, Object>> trials = new ArrayList<>();
    Map<Integer, Double> scores = new LinkedHashMap<>();
    for (int i = 0; i < 12; i++) {
      trials.add(Map.of("size", 1L + i % 4, "kind", i < 6 ? "a" : "b"));
      scores.put(i, i < 6 ? 0.1 : 0.9);
    }
    Map<String, Double> shares = ParameterImportance.of(SPACE, scores, trials);
    assertEquals("kind", shares.keySet().iterator().next());
    assertEquals(1, shares.get("kind"), 1e-12);
    assertTrue(shares.get("size") < 0.1, shares.toString());
  }
}
