package io.github.loragraph.trainer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is chosen below several limits, by measures that are made up. */
class MemoryPlanTest {
  /** 400 MB and 500 kB for each token, or 100 kB; 8 pieces of layers. */
  private static final MemoryPlan PLAN = new MemoryPlan(450_000_000, 4e8, 5e5, 1e5, 8);

  private static final List<MemoryPlan.Size> SIZES =
      List.of(size(1000, 0), size(500, 0), size(250, 0));

  private static MemoryPlan.Size size(int tokens, long more) {
    return new MemoryPlan.Size(MicroBatch.ofTokens(tokens), tokens, more);
  }

  /** A limit has to leave 8% more than what is expected. */
  @ParameterizedTest
  @CsvSource({
    "972, 0, 1000, 900",
    "971, 1, 1000, 850",
    "800, 4, 1000, 700",
    "540, 8, 1000, 500",
    // All pieces again are too few: half of the tokens, of which fewer are computed again.
    "539, 7, 500, 475",
    "486, 8, 500, 450",
    "100000, 0, 1000, 900",
  })
  void asLittleAsTheLimitAsksFor(long limit, int recomputed, int tokens, long peak) {
    assertEquals(
        Optional.of(
            new MemoryPlan.Choice(recomputed, MicroBatch.ofTokens(tokens), peak * 1_000_000)),
        PLAN.below(limit * 1_000_000, SIZES));
  }

  @Test
  void whereNothingIsEnoughItSaysWhatWouldBe() {
    assertEquals(Optional.empty(), PLAN.below(485_000_000, SIZES));
    assertEquals(486_000_000, PLAN.least(SIZES));
    assertEquals(
        MicroBatch.ofTokens(500), PLAN.below(PLAN.least(SIZES), SIZES).orElseThrow().microBatch());
    assertEquals(Optional.empty(), PLAN.below(486_000_000, SIZES.subList(0, 1)));
  }

  @Test
  void smallerPiecesMayTakeSumsOfGradients() {
    List<MemoryPlan.Size> sizes = List.of(size(1000, 0), size(500, 100_000_000));
    assertEquals(Optional.empty(), PLAN.below(530_000_000, sizes));
    assertEquals(540_000_000, PLAN.least(sizes));
  }

  @Test
  void whereNothingCanBeComputedAgainPiecesAreSmaller() {
    MemoryPlan plan = new MemoryPlan(0, 4e8, 5e5, 5e5, 0);
    MemoryPlan.Choice choice = plan.below(800_000_000, SIZES).orElseThrow();
    assertEquals(0, choice.recomputed());
    assertEquals(MicroBatch.ofTokens(500), choice.microBatch());
  }

  @ParameterizedTest
  @CsvSource({"2G, 2000000000", "1500M, 1500000000", "1.5gb, 1500000000", "12345, 12345"})
  void sizesAsTheyAreWritten(String text, long bytes) {
    assertEquals(bytes, MemoryLimit.parse(text).bytes());
    assertTrue(MemoryLimit.parse(text).isOpen());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "G", "-2G", "0", "2X", "2GiB", "999999999999T"})
  void whatIsNoSizeIsRefused(String text) {
    assertThrows(LoraGraphException.class, () -> MemoryLimit.parse(text));
  }
}
