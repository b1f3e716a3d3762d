package io.github.loragraph;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** The same where ONNX Runtime's training API runs the steps of the pairs. */
@Tag("training-api")
class FewShotByTheTrainingApiTest extends FewShotTest {
  @BeforeAll
  static void loadTheBuild() {
    RuntimeBuild.TRAINING.load();
  }

  @Override
  TrainingArguments.Engine engine() {
    return TrainingArguments.Engine.TRAINING_API;
  }
}
