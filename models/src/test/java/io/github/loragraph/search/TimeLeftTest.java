package io.github.loragraph.search;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** By a clock that the test turns. */
class TimeLeftTest {
  private static final SearchSpace SPACE =
      SearchSpace.of(List.of(new Parameter("lr", new RealRange(1e-5, 1e-1, true))));

  private long nanos;

  private TimeLeft time(SuccessiveHalving pruning) {
    return new TimeLeft(
        new SearchPlan(SPACE, 9, 1, "loss", false, SearchPlan.Method.RANDOM, pruning, 0),
        () -> nanos);
  }

  private static TrialPart part(int rung) {
    return new TrialPart(0, 0, rung, Map.of());
  }

  @Test
  void trialsAndRepeatsAreOneTrainingEach() {
    TimeLeft time = time(SuccessiveHalving.none());
    nanos += Duration.ofSeconds(10).toNanos();
    assertEquals(Duration.ofSeconds(110), time.ended(part(0)));
    nanos += Duration.ofSeconds(10).toNanos();
    assertEquals(Duration.ofSeconds(100), time.ended(part(0)));
  }

  @Test
  void whatWasDoneBeforeTakesNoTime() {
    TimeLeft time = time(SuccessiveHalving.none());
    for (int i = 0; i < 7; i++) {
      time.known(part(0));
    }
    nanos += Duration.ofSeconds(10).toNanos();
    assertEquals(Duration.ofSeconds(40), time.ended(part(0)));
  }

  @Test
  void oneInAsManyAsTheReductionFactorGoesOn() {
    // 9 trials of a third, of which 3 go on to the end, and the repeats: after the first of them 14
    // processes are left, and 8/3 + 2 + 3 trainings. Half of 3 seconds is the start of a process.
    TimeLeft time = time(SuccessiveHalving.of(3, 1 / 3.0));
    nanos += Duration.ofSeconds(3).toNanos();
    assertEquals(14 * 1.5 + 4.5 * 23 / 3, seconds(time.ended(part(0))), 1e-6);
    nanos += Duration.ofSeconds(6).toNanos();
    assertEquals(13 * 2.25 + 4.5 * 7, seconds(time.ended(part(1))), 1e-6);
  }

  /** What takes seconds to start takes them for a short part as well, and no more of a long one. */
  @Test
  void aProcessStartsInTheSameTimeWhateverItTrains() {
    TimeLeft time = time(SuccessiveHalving.of(3, 1 / 3.0));
    nanos += Duration.ofSeconds(4 + 100).toNanos();
    assertEquals(14 * 4 + 300 * 23 / 3.0, seconds(time.ended(part(0))), 1e-6);
  }

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }
}
