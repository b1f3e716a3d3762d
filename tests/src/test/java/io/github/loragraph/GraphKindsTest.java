package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Graphs of kinds that once failed go the whole way, and their gradients are right. */
class GraphKindsTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "80-min-npe",
        "80-min-npe-v1",
        "80-min-npe-v2",
        "80-min-npe-v3",
        "80-min-npe-v4",
        "80-min-npe-v5"
      })
  void constantsAsOperandsOfShapeRules(String name) {
    List<String> trained = GraphRun.of(name, folder).full();
    assertTrue(trained.contains("classifier.bias"), trained::toString);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "102-reshape-constant",
        "37-initializers-are-inputs",
        "106-inits-inputs-constants-only"
      })
  void adaptersBesideConstantsAndInputs(String name) {
    GraphRun.of(name, folder).lora("query|dense");
  }
}
