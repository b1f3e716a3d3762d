package io.github.loragraph;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** The same by the other engine, in a process that has loaded its build of ONNX Runtime. */
@Tag("training-api")
class MemoryLimitByTheTrainingApiTest extends MemoryLimitTest {
  @BeforeAll
  static void loadTheBuild() {
    RuntimeBuild.TRAINING.load();
  }

  @Override
  TrainingArguments.Engine engine() {
    return TrainingArguments.Engine.TRAINING_API;
  }
}
