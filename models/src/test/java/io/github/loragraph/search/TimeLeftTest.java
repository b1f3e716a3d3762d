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

  /** A part that takes some seconds from now. */
  private double ended(TimeLeft time, int rung, double seconds) {
    time.begun(part(rung));
    nanos += (long) (seconds * 1e9);
    return seconds(time.ended(part(rung)));
  }

  @Test
  void trialsAndRepeatsAreOneTrainingEach() {
    TimeLeft time = time(SuccessiveHalving.none());
    assertEquals(110, ended(time, 0, 10), 1e-6);
    assertEquals(100, ended(time, 0, 10), 1e-6);
  }

  @Test
  void whatWasDoneBeforeTakesNoTime() {
    TimeLeft time = time(SuccessiveHalving.none());
    for (int i = 0; i < 7; i++) {
      time.known(part(0));
    }
    assertEquals(40, ended(time, 0, 10), 1e-6);
  }

  @Test
  void oneInAsManyAsTheReductionFactorGoesOn() {
    // 9 trials of a third, of which 3 go on to the end, and the repeats: after the first of them 14
    // processes are left, and 8/3 + 2 + 3 trainings. Half of 3 seconds is the start of a process.
    TimeLeft time = time(SuccessiveHalving.of(3, 1 / 3.0));
    assertEquals(14 * 1.5 + 4.5 * 23 / 3, ended(time, 0, 3), 1e-6);
    assertEquals(13 * 2.25 + 4.5 * 7, ended(time, 1, 6), 1e-6);
  }

  /** What takes seconds to start takes them for a short part as well, and no more of a long one. */
  @Test
  void aProcessStartsInTheSameTimeWhateverItTrains() {
    TimeLeft time = time(SuccessiveHalving.of(3, 1 / 3.0));
    assertEquals(14 * 4 + 300 * 23 / 3.0, ended(time, 0, 4 + 100), 1e-6);
  }

  /** What comes before the first process, a model that is made for it, is not its time. */
  @Test
  void onlyTheTimeOfPartsCounts() {
    TimeLeft time = time(SuccessiveHalving.none());
    nanos += Duration.ofSeconds(60).toNanos();
    assertEquals(110, ended(time, 0, 10), 1e-6);
    time.begun(new TrialPart(1, 1, 0, Map.of()));
    time.begun(new TrialPart(2, 2, 0, Map.of()));
    nanos += Duration.ofSeconds(10).toNanos();
    assertEquals(100, seconds(time.ended(new TrialPart(1, 1, 0, Map.of()))), 1e-6);
    assertEquals(90, seconds(time.ended(new TrialPart(2, 2, 0, Map.of()))), 1e-6);
  }

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }
}
