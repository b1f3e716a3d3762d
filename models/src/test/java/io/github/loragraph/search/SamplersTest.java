package io.github.loragraph.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Samplers on functions whose minimum is known, against random search over many seeds. */
class SamplersTest {
  private static final int SEEDS = 40;

  private static double number(Map<String, Object> values, String name) {
    return ((Number) values.get(name)).doubleValue();
  }

  /** Dixon and Szegö 1978: three minima of 0.397887. */
  private static double branin(Map<String, Object> values) {
    double x = number(values, "x");
    double y = number(values, "y");
    double inner = y - 5.1 / (4 * Math.PI * Math.PI) * x * x + 5 / Math.PI * x - 6;
    return inner * inner + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10;
  }

  private static final SearchSpace BRANIN =
      SearchSpace.of(
          List.of(
              new Parameter("x", new RealRange(-5, 10, false)),
              new Parameter("y", new RealRange(0, 15, false))));

  private static final double[] ALPHA = {1, 1.2, 3, 3.2};
  private static final double[][] A = {
    {10, 3, 17, 3.5, 1.7, 8},
    {0.05, 10, 17, 0.1, 8, 14},
    {3, 3.5, 1.7, 10, 17, 8},
    {17, 8, 0.05, 10, 0.1, 14}
  };
  private static final double[][] P = {
    {1312, 1696, 5569, 124, 8283, 5886},
    {2329, 4135, 8307, 3736, 1004, 9991},
    {2348, 1451, 3522, 2883, 3047, 6650},
    {4047, 8828, 8732, 5743, 1091, 381}
  };

  /** Hartmann 1972 in six dimensions: the minimum is -3.32237. */
  private static double hartmann(Map<String, Object> values) {
    double sum = 0;
    for (int i = 0; i < 4; i++) {
      double inner = 0;
      for (int j = 0; j < 6; j++) {
        double distance = number(values, "x" + j) - P[i][j] * 1e-4;
        inner += A[i][j] * distance * distance;
      }
      sum -= ALPHA[i] * Math.exp(-inner);
    }
    return sum;
  }

