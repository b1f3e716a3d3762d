package io.github.loragraph.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ModelNotesTest {
  @Test
  void thresholdsAreNotCutInTheMiddle() {
    Map<String, Double> thresholds = new LinkedHashMap<>();
    thresholds.put("account", 0.2105);
    thresholds.put("billing", 2.4e-111);
    assertEquals("account 0.2105, billing 2.4e-111", ModelNotes.shown(thresholds));
    for (int i = 0; i < 40; i++) {
      thresholds.put("class-%02d".formatted(i), 0.25);
    }
    String line = ModelNotes.shown(thresholds);
    assertTrue(line.endsWith("class-05 0.25 and 34 more"), line);
  }
}
