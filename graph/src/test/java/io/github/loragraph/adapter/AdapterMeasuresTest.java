package io.github.loragraph.adapter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Spectra, differences and other ranks of adapters whose deltas are known. */
class AdapterMeasuresTest {
  private static final String MODULE = "layer.2.query";

  /** B = [[3, 0], [0, 1], [0, 0]], A = [[1, 0, 0, 0], [0, 1, 0, 0]]: singular values 3 and 1. */
  private static PeftAdapter known(double alpha) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    put(tensors, PeftLayer.keyOfA(MODULE), new float[] {1, 0, 0, 0, 0, 1, 0, 0}, 2, 4);
    put(tensors, PeftLayer.keyOfB(MODULE), new float[] {3, 0, 0, 1, 0, 0}, 3, 2);
    return new PeftAdapter(
        PeftConfig.defaults()
            .with("r", 2)
            .withAlpha(alpha)
            .with("target_modules", List.of("query")),
        tensors);
  }

  private static void put(Map<String, Tensor> tensors, String key, float[] values, long... dims) {
    tensors.put(key, Tensor.ofFloats(key, values, dims));
  }

  private static PeftAdapter with(PeftAdapter adapter, Tensor tensor) {
    Map<String, Tensor> tensors = new LinkedHashMap<>(adapter.tensors());
    tensors.put(tensor.name(), tensor);
    return new PeftAdapter(adapter.config(), tensors);
  }

  private static PeftAdapter fresh() {
    return with(known(4), Tensor.filled(PeftLayer.keyOfB(MODULE), ElementType.FLOAT, 0, 3, 2));
  }

  @Test
  void spectrum() {
    LayerSpectrum spectrum = LayerSpectrum.of(known(4)).get(0);
    assertEquals(6, spectrum.singularValues().get(0), 1e-12);
    assertEquals(2, spectrum.singularValues().get(1), 1e-12);
    assertEquals(Math.sqrt(40), spectrum.norm(), 1e-12);
    assertEquals(40.0 / 36, spectrum.stableRank(), 1e-12);
    assertEquals(1, spectrum.rankOf(0.9));
    assertEquals(2, spectrum.rankOf(0.99));
    assertEquals(2, spectrum.rankOf(1));
    assertEquals(14, spectrum.parameters());
    assertEquals(2, spectrum.scale());
  }

  @Test
  void spectrumOfWhatIsNotTrainedYet() {
    LayerSpectrum spectrum = LayerSpectrum.of(fresh()).get(0);
    assertEquals(List.of(0.0, 0.0), spectrum.singularValues());
    assertEquals(0, spectrum.norm());
    assertEquals(0, spectrum.stableRank());
    assertEquals(0, spectrum.rankOf(0.99));
  }

  @Test
  void modulesAreInTheOrderOfTheirNumbers() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (String module : List.of("layer.10.q", "layer.2.v", "layer.2.q", "layer.x.q")) {
      put(tensors, PeftLayer.keyOfA(module), new float[2], 1, 2);
      put(tensors, PeftLayer.keyOfB(module), new float[2], 2, 1);
    }
    PeftAdapter adapter = new PeftAdapter(PeftConfig.defaults().with("r", 1), tensors);
    assertEquals(
        List.of("layer.2.q", "layer.2.v", "layer.10.q", "layer.x.q"),
        LayerSpectrum.of(adapter).stream().map(LayerSpectrum::module).toList());
  }

  @Test
  void difference() {
    AdapterDifference.Part same =
        AdapterDifference.of(known(4), "a", known(4), "b").modules().get(0);
    assertEquals(0, same.norm());
    assertEquals(1, same.cosine(), 1e-15);
    AdapterDifference.Part half =
        AdapterDifference.of(known(4), "a", known(2), "b").modules().get(0);
    assertEquals(Math.sqrt(10), half.norm(), 1e-12);
    assertEquals(3, half.largest(), 1e-12);
    assertEquals(1, half.cosine(), 1e-12);
    PeftAdapter head =
        with(known(4), Tensor.ofFloats("base_model.model.score.weight", new float[] {3, 4}, 1, 2));
    AdapterDifference other = AdapterDifference.of(head, "a", fresh(), "b");
    assertTrue(Double.isNaN(other.modules().get(0).cosine()));
    assertEquals(Math.sqrt(40), other.modules().get(0).norm(), 1e-12);
    assertEquals("score.weight", other.others().get(0).name());
    assertEquals(5, other.others().get(0).norm(), 1e-12);
    assertEquals(AdapterDifference.Presence.FIRST, other.others().get(0).in());
  }

  @Test
  void differencesOfWhatCannotBeCompared() {
    PeftAdapter wide =
        with(known(4), Tensor.filled(PeftLayer.keyOfA(MODULE), ElementType.FLOAT, 1, 2, 5));
    assertRefused(
        "4 x 3 in a and 5 x 3 in b", () -> AdapterDifference.of(known(4), "a", wide, "b"));
    PeftAdapter nan =
        with(
            known(4), Tensor.filled(PeftLayer.keyOfA(MODULE), ElementType.FLOAT, Double.NaN, 2, 4));
    assertRefused("NaN", () -> AdapterDifference.of(known(4), "a", nan, "b"));
    assertRefused("NaN", () -> LayerSpectrum.of(nan));
    assertRefused("NaN", () -> ResizedAdapter.toRank(nan, 1));
    assertRefused("NaN", () -> ResizedAdapter.toEnergy(nan, 0.9));
  }

  private static void assertRefused(String words, Runnable work) {
    LoraGraphException e = assertThrows(LoraGraphException.class, work::run);
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void lowerRankKeepsTheLargest(boolean rslora) {
    PeftAdapter adapter =
        new PeftAdapter(known(4).config().with("use_rslora", rslora), known(4).tensors());
    double scale = rslora ? 4 / Math.sqrt(2) : 2;
    ResizedAdapter resized = ResizedAdapter.toRank(adapter, 1);
    PeftLayer layer = resized.adapter().layers().get(MODULE);
    assertEquals(1, layer.rank());
    assertEquals(scale, layer.scale(), 1e-12);
    assertEquals(0.9, resized.kept(), 1e-12);
    assertEquals(0.9, resized.layers().get(0).kept(), 1e-12);
    double[] expected = new double[12];
    expected[0] = 3 * scale;
    assertArrayEquals(expected, LayerDelta.of(layer).dense().toArray(), 1e-6);
    assertEquals(1, ResizedAdapter.toEnergy(adapter, 0.9).adapter().layers().get(MODULE).rank());
    assertEquals(2, ResizedAdapter.toEnergy(adapter, 0.91).adapter().layers().get(MODULE).rank());
  }

  @Test
  void theSameRankIsTheSameAdapterAndAHigherOneHasZeros() {
    PeftAdapter adapter = known(4);
    for (ResizedAdapter same :
        List.of(ResizedAdapter.toRank(adapter, 2), ResizedAdapter.toEnergy(adapter, 1))) {
      assertEquals(1, same.kept());
      adapter
          .tensors()
          .forEach((key, tensor) -> assertSame(tensor, same.adapter().tensors().get(key)));
      assertEquals(4, same.adapter().config().alpha());
    }
    ResizedAdapter higher = ResizedAdapter.toRank(adapter, 3);
    PeftLayer layer = higher.adapter().layers().get(MODULE);
    assertEquals(3, layer.rank());
    assertEquals(2, layer.scale());
    assertArrayEquals(
        LayerDelta.of(adapter.layers().get(MODULE)).dense().toArray(),
        LayerDelta.of(layer).dense().toArray(),
        0);
  }

  @Test
  void ranksOfTheirOwnStandInPatterns() {
    PeftAdapter adapter = known(4);
    for (String module : List.of("x." + MODULE, "other.query", "third.query")) {
      adapter =
          with(
              with(
                  adapter,
                  Tensor.ofFloats(
                      PeftLayer.keyOfA(module), new float[] {1, 0, 0, 0, 0, 1, 0, 0}, 2, 4)),
              Tensor.ofFloats(
                  PeftLayer.keyOfB(module),
                  module.startsWith("x")
                      ? new float[] {3, 0, 0, 3, 0, 0}
                      : new float[] {3, 0, 0, 0, 0, 0},
                  3,
                  2));
    }
    ResizedAdapter resized = ResizedAdapter.toEnergy(adapter, 0.9);
    Map<String, PeftLayer> layers = resized.adapter().layers();
    assertEquals(2, layers.get("x." + MODULE).rank());
    assertEquals(1, layers.get(MODULE).rank());
    assertEquals(1, layers.get("other.query").rank());
    assertEquals(1, resized.adapter().config().rank());
    layers.values().forEach(layer -> assertEquals(2, layer.scale(), 1e-12));
  }

  @Test
  void magnitudeAndHeadAreKept() {
    PeftAdapter adapter =
        with(
            with(
                new PeftAdapter(known(4).config().with("use_dora", true), known(4).tensors()),
                Tensor.filled(PeftLayer.keyOfMagnitude(MODULE), ElementType.FLOAT, 2, 3)),
            Tensor.filled("base_model.model.score.weight", ElementType.FLOAT, 2, 3));
    PeftAdapter resized = ResizedAdapter.toRank(adapter, 1).adapter();
    assertSame(
        adapter.tensors().get(PeftLayer.keyOfMagnitude(MODULE)),
        resized.layers().get(MODULE).magnitude());
    assertTrue(resized.tensors().containsKey("base_model.model.score.weight"));
    assertEquals(17, LayerSpectrum.of(adapter).get(0).parameters());
  }

  @Test
  void sizesThatCannotBe() {
    assertRefused("at least 1", () -> ResizedAdapter.toRank(known(4), 0));
    assertRefused("which is 4 x 3", () -> ResizedAdapter.toRank(known(4), 4));
    for (double share : new double[] {0, -1, 1.1, Double.NaN}) {
      assertRefused("share of the energy", () -> ResizedAdapter.toEnergy(known(4), share));
    }
    assertEquals(1, ResizedAdapter.toEnergy(fresh(), 0.99).adapter().config().rank());
    assertEquals(1, ResizedAdapter.toEnergy(fresh(), 0.99).kept());
  }
}
