package io.github.loragraph;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** The same where ONNX Runtime's training API runs the steps. */
@Tag("training-api")
class PrefixCacheByTheTrainingApiTest extends PrefixCacheTest {
  @BeforeAll
  static void loadTheBuild() {
    RuntimeBuild.TRAINING.load();
  }

  @Override
  String engine() {
    return "training-api";
  }
}
