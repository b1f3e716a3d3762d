package io.github.loragraph;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters of PEFT's come in, are trained, and go out as PEFT would have written them. */
class PeftOracleTest {
  @ParameterizedTest
  @ValueSource(strings = {"roberta-lora", "roberta-dora"})
  void twentyStepsAreThoseOfPeft(String name, @TempDir Path place) throws IOException {
    new PeftOracle(name).check("graph", place);
  }
}
