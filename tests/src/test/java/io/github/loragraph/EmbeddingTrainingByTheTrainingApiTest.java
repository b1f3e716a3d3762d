package io.github.loragraph;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** The same trainings by ONNX Runtime's training API. */
@Tag("training-api")
class EmbeddingTrainingByTheTrainingApiTest extends EmbeddingTrainingTest {
  @BeforeAll
  static void loadTheBuild() {
    RuntimeBuild.TRAINING.load();
  }

  @Override
  TrainingArguments.Engine engine() {
    return TrainingArguments.Engine.TRAINING_API;
  }
}
