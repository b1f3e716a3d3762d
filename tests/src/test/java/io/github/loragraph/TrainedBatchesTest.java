package io.github.loragraph;

import io.github.loragraph.engine.EngineKind;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a run trains on is what its data file holds: whole runs with settings drawn at random
 * against a plain loop. {@code -Dtest.seed} draws others.
 */
class TrainedBatchesTest {
  static final long SEED = Long.getLong("test.seed", 9);

  @TempDir Path folder;

  @Test
  void twoHundredRunsByTheGraphEngine() {
    System.out.println("seed " + SEED);
    Random random = new Random(SEED);
    for (int i = 0; i < 200; i++) {
      RandomTraining.draw(random, 9).check(EngineKind.GRAPH, folder, i % 4 == 0);
    }
  }
}
