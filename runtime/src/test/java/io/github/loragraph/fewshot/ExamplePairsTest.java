package io.github.loragraph.fewshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.training.Towers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ExamplePairsTest {
  /** An example whose only token is its number, of a class. */
  private static List<Example> examples(int... labels) {
    return IntStream.range(0, labels.length)
        .mapToObj(i -> new Example(Map.of("input_ids", Values.of(i, 7)), Values.scalar(labels[i])))
        .toList();
  }

  @Test
  void eachExampleIsTheFirstOfAsManyPairsOfBothKinds() {
    List<Example> examples = examples(0, 1, 2, 0, 1, 2, 0, 1, 0, 0);
    int iterations = 7;
    ExamplePairs drawn = ExamplePairs.draw(examples, iterations, 3);
    Map<Integer, Integer> alike = new HashMap<>();
    Map<Integer, Integer> different = new HashMap<>();
    Map<List<Integer>, Integer> times = new HashMap<>();
    for (ExamplePairs.Pair pair : drawn.pairs()) {
      boolean same = examples.get(pair.first()).label() == examples.get(pair.second()).label();
      assertEquals(same, pair.alike());
      assertNotEquals(pair.first(), pair.second());
      (same ? alike : different).merge(pair.first(), 1, Integer::sum);
      times.merge(List.of(pair.first(), pair.second()), 1, Integer::sum);
    }
    for (int i = 0; i < examples.size(); i++) {
      assertEquals(iterations, alike.get(i));
      assertEquals(iterations, different.get(i));
      for (int j = 0; j < examples.size(); j++) {
        if (i != j) {
          boolean same = examples.get(i).label() == examples.get(j).label();
          int count = times.getOrDefault(List.of(i, j), 0);
          // In rounds: no partner comes twice before all have come once.
          double share = (double) iterations / partners(examples, i, same);
          assertTrue(count >= Math.floor(share) && count <= Math.ceil(share), i + " and " + j);
        }
      }
    }
    assertEquals(70, drawn.alike());
    assertEquals(Map.of(0, 5, 1, 3, 2, 2), drawn.sizes());
  }

  private static long partners(List<Example> examples, int i, boolean same) {
    return IntStream.range(0, examples.size())
        .filter(j -> j != i && (examples.get(j).label() == examples.get(i).label()) == same)
        .count();
  }

  @Test
  void theSeedDecides() {
    List<Example> examples = examples(0, 1, 0, 1, 0, 1);
    assertEquals(
        ExamplePairs.draw(examples, 3, 5).pairs(), ExamplePairs.draw(examples, 3, 5).pairs());
    assertNotEquals(
        ExamplePairs.draw(examples, 3, 5).pairs(), ExamplePairs.draw(examples, 3, 6).pairs());
  }

  @Test
  void pairsHoldBothTextsAndTheirCosine() {
    ExamplePairs drawn = ExamplePairs.draw(examples(0, 1, 0, 1), 2, 0);
    List<Example> groups = drawn.forTowers();
    for (int i = 0; i < groups.size(); i++) {
      ExamplePairs.Pair pair = drawn.pairs().get(i);
      assertEquals(
          Map.of(
              Towers.ANCHOR + "input_ids",
              Values.of(pair.first(), 7),
              Towers.TEXTS + "input_ids",
              Values.shaped(new int[] {pair.second(), 7}, 1, 2)),
          groups.get(i).inputs());
      assertEquals(pair.alike() ? 1 : 0, groups.get(i).label());
    }
  }

  @Test
  void oneAloneInItsClassIsInPairsOfTwoClassesOnly() {
    List<ExamplePairs.Pair> pairs = ExamplePairs.draw(examples(0, 0, 1), 4, 0).pairs();
    List<ExamplePairs.Pair> ofTheOne = new ArrayList<>(pairs);
    ofTheOne.removeIf(pair -> pair.first() != 2);
    assertEquals(4, ofTheOne.size());
    assertTrue(ofTheOne.stream().noneMatch(ExamplePairs.Pair::alike));
    assertTrue(pairs.stream().noneMatch(pair -> pair.alike() && pair.second() == 2));
  }

  @Test
  void oneClassHasNoPairsOfTwo() {
    List<Example> one = examples(1, 1, 1);
    String message =
        assertThrows(LoraGraphException.class, () -> ExamplePairs.draw(one, 4, 0)).getMessage();
    assertEquals(
        "pairs of two classes need examples of two classes, and all 3 are of one: give some of another",
        message);
  }
}
