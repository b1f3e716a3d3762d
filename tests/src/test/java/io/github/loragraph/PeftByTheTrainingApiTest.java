package io.github.loragraph;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link PeftOracleTest} by ONNX Runtime's training API. */
@Tag("training-api")
class PeftByTheTrainingApiTest {
  @ParameterizedTest
  @ValueSource(strings = {"roberta-lora", "roberta-dora"})
  void twentyStepsAreThoseOfPeft(String name, @TempDir Path place) throws IOException {
    new PeftOracle(name).check("training-api", place);
  }
}