  private static SearchSpace hartmannSpace() {
    List<Parameter> parameters = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      parameters.add(new Parameter("x" + i, new RealRange(0, 1, false)));
    }
    return SearchSpace.of(parameters);
  }

  /** Two methods, each with a rate of its own and its own best; one of them with a rank, too. */
  private static double conditional(Map<String, Object> values) {
    if (values.get("method").equals("lora")) {
      return Math.pow(Math.log10(number(values, "lora-rate")) + 2.5, 2)
          + 0.02 * Math.abs(number(values, "rank") - 12);
    }
    return 0.3
        + Math.pow(Math.log10(number(values, "full-rate")) + 4.3, 2)
        + (values.get("method").equals("head") ? 0.5 : 0);
  }

  private static final SearchSpace CONDITIONAL =
      SearchSpace.of(
          List.of(
              new Parameter(
                  "rank", new IntegerRange(1, 64, true), Map.of("method", List.of("lora")), 0),
              new Parameter(
                  "lora-rate", new RealRange(1e-5, 1, true), Map.of("method", List.of("lora")), 0),
              new Parameter(
                  "full-rate",
                  new RealRange(1e-6, 1e-1, true),
                  Map.of("method", List.of("full", "head")),
                  0),
              new Parameter("method", new Choice(List.of("full", "head", "lora", "other")))));

  private static final SearchSpace QUADRATIC =
      SearchSpace.of(
          List.of(
              new Parameter("rate", new RealRange(1e-6, 1, true)),
              new Parameter("decay", new RealRange(1e-5, 10, true))));

  private static double quadratic(Map<String, Object> values) {
    return Math.pow(Math.log10(number(values, "rate")) + 3.3, 2)
        + Math.pow(Math.log10(number(values, "decay")) + 1.7, 2);
  }

  /** The trial that a search of one worker calls the best. */
  private static Map<String, Object> best(
      Sampler sampler, ToDoubleFunction<Map<String, Object>> function, int trials) {
    TrialSchedule schedule = new TrialSchedule(sampler, SuccessiveHalving.none(), trials, 1);
    for (Optional<TrialPart> next = schedule.next(); next.isPresent(); next = schedule.next()) {
      TrialPart part = next.get();
      schedule.report(part, function.applyAsDouble(part.parameters()));
    }
    assertTrue(schedule.isDone());
    return schedule.best().orElseThrow().parameters();
  }

  private static void assertBetter(
      SearchSpace space,
      ToDoubleFunction<Map<String, Object>> measured,
      ToDoubleFunction<Map<String, Object>> truth,
      int trials) {
    double[] tpe = new double[SEEDS];
    double[] random = new double[SEEDS];
    for (int seed = 0; seed < SEEDS; seed++) {
      tpe[seed] = truth.applyAsDouble(best(new TpeSampler(space, seed), measured, trials));
      random[seed] =
          truth.applyAsDouble(best(new RandomSampler(space, 1000 + seed), measured, trials));
    }
    Arrays.sort(tpe);
    Arrays.sort(random);
    // Mann and Whitney's test: 3.3 is one in two thousand.
    double wins = 0;
    for (double own : tpe) {
      for (double other : random) {
        wins += own < other ? 1 : own == other ? 0.5 : 0;
      }
    }
    double z = (wins - SEEDS * SEEDS / 2.0) / Math.sqrt(SEEDS * SEEDS * (2 * SEEDS + 1) / 12.0);
    String figures =
        "z %.2f, medians %.4f and %.4f".formatted(z, tpe[SEEDS / 2], random[SEEDS / 2]);
    assertTrue(z > 3.3 && tpe[SEEDS / 2] < random[SEEDS / 2], figures);
  }

  @Test
  void functionsAreThoseThatAreKnown() {
    assertEquals(0.397887, branin(Map.of("x", Math.PI, "y", 2.275)), 1e-6);
    assertEquals(
        -3.32237,
        hartmann(
            Map.of(
                "x0", 0.20169, "x1", 0.150011, "x2", 0.476874, "x3", 0.275332, "x4", 0.311652, "x5",
                0.6573)),
        1e-5);
  }

  @Test
  void tpeIsBetterThanRandomOnBranin() {
    assertBetter(BRANIN, SamplersTest::branin, SamplersTest::branin, 50);
  }

  @Test
  void tpeIsBetterThanRandomOnHartmann() {
    assertBetter(hartmannSpace(), SamplersTest::hartmann, SamplersTest::hartmann, 80);
  }

  @Test
  void tpeIsBetterThanRandomWhereParametersDependOnOthers() {
    ToDoubleFunction<Map<String, Object>> function =
        values -> values.get("method").equals("other") ? 2 : conditional(values);
    assertBetter(CONDITIONAL, function, function, 50);
  }

  @Test
  void tpeIsBetterThanRandomWhereFiguresAreNoisy() {
    Random noise = new Random(5);
    assertBetter(
        QUADRATIC,
        values -> quadratic(values) + 0.3 * noise.nextGaussian(),
        SamplersTest::quadratic,
        80);
  }

  @Test
  void tpeIsBetterThanRandomWhereTrialsFail() {
    assertBetter(
        QUADRATIC,
        values -> number(values, "rate") > 1e-2 ? Double.NaN : quadratic(values),
        SamplersTest::quadratic,
        50);
  }

  @Test
  void aTrialExistsOnlyWithWhatItsConditionsAllow() {
    for (Sampler sampler :
        List.of(new TpeSampler(CONDITIONAL, 3), new RandomSampler(CONDITIONAL, 3))) {
      List<TrialResult> before = new ArrayList<>();
      for (int trial = 0; trial < 60; trial++) {
        Map<String, Object> values = sampler.propose(before);
        Object method = values.get("method");
        assertEquals(method.equals("lora"), values.containsKey("rank"), values.toString());
        assertEquals(method.equals("lora"), values.containsKey("lora-rate"), values.toString());
        assertEquals(
            method.equals("full") || method.equals("head"),
            values.containsKey("full-rate"),
            values.toString());
        before.add(new TrialResult(trial, values, 0, trial % 7));
      }
    }
  }

  @Test
  void nothingIsProposedTwiceWhileThereIsAnythingElse() {
    SearchSpace space =
        SearchSpace.of(
            List.of(
                new Parameter("rank", new Choice(List.of(2, 4, 8))),
                new Parameter("layers", new IntegerRange(1, 7, false))));
    assertEquals(21, space.size(1000));
    for (Sampler sampler : List.of(new TpeSampler(space, 1), new RandomSampler(space, 1))) {
      List<TrialResult> before = new ArrayList<>();
      Set<Map<String, Object>> seen = new HashSet<>();
      for (int trial = 0; trial < 21; trial++) {
        Map<String, Object> values = sampler.propose(before);
        assertTrue(seen.add(values), values + " in " + seen);
        before.add(new TrialResult(trial, values, trial % 3 - 1, trial));
      }
      // Then there is nothing else, and no proposal fails.
      assertTrue(seen.contains(sampler.propose(before)));
    }
  }

  @Test
  void degenerateSpacesAreSearched() {
    SearchSpace one =
        SearchSpace.of(
            List.of(
                new Parameter("lr", new RealRange(1e-3, 1e-3, true)),
                new Parameter("rank", new IntegerRange(4, 4, true)),
                new Parameter("bias", new Choice(List.of(true)))));
    assertEquals(1, one.size(10));
    assertEquals(
        Map.of("lr", 1e-3, "rank", 4L, "bias", true),
        best(new TpeSampler(one, 0), values -> 1, 30));
    SearchSpace huge =
        SearchSpace.of(
            List.of(
                new Parameter("a", new RealRange(-Double.MAX_VALUE, Double.MAX_VALUE, false)),
                new Parameter("b", new RealRange(Double.MIN_VALUE, Double.MAX_VALUE, true)),
                new Parameter("c", new IntegerRange(-(1L << 52), 1L << 52, false)),
                new Parameter("d", new RealRange(1, 1 + 1e-9, true)),
                new Parameter("e", new RealRange(-1e-300, 1e-300, false))));
    Set<Object> different = new HashSet<>();
    best(
        new TpeSampler(huge, 0),
        values -> {
          for (Parameter parameter : huge.parameters()) {
            double value = number(values, parameter.name());
            assertTrue(Double.isFinite(value), values.toString());
            if (parameter.domain() instanceof RealRange range) {
              assertTrue(value >= range.low() && value <= range.high(), values.toString());
            }
            different.add(List.of(parameter.name(), value));
          }
          return number(values, "b");
        },
        30);
    assertTrue(different.size() > 5 * 25, "" + different.size());
  }

  @Test
  void equalAndFailedFiguresAreNoTrouble() {
    best(new TpeSampler(BRANIN, 0), values -> 1, 40);
    TrialSchedule schedule =
        new TrialSchedule(new TpeSampler(BRANIN, 0), SuccessiveHalving.of(3, 0.1), 30, 2);
    for (Optional<TrialPart> next = schedule.next(); next.isPresent(); next = schedule.next()) {
      schedule.report(next.get(), Double.POSITIVE_INFINITY);
    }
    assertTrue(schedule.best().isEmpty());
    assertTrue(schedule.results().stream().allMatch(TrialResult::isFailed));
  }

  @Test
  void logarithmicValuesAreReadable() {
    RealRange rates = new RealRange(1e-4, 5e-3, true);
    Random random = new Random(0);
    for (int i = 0; i < 1000; i++) {
      Object rate = rates.draw(random);
      assertTrue(rate.toString().length() <= 9, rate.toString());
      assertEquals((double) rate, (double) rates.value(rates.position(rate)), 0);
    }
    assertEquals(List.of(1e-4, 1e-3, 1e-2), new RealRange(1e-4, 1e-2, true).grid(3));
    assertEquals(List.of(1L, 2L, 3L), new IntegerRange(1, 3, false).grid(9));
  }

  @Test
  void wholeNumbersAreDrawnEvenlyWithTheirEnds() {
    int[] counts = new int[5];
    Random random = new Random(0);
    IntegerRange range = new IntegerRange(0, 4, false);
    for (int i = 0; i < 5000; i++) {
      counts[(int) (long) range.draw(random)]++;
    }
    for (int count : counts) {
      assertEquals(1000, count, 120);
    }
  }

  @Test
  void aGridHasEachCombinationThatCanBe() {
    assertEquals(
        List.of(
            Map.of("method", "full", "lr", 1e-5),
            Map.of("method", "full", "lr", 1e-4),
            Map.of("method", "lora", "lr", 1e-5, "rank", 2L),
            Map.of("method", "lora", "lr", 1e-5, "rank", 3L),
            Map.of("method", "lora", "lr", 1e-4, "rank", 2L),
            Map.of("method", "lora", "lr", 1e-4, "rank", 3L)),
        SearchSpace.of(
                List.of(
                    new Parameter("method", new Choice(List.of("full", "lora"))),
                    new Parameter("lr", new RealRange(1e-5, 1e-4, true), Map.of(), 2),
                    new Parameter(
                        "rank",
                        new IntegerRange(2, 3, false),
                        Map.of("method", List.of("lora")),
                        0)))
            .grid(10));
  }

  @Test
  void spacesThatCannotBeAreRefused() {
    assertRefused("above the upper", () -> new RealRange(2, 1, false));
    assertRefused("ends above 0", () -> new RealRange(0, 1, true));
    assertRefused("not finite", () -> new RealRange(0, Double.NaN, false));
    assertRefused("begins at 1", () -> new IntegerRange(0, 4, true));
    assertRefused("at least one", () -> new Choice(List.of()));
    assertRefused("2 twice", () -> new Choice(List.of(2, 4, 2)));
    assertRefused("at least one parameter", () -> SearchSpace.of(List.of()));
    Choice two = new Choice(List.of("x", "y"));
    assertRefused(
        "a is there twice",
        () -> SearchSpace.of(List.of(new Parameter("a", two), new Parameter("a", two))));
    assertRefused(
        "a depends on b, which is no parameter",
        () -> SearchSpace.of(List.of(new Parameter("a", two, Map.of("b", List.of("x")), 0))));
    assertRefused(
        "b being z, which is none of its values",
        () ->
            SearchSpace.of(
                List.of(
                    new Parameter("a", two, Map.of("b", List.of("z")), 0),
                    new Parameter("b", two))));
    assertRefused(
        "the conditions of a, b go round in a circle",
        () ->
            SearchSpace.of(
                List.of(
                    new Parameter("a", two, Map.of("b", List.of("x")), 0),
                    new Parameter("b", two, Map.of("a", List.of("x")), 0))));
    assertRefused(
        "a is a range of real numbers",
        () -> SearchSpace.of(List.of(new Parameter("a", new RealRange(0, 1, false)))).grid(100));
    assertRefused(
        "more than 100 points",
        () ->
            SearchSpace.of(List.of(new Parameter("a", new IntegerRange(0, 100, false)))).grid(100));
  }

  private static void assertRefused(String words, Executable made) {
    String message = assertThrows(LoraGraphException.class, made).getMessage();
    assertTrue(message.contains(words), message);
  }
}
