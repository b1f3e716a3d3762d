package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.trainer.MicroBatch;
import io.github.loragraph.trainer.TrainerSettings;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class TrainingArgumentsTest {
  /** But for the pieces of a batch, which the loop does not cut unless it is told to. */
  @Test
  void theDefaultsAreThoseOfTheTrainingLoop() {
    assertEquals(
        TrainerSettings.builder().microBatch(MicroBatch.RULE).build(),
        TrainingArguments.builder().outputDir(Path.of("run")).build().settings());
  }
}
