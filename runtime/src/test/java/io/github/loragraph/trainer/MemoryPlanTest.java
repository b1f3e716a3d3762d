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

  /**
   * 8% more than what is expected and 50 MB, and of what steps keep all of the memory that ONNX
   * Runtime takes for it: 128, 256, 512 or 1024 MiB.
   */
  @ParameterizedTest
  @CsvSource({
    "1556, 0, 1000, 1555741824",
    "1555, 1, 1000, 1018870912",
    "751, 6, 1000, 750435456",
    "617, 8, 1000, 616217728",
    // All pieces again are too few: half of the tokens.
    "616, 8, 500, 549108864",
    "516, 8, 250, 515554432",
    "100000, 0, 1000, 1555741824",
  })
  void asLittleAsTheLimitAsksFor(long limit, int recomputed, int tokens, long peak) {
    assertEquals(
        Optional.of(new MemoryPlan.Choice(recomputed, MicroBatch.ofTokens(tokens), peak)),
        PLAN.below(limit * 1_000_000, SIZES));
  }

  @Test
  void whereNothingIsEnoughItSaysWhatWouldBe() {
    assertEquals(Optional.empty(), PLAN.below(515_000_000, SIZES));
    // 16% and 100 MB, so that a little more may be measured than what was.
    assertEquals(597_554_432, PLAN.least(SIZES).peak());
    assertEquals(MicroBatch.ofTokens(250), PLAN.least(SIZES).microBatch());
    assertTrue(PLAN.below(PLAN.least(SIZES).peak(), SIZES).isPresent());
    assertEquals(Optional.empty(), PLAN.below(616_000_000, SIZES.subList(0, 1)));
  }

  @Test
  void smallerPiecesMayTakeSumsOfGradients() {
    List<MemoryPlan.Size> sizes = List.of(size(1000, 0), size(500, 100_000_000));
    assertEquals(Optional.empty(), PLAN.below(616_000_000, sizes));
    assertEquals(698_217_728, PLAN.least(sizes).peak());
  }

  @Test
  void whereNothingCanBeComputedAgainPiecesAreSmaller() {
    MemoryPlan plan = new MemoryPlan(0, 4e8, 5e5, 5e5, 0);
    MemoryPlan.Choice choice = plan.below(1_500_000_000, SIZES).orElseThrow();
    assertEquals(0, choice.recomputed());
    assertEquals(MicroBatch.ofTokens(500), choice.microBatch());
  }

  /** Regions are of 1 GiB at most: 2.2 GB take another one beside the 2 GiB of those before. */
  @Test
  void theLargestRegionsGrowNoMore() {
    MemoryPlan plan = new MemoryPlan(0, 0, 2.2e6 / 1.08, 2.2e6 / 1.08, 0);
    assertEquals(
        (3L << 30) + 50_000_000,
        plan.below(Long.MAX_VALUE, List.of(size(1000, 0))).orElseThrow().peak());
  }

  @ParameterizedTest
  @CsvSource({
    "2G, 2000000000",
    "1500M, 1500000000",
    "1.5gb, 1500000000",
    "12345678, 12345678",
    "1T, 1000000000000",
    "1000000000000, 1000000000000"
  })
  void sizesAsTheyAreWritten(String text, long bytes) {
    assertEquals(bytes, MemoryLimit.parse(text).bytes());
    assertTrue(MemoryLimit.parse(text).isOpen());
  }

  @Test
  void noneTakesALimitAway() {
    assertEquals(MemoryLimit.NONE, MemoryLimit.parse("none"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "G", "-2G", "0", "1200", "0G", "2X", "2GiB", "999999999999T"})
  void whatIsNoSizeIsRefused(String text) {
    assertThrows(LoraGraphException.class, () -> MemoryLimit.parse(text));
  }
}
