package io.github.loragraph.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class EngineKindTest {
  @Test
  void theOtherEngineHasToBeFasterByMoreThanATenth() {
    assertEquals(EngineKind.GRAPH, EngineKind.better(1, 2));
    assertEquals(EngineKind.GRAPH, EngineKind.better(1, 1));
    assertEquals(EngineKind.GRAPH, EngineKind.better(1.05, 1));
    assertEquals(EngineKind.GRAPH, EngineKind.better(0.0109, 0.01));
    assertEquals(EngineKind.TRAINING_API, EngineKind.better(1.11, 1));
    assertEquals(EngineKind.TRAINING_API, EngineKind.better(0.02, 0.01));
  }
}
