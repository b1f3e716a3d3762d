package io.github.loragraph;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** The same by the other engine. */
@Tag("training-api")
class QuantizedBaseByTheTrainingApiTest extends QuantizedBaseTest {
  @BeforeAll
  static void loadTheBuild() {
    RuntimeBuild.TRAINING.load();
  }

  @Override
  String engine() {
    return "training-api";
  }
}
