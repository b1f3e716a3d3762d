package io.github.loragraph.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LabelSetTest {
  @Test
  void thereIsOneClassForEachLabelThatOccurs() {
    assertEquals(List.of("404", "500", "200500"), names("404", "500", "200500", "404"));
    assertEquals(List.of("1", "2", "5"), names("5", "1", "2"));
    assertEquals(List.of("0", "1"), names("1", "0"));
    assertEquals(List.of("-1", "2", "10"), names("10", "-1", "2"));
    assertEquals(List.of("0.5", "1.5", "10"), names("1.5", "10", "0.5"));
    assertEquals(List.of("007", "7", "8"), names("8", "7", "007"));
    assertEquals(List.of("10", "9", "x"), names("x", "9", "10"));
  }

  private static List<String> names(String... labels) {
    return LabelSet.of(List.of(labels)).names();
  }

  @Test
  void aNumberMeansTheClassOfThatNameBeforeThePlaceOfAClass() {
    LabelSet codes = new LabelSet(List.of("404", "500"));
    assertEquals(1, codes.indexOf("500"));
    assertEquals(-1, codes.indexOf("0"));
    LabelSet shifted = new LabelSet(List.of("1", "2", "0"));
    assertEquals(0, shifted.indexOf("1"));
    assertEquals(2, shifted.indexOf("0"));
    LabelSet mixed = new LabelSet(List.of("none", "3"));
    assertEquals(0, mixed.indexOf("0"));
    assertEquals(1, mixed.indexOf("3"));
    LabelSet words = new LabelSet(List.of("LABEL_0", "LABEL_1"));
    assertEquals(1, words.indexOf("1"));
    assertEquals(-1, words.indexOf("2"));
    assertEquals(-1, words.indexOf("-1"));
  }

  @Test
  void namesThatAreAlikeAreFound() {
    LabelSet labels = new LabelSet(List.of("Very good", "very_good", "bad", "1", "1.0", "10"));
    assertEquals(
        List.of(List.of("Very good", "very_good"), List.of("1", "1.0")), labels.lookalikes());
  }

  @Test
  void moreClassesThanAModelHasAreRefusedWithTheLine() {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 60_000; i++) {
      rows.add(new Row(null, null, "l" + i, Map.of(), "a.tsv:" + (i + 2)));
    }
    LoraGraphException e =
        assertThrows(
            LoraGraphException.class, () -> LabelSet.of(rows, row -> List.of(row.label())));
    assertTrue(e.getMessage().startsWith("a.tsv:50002 "), e.getMessage());
    assertEquals(50_000, LabelSet.of(rows.subList(0, 50_000), row -> List.of(row.label())).size());
    e =
        assertThrows(
            LoraGraphException.class,
            () -> new LabelSet(List.of("x".repeat(999), "x".repeat(999))));
    assertTrue(e.getMessage().length() < 100, e.getMessage());
  }
}
