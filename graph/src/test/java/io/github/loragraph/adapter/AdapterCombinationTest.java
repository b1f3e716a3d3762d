package io.github.loragraph.adapter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.adapter.AdapterCombination.Combined;
import io.github.loragraph.adapter.AdapterCombination.Heads;
import io.github.loragraph.adapter.AdapterCombination.Input;
import io.github.loragraph.adapter.AdapterCombination.MajoritySign;
import io.github.loragraph.adapter.AdapterCombination.Options;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Every type against sums that are counted here, entry by entry, in double precision. */
class AdapterCombinationTest {
  private static final String QUERY = "encoder.layer.0.query";
  private static final String VALUE = "encoder.layer.10.value";
  private static final int IN = 12;
  private static final int OUT = 9;

  private final Random random = new Random(7);

  /** An adapter with numbers of its own. */
  private PeftAdapter adapter(int rank, double alpha, String... modules) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (String module : modules) {
      put(tensors, PeftLayer.keyOfA(module), rank, IN);
      put(tensors, PeftLayer.keyOfB(module), OUT, rank);
    }
    PeftConfig config =
        PeftConfig.defaults()
            .with("r", rank)
            .withAlpha(alpha)
            .with("target_modules", List.of("query", "value"));
    return new PeftAdapter(config, tensors);
  }

  private void put(Map<String, Tensor> tensors, String key, int rows, int columns) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    tensors.put(key, Tensor.ofFloats(key, values, rows, columns));
  }

  private static PeftAdapter with(PeftAdapter adapter, Tensor tensor) {
    Map<String, Tensor> tensors = new LinkedHashMap<>(adapter.tensors());
    tensors.put(tensor.name(), tensor);
    return new PeftAdapter(adapter.config(), tensors);
  }

  private static Options options(AdapterCombination.Type type) {
    boolean prunes =
        !List.of(
                AdapterCombination.Type.LINEAR,
                AdapterCombination.Type.CAT,
                AdapterCombination.Type.SVD)
            .contains(type);
    return options(type, OptionalInt.empty(), prunes ? 0.5 : Double.NaN);
  }

  private static Options options(AdapterCombination.Type type, OptionalInt rank, double density) {
    return new Options(
        type,
        rank,
        Double.isNaN(density) ? OptionalDouble.empty() : OptionalDouble.of(density),
        MajoritySign.TOTAL,
        0,
        Heads.REFUSED,
        0);
  }

  private static Combined combine(Options options, double[] weights, PeftAdapter... adapters) {
    List<Input> inputs = new ArrayList<>();
    for (int i = 0; i < adapters.length; i++) {
      inputs.add(new Input("adapter" + i, adapters[i], weights[i]));
    }
    return AdapterCombination.of(inputs, options);
  }

  /** scale B A of a module by three loops over the tensors; zeros where there is none. */
  private static double[] delta(PeftAdapter adapter, String module) {
    double[] sum = new double[OUT * IN];
    Tensor tensorA = adapter.tensors().get("base_model.model." + module + ".lora_A.weight");
    Tensor tensorB = adapter.tensors().get("base_model.model." + module + ".lora_B.weight");
    if (tensorA == null) {
      return sum;
    }
    double[] a = tensorA.toDoubles();
    double[] b = tensorB.toDoubles();
    int rank = (int) tensorA.dim(0);
    double scale =
        adapter.config().alpha(module) / (adapter.config().useRslora() ? Math.sqrt(rank) : rank);
    for (int o = 0; o < OUT; o++) {
      for (int i = 0; i < IN; i++) {
        for (int k = 0; k < rank; k++) {
          sum[o * IN + i] += scale * b[o * rank + k] * a[k * IN + i];
        }
      }
    }
    return sum;
  }

  private static double[] weighted(double[] weights, String module, PeftAdapter... adapters) {
    double[] sum = new double[OUT * IN];
    for (int m = 0; m < adapters.length; m++) {
      double[] delta = delta(adapters[m], module);
      for (int i = 0; i < sum.length; i++) {
        sum[i] += weights[m] * delta[i];
      }
    }
    return sum;
  }

  @ParameterizedTest
  @EnumSource(names = {"CAT", "SVD"})
  void catAndSvdOfFullRankAreTheWeightedSum(AdapterCombination.Type type) {
    PeftAdapter first = adapter(2, 6, QUERY, VALUE);
    PeftAdapter second = adapter(3, 3, QUERY);
    PeftAdapter third =
        new PeftAdapter(
            adapter(2, 5, QUERY, VALUE).config().with("use_rslora", true),
            adapter(2, 5, QUERY, VALUE).tensors());
    double[] weights = {0.7, -0.3, 1.5};
    OptionalInt rank =
        type == AdapterCombination.Type.SVD ? OptionalInt.of(7) : OptionalInt.empty();
    Combined combined = combine(options(type, rank, Double.NaN), weights, first, second, third);
    PeftAdapter sum = combined.adapter();
    assertArrayEquals(weighted(weights, QUERY, first, second, third), delta(sum, QUERY), 2e-6 * 10);
    assertArrayEquals(weighted(weights, VALUE, first, second, third), delta(sum, VALUE), 2e-6 * 10);
    assertEquals(7, sum.layers().get(QUERY).rank());
    assertEquals(4, sum.layers().get(VALUE).rank());
    assertEquals(1, sum.layers().get(VALUE).scale());
    assertEquals(1, combined.notes().size(), combined.notes().toString());
    assertTrue(combined.notes().get(0).contains("adapter1 has no adapter of 1 modules"));
  }

  @Test
  void svdOfALowerRankIsTheNearest() {
    PeftAdapter first = adapter(2, 6, QUERY);
    PeftAdapter second = adapter(2, 2, QUERY);
    double[] weights = {0.5, 0.5};
    PeftAdapter sum =
        combine(options(AdapterCombination.Type.SVD), weights, first, second).adapter();
    assertEquals(2, sum.layers().get(QUERY).rank());
    double[] whole = weighted(weights, QUERY, first, second);
    double[] near = delta(sum, QUERY);
    double rest = 0;
    for (int i = 0; i < whole.length; i++) {
      rest += (whole[i] - near[i]) * (whole[i] - near[i]);
    }
    PeftAdapter full =
        combine(
                options(AdapterCombination.Type.SVD, OptionalInt.of(4), Double.NaN),
                weights,
                first,
                second)
            .adapter();
    List<Double> values = LayerSpectrum.of(full).get(0).singularValues();
    double expected = values.get(2) * values.get(2) + values.get(3) * values.get(3);
    assertEquals(expected, rest, 1e-4 * expected);
    // B = U diag(s) and A = V' with orthonormal rows, as PEFT writes them.
    double[] a = sum.layers().get(QUERY).a().toDoubles();
    double product = 0;
    for (int i = 0; i < IN; i++) {
      product += a[i] * a[IN + i];
    }
    assertEquals(0, product, 1e-6);
  }

  /** What PEFT's Python does, on lists of numbers. */
  private static double[] expected(
      AdapterCombination.Type type,
      double[][] tensors,
      double[] weights,
      double density,
      boolean frequency) {
    double[][] kept = new double[tensors.length][];
    for (int m = 0; m < tensors.length; m++) {
      double[] values = tensors[m].clone();
      Integer[] order = new Integer[values.length];
      Arrays.setAll(order, i -> i);
      Arrays.sort(order, (x, y) -> Double.compare(Math.abs(values[y]), Math.abs(values[x])));
      int stay =
          type == AdapterCombination.Type.LINEAR ? values.length : (int) (density * values.length);
      kept[m] = new double[values.length];
      for (int i = 0; i < stay; i++) {
        kept[m][order[i]] = values[order[i]];
      }
    }
    double[] sum = new double[kept[0].length];
    for (int i = 0; i < sum.length; i++) {
      double votes = 0;
      for (double[] each : kept) {
        votes += frequency ? Math.signum(each[i]) : each[i];
      }
      int count = 0;
      for (int m = 0; m < kept.length; m++) {
        boolean counts =
            type != AdapterCombination.Type.TIES
                || Math.signum(kept[m][i]) == (votes >= 0 ? 1 : -1);
        if (counts) {
          sum[i] += weights[m] * kept[m][i];
          count++;
        }
      }
      if (type == AdapterCombination.Type.TIES) {
        sum[i] /= Math.max(1, count);
      }
    }
    return sum;
  }

  @ParameterizedTest
  @CsvSource({
    "LINEAR,false",
    "MAGNITUDE_PRUNE,false",
    "TIES,false",
    "TIES,true",
  })
  void factorsAreCombinedByTheRootsOfTheirWeights(AdapterCombination.Type type, boolean frequency) {
    PeftAdapter[] adapters = {adapter(4, 8, QUERY), adapter(4, 2, QUERY), adapter(4, 4, QUERY)};
    double[] weights = {0.7, -0.4, 0.5};
    double[] scales = {2, 0.5, 1};
    double density = 0.4;
    Options options =
        new Options(
            type,
            OptionalInt.empty(),
            type == AdapterCombination.Type.LINEAR
                ? OptionalDouble.empty()
                : OptionalDouble.of(density),
            frequency ? MajoritySign.FREQUENCY : MajoritySign.TOTAL,
            0,
            Heads.REFUSED,
            0);
    PeftLayer sum = combine(options, weights, adapters).adapter().layers().get(QUERY);
    double[][] a = new double[3][];
    double[][] b = new double[3][];
    double[] ofA = new double[3];
    double[] ofB = new double[3];
    for (int m = 0; m < 3; m++) {
      PeftLayer layer = adapters[m].layers().get(QUERY);
      a[m] = layer.a().toDoubles();
      b[m] = layer.b().toDoubles();
      ofB[m] = Math.sqrt(Math.abs(weights[m] * scales[m]));
      ofA[m] = Math.signum(weights[m]) * ofB[m];
    }
    assertArrayEquals(expected(type, a, ofA, density, frequency), sum.a().toDoubles(), 1e-6);
    assertArrayEquals(expected(type, b, ofB, density, frequency), sum.b().toDoubles(), 1e-6);
    assertEquals(1, sum.scale());
  }

  @ParameterizedTest
  @CsvSource({"MAGNITUDE_PRUNE_SVD,MAGNITUDE_PRUNE", "TIES_SVD,TIES"})
  void deltasAreCombinedThenDecomposed(
      AdapterCombination.Type type, AdapterCombination.Type ofEntries) {
    PeftAdapter[] adapters = {adapter(2, 8, QUERY), adapter(3, 2, QUERY)};
    double[] weights = {0.7, -0.4};
    OptionalInt full = OptionalInt.of(Math.min(IN, OUT));
    PeftAdapter sum = combine(options(type, full, 0.4), weights, adapters).adapter();
    double[][] deltas = {delta(adapters[0], QUERY), delta(adapters[1], QUERY)};
    assertArrayEquals(expected(ofEntries, deltas, weights, 0.4, false), delta(sum, QUERY), 2e-5);
    assertEquals(3, combine(options(type), weights, adapters).adapter().layers().get(QUERY).rank());
  }

  @Test
  void dareDropsByChanceAndKeepsTheSumInTheMean() {
    PeftAdapter[] adapters = {adapter(2, 2, QUERY), adapter(2, 2, QUERY)};
    double[] weights = {0.6, 0.4};
    double[] plain =
        combine(options(AdapterCombination.Type.LINEAR), weights, adapters)
            .adapter()
            .layers()
            .get(QUERY)
            .a()
            .toDoubles();
    double[] mean = new double[plain.length];
    int tries = 4000;
    int zeros = 0;
    for (int seed = 0; seed < tries; seed++) {
      Options options =
          new Options(
              AdapterCombination.Type.DARE_LINEAR,
              OptionalInt.empty(),
              OptionalDouble.of(0.25),
              MajoritySign.TOTAL,
              seed,
              Heads.REFUSED,
              0);
      double[] a =
          combine(options, weights, adapters).adapter().layers().get(QUERY).a().toDoubles();
      for (int i = 0; i < a.length; i++) {
        mean[i] += a[i] / tries;
        zeros += a[i] == 0 ? 1 : 0;
      }
    }
    // Both are dropped with probability 0.75 squared.
    assertEquals(0.5625, zeros / (double) tries / mean.length, 0.01);
    double spread = Math.sqrt(3.0 / tries) * 3 * 1.1;
    assertArrayEquals(plain, mean, 5 * spread);
    Combined once = combine(options(AdapterCombination.Type.DARE_TIES), weights, adapters);
    Combined again = combine(options(AdapterCombination.Type.DARE_TIES), weights, adapters);
    assertArrayEquals(
        once.adapter().layers().get(QUERY).b().toDoubles(),
        again.adapter().layers().get(QUERY).b().toDoubles());
  }

  @ParameterizedTest
  @EnumSource(names = {"DARE_LINEAR", "DARE_TIES", "MAGNITUDE_PRUNE", "DARE_LINEAR_SVD"})
  void densityOfOneDropsNothing(AdapterCombination.Type type) {
    PeftAdapter[] adapters = {adapter(2, 2, QUERY), adapter(2, 2, QUERY)};
    double[] weights = {0.6, 0.4};
    AdapterCombination.Type plain =
        switch (type) {
          case DARE_LINEAR_SVD -> AdapterCombination.Type.SVD;
          case DARE_TIES -> AdapterCombination.Type.TIES;
          default -> AdapterCombination.Type.LINEAR;
        };
    Options all =
        options(plain, OptionalInt.empty(), plain == AdapterCombination.Type.TIES ? 1 : Double.NaN);
    assertArrayEquals(
        delta(combine(all, weights, adapters).adapter(), QUERY),
        delta(combine(options(type, OptionalInt.empty(), 1), weights, adapters).adapter(), QUERY),
        1e-5);
  }

  @Test
  void oneAdapterIsWeighted() {
    PeftAdapter one = adapter(2, 6, QUERY);
    Combined combined = combine(options(AdapterCombination.Type.TIES), new double[] {-0.5}, one);
    assertArrayEquals(
        weighted(new double[] {-0.5}, QUERY, one), delta(combined.adapter(), QUERY), 1e-5);
    assertTrue(combined.notes().get(0).contains("linear"), combined.notes().toString());
  }

  @Test
  void zeroAdaptersAndZeroWeights() {
    PeftAdapter zero = adapter(2, 2, QUERY);
    String key = PeftLayer.keyOfB(QUERY);
    PeftAdapter fresh = with(zero, Tensor.filled(key, ElementType.FLOAT, 0, OUT, 2));
    PeftAdapter other = adapter(2, 2, QUERY);
    for (AdapterCombination.Type type : AdapterCombination.Type.values()) {
      Combined nothing = combine(options(type), new double[] {1, 1}, fresh, fresh);
      assertArrayEquals(new double[OUT * IN], delta(nothing.adapter(), QUERY), type.toString());
      Combined none = combine(options(type), new double[] {0, 0}, other, other);
      assertArrayEquals(new double[OUT * IN], delta(none.adapter(), QUERY), type.toString());
    }
  }

  @Test
  void headsAreTakenFromOneOrTheirMean() {
    Tensor one = Tensor.ofFloats("base_model.model.classifier.weight", new float[] {1, 2}, 1, 2);
    Tensor two = Tensor.ofFloats("base_model.model.classifier.weight", new float[] {5, -2}, 1, 2);
    Tensor wide = Tensor.ofFloats("base_model.model.classifier.weight", new float[4], 2, 2);
    PeftAdapter plain = adapter(2, 2, QUERY);
    PeftAdapter first = with(plain, one);
    PeftAdapter second = with(plain, two);
    double[] weights = {3, 1};
    LoraGraphException refused =
        assertThrows(
            LoraGraphException.class,
            () -> combine(options(AdapterCombination.Type.CAT), weights, first, second));
    assertTrue(refused.getMessage().contains("'classifier.weight'"), refused.getMessage());
    assertArrayEquals(
        new double[] {2, 1}, head(combine(heads(Heads.MEAN, 0), weights, first, second)), 1e-6);
    assertArrayEquals(
        new double[] {5, -2}, head(combine(heads(Heads.NAMED, 1), weights, first, second)));
    assertArrayEquals(
        new double[] {1, 2},
        head(combine(options(AdapterCombination.Type.CAT), weights, first, first)));
    Combined single = combine(options(AdapterCombination.Type.CAT), weights, plain, second);
    assertArrayEquals(new double[] {5, -2}, head(single));
    assertTrue(single.notes().toString().contains("classifier.weight is taken from adapter1"));
    assertRefused("has no mean", heads(Heads.MEAN, 0), weights, first, with(plain, wide));
    assertRefused("has no mean", heads(Heads.MEAN, 0), new double[] {1, -1}, first, second);
  }

  private static Options heads(Heads heads, int named) {
    return new Options(
        AdapterCombination.Type.CAT,
        OptionalInt.empty(),
        OptionalDouble.empty(),
        MajoritySign.TOTAL,
        0,
        heads,
        named);
  }

  private static double[] head(Combined combined) {
    return combined.adapter().tensors().get("base_model.model.classifier.weight").toDoubles();
  }

  @Test
  void whatCannotBeCombinedIsRefused() {
    PeftAdapter two = adapter(2, 2, QUERY);
    PeftAdapter three = adapter(3, 3, QUERY);
    double[] both = {1, 1};
    assertRefused(
        "'linear' needs adapters of one rank",
        options(AdapterCombination.Type.LINEAR),
        both,
        two,
        three);
    assertRefused(
        "needs a density",
        options(AdapterCombination.Type.TIES, OptionalInt.empty(), Double.NaN),
        both,
        two,
        two);
    assertRefused(
        "takes no density",
        options(AdapterCombination.Type.CAT, OptionalInt.empty(), 0.5),
        both,
        two,
        two);
    for (double density : new double[] {0, -1, 1.5}) {
      assertRefused(
          "density",
          options(AdapterCombination.Type.TIES, OptionalInt.empty(), density),
          both,
          two,
          two);
    }
    assertRefused(
        "only types with svd",
        options(AdapterCombination.Type.CAT, OptionalInt.of(2), Double.NaN),
        both,
        two,
        two);
    assertRefused(
        "at least 1",
        options(AdapterCombination.Type.SVD, OptionalInt.of(0), Double.NaN),
        both,
        two,
        two);
    assertRefused(
        "rank 5 is more than the 4",
        options(AdapterCombination.Type.SVD, OptionalInt.of(5), Double.NaN),
        both,
        two,
        two);
    assertRefused(
        "rank 10 is more than the 9",
        options(AdapterCombination.Type.TIES_SVD, OptionalInt.of(10), 0.5),
        both,
        two,
        two);
    assertRefused(
        "no number", options(AdapterCombination.Type.CAT), new double[] {1, Double.NaN}, two, two);
    assertRefused("no adapter", options(AdapterCombination.Type.CAT), new double[0]);
    String key = PeftLayer.keyOfB(QUERY);
    PeftAdapter nan = with(two, Tensor.filled(key, ElementType.FLOAT, Double.NaN, OUT, 2));
    assertRefused(
        "adapter1: its 'base_model.model." + QUERY,
        options(AdapterCombination.Type.CAT),
        both,
        two,
        nan);
    PeftAdapter wide =
        with(two, Tensor.filled(PeftLayer.keyOfA(QUERY), ElementType.FLOAT, 1, 2, IN + 1));
    assertRefused("different base models", options(AdapterCombination.Type.CAT), both, two, wide);
    PeftAdapter dora =
        new PeftAdapter(
            two.config().with("use_dora", true),
            with(two, Tensor.filled(PeftLayer.keyOfMagnitude(QUERY), ElementType.FLOAT, 1, OUT))
                .tensors());
    assertRefused("DoRA", options(AdapterCombination.Type.CAT), both, dora, dora);
    PeftAdapter pissa =
        new PeftAdapter(two.config().with("init_lora_weights", "pissa"), two.tensors());
    assertRefused("pissa", options(AdapterCombination.Type.CAT), both, two, pissa);
    assertRefused(
        "too large", options(AdapterCombination.Type.CAT), new double[] {1e30, 1e300}, two, two);
  }

  private static void assertRefused(
      String words, Options options, double[] weights, PeftAdapter... adapters) {
    LoraGraphException e =
        assertThrows(LoraGraphException.class, () -> combine(options, weights, adapters));
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }

  @Test
  void whatTheNewAdapterSaysOfItsModules() {
    PeftAdapter first = adapter(2, 2, QUERY);
    PeftAdapter second =
        new PeftAdapter(
            first.config().with("target_modules", ".*value").with("task_type", "SEQ_CLS"),
            adapter(2, 2, VALUE).tensors());
    PeftConfig same =
        combine(options(AdapterCombination.Type.CAT), new double[] {1, 1}, first, first)
            .adapter()
            .config();
    assertEquals(List.of("query", "value"), same.get("target_modules"));
    assertEquals(4, same.rank());
    assertEquals(4, same.alpha());
    PeftAdapter sum =
        combine(options(AdapterCombination.Type.CAT), new double[] {1, 1}, first, second).adapter();
    assertEquals(List.of(QUERY, VALUE), sum.config().get("target_modules"));
    assertEquals("SEQ_CLS", sum.config().taskType());
    assertEquals(List.of(QUERY, VALUE), sum.layers().keySet().stream().toList());
  }

  @Test
  void halfPrecisionStaysHalfPrecision() {
    PeftAdapter half = adapter(2, 2, QUERY);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    half.tensors().forEach((k, t) -> tensors.put(k, t.toHalf(k, ElementType.FLOAT16)));
    PeftAdapter first = new PeftAdapter(half.config(), tensors);
    PeftAdapter sum =
        combine(options(AdapterCombination.Type.SVD), new double[] {1, 1}, first, first).adapter();
    assertEquals(ElementType.FLOAT16, sum.layers().get(QUERY).a().elementType());
    PeftAdapter mixed =
        combine(options(AdapterCombination.Type.SVD), new double[] {1, 1}, first, half).adapter();
    assertEquals(ElementType.FLOAT, mixed.layers().get(QUERY).a().elementType());
  }
}
