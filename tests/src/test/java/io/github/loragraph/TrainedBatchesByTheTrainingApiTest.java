package io.github.loragraph;

import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.ort.OrtRuntime;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link TrainedBatchesTest} and {@link RecipeTest} for the other engine. */
@Tag("training-api")
class TrainedBatchesByTheTrainingApiTest {
  @TempDir Path folder;

  @BeforeAll
  static void chooseTheBuild() {
    OrtRuntime.open(OrtRuntime.Build.TRAINING);
  }

  @Test
  void tokensOfAGroupCountTheSame() throws Exception {
    new RecipeOracle("token-accum").checkCommand("training-api", folder);
  }

  @Test
  void equalSharesAreTheMeanOfMeans() throws Exception {
    new RecipeOracle("token-accum").checkMeanOfMeans(EngineKind.TRAINING_API);
  }

  @Test
  void sixtyRuns() {
    System.out.println("seed " + TrainedBatchesTest.SEED);
    Random random = new Random(TrainedBatchesTest.SEED);
    for (int i = 0; i < 60; i++) {
      RandomTraining.draw(random, 1).check(EngineKind.TRAINING_API, folder, i % 4 == 0);
    }
  }
}
