package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.trainer.TrainerSettings;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class TrainingArgumentsTest {
  @Test
  void theDefaultsAreThoseOfTheTrainingLoop() {
    assertEquals(
        TrainerSettings.builder().build(),
        TrainingArguments.builder().outputDir(Path.of("run")).build().settings());
  }
}
