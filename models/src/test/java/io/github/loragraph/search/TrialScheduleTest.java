package io.github.loragraph.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The order of a search's parts does not depend on when they end; halving is that of the paper. */
class TrialScheduleTest {
  private static final SearchSpace SPACE =
      SearchSpace.of(
          List.of(
              new Parameter("lr", new RealRange(1e-5, 1e-1, true)),
              new Parameter("rank", new Choice(List.of(2, 4, 8)))));

  /** Comes down with the rung, by a speed that depends on the parameters; some fail. */
  private static double score(TrialPart part, SuccessiveHalving rungs) {
    double rate = Math.log10((double) part.parameters().get("lr"));
    if (rate > -1.5) {
      return Double.NaN;
    }
    int rank = (int) part.parameters().get("rank");
    return Math.pow(rate + 3, 2) + 1 / (rungs.fractions().get(part.rung()) * rank);
  }

  private static TrialSchedule schedule(SuccessiveHalving rungs, int parallel, long seed) {
    return new TrialSchedule(new TpeSampler(SPACE, seed), rungs, 40, parallel);
  }

  /** Ends the parts in an order drawn by the given numbers, never more than allowed at once. */
  private static List<String> run(
      TrialSchedule schedule, SuccessiveHalving rungs, int parallel, Random order) {
    List<TrialPart> underWay = new ArrayList<>();
    List<String> parts = new ArrayList<>();
    while (true) {
      while (underWay.size() < parallel && (underWay.isEmpty() || order.nextInt(3) > 0)) {
        Optional<TrialPart> next = schedule.next();
        if (next.isEmpty()) {
          break;
        }
        parts.add(next.get().toString());
        underWay.add(next.get());
      }
      if (underWay.isEmpty()) {
        assertTrue(schedule.isDone());
        return parts;
      }
      TrialPart ended = underWay.remove(order.nextInt(underWay.size()));
      schedule.report(ended, score(ended, rungs));
    }
  }

  @Test
  void partsDoNotDependOnTheOrderInWhichTheyEnd() {
    for (SuccessiveHalving rungs :
        List.of(
            SuccessiveHalving.none(),
            SuccessiveHalving.of(3, 1 / 9.0),
            SuccessiveHalving.of(2, 0.1))) {
      for (int parallel : List.of(1, 2, 3, 8)) {
        TrialSchedule first = schedule(rungs, parallel, 7);
        List<String> parts = run(first, rungs, parallel, new Random(0));
        for (int order = 1; order < 20; order++) {
          TrialSchedule again = schedule(rungs, parallel, 7);
          assertEquals(parts, run(again, rungs, parallel, new Random(order)));
          assertEquals(first.results(), again.results());
          assertEquals(first.best(), again.best());
        }
        assertNotEquals(parts, run(schedule(rungs, parallel, 8), rungs, parallel, new Random(0)));
      }
    }
  }

  @Test
  void oneInAsManyAsTheFactorSaysGoesOn() {
    SuccessiveHalving rungs = SuccessiveHalving.of(3, 1 / 9.0);
    assertEquals(3, rungs.fractions().size());
    for (int parallel : List.of(1, 4)) {
      TrialSchedule schedule = new TrialSchedule(new RandomSampler(SPACE, 1), rungs, 40, parallel);
      List<String> parts = run(schedule, rungs, parallel, new Random(0));
      int[] reached = new int[3];
      for (String part : parts) {
        for (int rung = 0; rung < 3; rung++) {
          reached[rung] += part.contains("rung=" + rung + ",") ? 1 : 0;
        }
      }
      assertEquals(40, reached[0]);
      // At most a few too many, which were among the best when there were fewer to compare with.
      assertTrue(reached[1] >= 13 && reached[1] <= 18, "" + reached[1]);
      assertTrue(reached[2] >= 4 && reached[2] <= 7, "" + reached[2]);
      // The best of all at the first rung is one of those that came to the top.
      double best =
          schedule.results().stream()
              .filter(trial -> trial.rung() == 2 && !trial.isFailed())
              .mapToDouble(TrialResult::score)
              .min()
              .orElseThrow();
      assertEquals(best, schedule.best().orElseThrow().score(), 0);
    }
  }

  @Test
  void promotionIsThatOfThePaper() {
    // Algorithm 2 with a reduction factor of 2, one worker, figures that are the trial's number.
    SuccessiveHalving rungs = SuccessiveHalving.of(2, 0.25);
    assertEquals(List.of(0.25, 0.5, 1.0), rungs.fractions());
    Sampler numbered = before -> Map.of("number", before.size());
    TrialSchedule schedule = new TrialSchedule(numbered, rungs, 8, 1);
    List<String> parts = new ArrayList<>();
    for (Optional<TrialPart> next = schedule.next(); next.isPresent(); next = schedule.next()) {
      parts.add(next.get().trial() + ":" + next.get().rung());
      schedule.report(next.get(), -next.get().trial());
    }
    // By hand: a later trial is always better, so each is promoted once its rung has two: trial 1
    // of the first, 2 of the second.
    assertEquals(
        List.of(
            "0:0", "1:0", "1:1", "2:0", "2:1", "2:2", "3:0", "3:1", "3:2", "4:0", "4:1", "4:2",
            "5:0", "5:1", "5:2", "6:0", "6:1", "6:2", "7:0", "7:1", "7:2"),
        parts);
  }

  @Test
  void somethingIsAlwaysTrainedWhole() {
    SuccessiveHalving rungs = SuccessiveHalving.of(4, 1 / 64.0);
    TrialSchedule schedule = new TrialSchedule(new RandomSampler(SPACE, 0), rungs, 3, 2);
    List<String> parts = run(schedule, rungs, 2, new Random(0));
    assertEquals(3 + 3, parts.size());
    assertEquals(3, schedule.best().orElseThrow().rung());
  }

  @Test
  void rungsAreStepsOfTheWholeTraining() {
    SuccessiveHalving rungs = SuccessiveHalving.of(3, 1 / 9.0);
    assertEquals(
        List.of(100L, 300L, 900L),
        List.of(rungs.step(0, 900), rungs.step(1, 900), rungs.step(2, 900)));
    assertEquals(
        List.of(12L, 34L, 100L),
        List.of(rungs.step(0, 100), rungs.step(1, 100), rungs.step(2, 100)));
    assertEquals(
        List.of(1L, 1L, 2L), List.of(rungs.step(0, 2), rungs.step(1, 2), rungs.step(2, 2)));
  }
}
