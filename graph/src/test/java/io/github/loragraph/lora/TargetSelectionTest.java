package io.github.loragraph.lora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Layers, ranks and alphas are chosen as PEFT chooses them. */
class TargetSelectionTest {
  private static final String QUERY = "bert.encoder.layer.1.attention.self.query";
  private static final String DENSE = "bert.encoder.layer.11.output.dense";
  private static final List<String> PATHS = List.of(QUERY, DENSE);

  @Test
  void namesAreWholePathsOrTheirEndsBehindADot() {
    TargetModules names = TargetModules.names(List.of("query", "output.dense"));
    assertTrue(names.matches(QUERY));
    assertTrue(names.matches(DENSE));
    assertTrue(names.matches("query"));
    assertFalse(names.matches("bert.myquery"));
    assertFalse(names.matches("query.dense"));
    assertFalse(TargetModules.names(List.of("a.b")).matches("x.aXb"));
    for (String path : List.of(QUERY, DENSE, "query", "bert.myquery", "query.dense")) {
      assertEquals(names.matches(path), names.expression().matcher(path).find(), path);
    }
  }

  @Test
  void aTextIsAnExpressionForTheWholePath() {
    TargetModules whole = TargetModules.fullMatch(".*\\.(?P<kind>query|value)");
    assertTrue(whole.matches(QUERY));
    assertFalse(whole.matches(QUERY + ".x"));
    assertFalse(TargetModules.fullMatch("query").matches(QUERY));
    assertTrue(whole.expression().matcher(QUERY).find());
    assertThrows(LoraGraphException.class, () -> TargetModules.fullMatch("("));
  }

  @Test
  void peftsReadingIsTakenWhereItMeansAnything() {
    assertEquals(
        TargetModules.names(List.of("query", "value")), TargetModules.strict("query, value"));
    assertEquals(TargetModules.allLinear(), TargetModules.text("All-Linear"));
    assertEquals(TargetModules.names(List.of("query")), TargetModules.text("query").among(PATHS));
    assertInstanceOf(
        TargetModules.FullMatch.class, TargetModules.text(".*self.query").among(PATHS));
    TargetModules anywhere = TargetModules.text("query|value").among(PATHS);
    assertInstanceOf(TargetModules.Found.class, anywhere);
    assertTrue(anywhere.matches(QUERY));
    assertTrue(TargetModules.text("quer").among(PATHS).matches(QUERY));
  }

  @Test
  void theFirstNumberOfAPathIsItsLayer() {
    LayerIndexes layers = LayerIndexes.of(List.of(1, 2));
    assertEquals(OptionalInt.of(1), layers.indexIn(QUERY));
    assertEquals(OptionalInt.of(11), layers.indexIn(DENSE));
    assertEquals(OptionalInt.of(3), layers.indexIn("model.layers.3.experts.0.up_proj"));
    assertEquals(OptionalInt.of(0), layers.indexIn("h.0.attn.c_attn"));
    assertEquals(OptionalInt.empty(), layers.indexIn("pooler.dense"));
    assertTrue(layers.matches(QUERY));
    assertFalse(layers.matches(DENSE));
    LayerIndexes experts =
        new LayerIndexes(new TreeSet<>(List.of(0)), List.of("blocks", "experts"));
    assertTrue(experts.matches("model.layers.3.experts.0.up_proj"));
    assertFalse(experts.matches(QUERY));
    assertThrows(LoraGraphException.class, () -> LayerIndexes.of(List.of(-1)));
  }

  @Test
  void patternsDecideByTheFirstKeyThatFits() {
    LoraRanks ranks = new LoraRanks(8, 16, Map.of("layer\\.1\\..*", 4), Map.of("dense", 32.0));
    assertEquals(4, ranks.rankOf(QUERY));
    assertEquals(8, ranks.rankOf(DENSE));
    assertEquals(16, ranks.alphaOf(QUERY));
    assertEquals(32, ranks.alphaOf(DENSE));
    assertEquals(List.of(), ranks.unused(PATHS));
    assertEquals(List.of("dense"), ranks.unused(List.of(QUERY)));
    assertThrows(LoraGraphException.class, () -> new LoraRanks(8, 8, Map.of("a", 0), Map.of()));
    assertThrows(
        LoraGraphException.class, () -> new LoraRanks(8, 8, Map.of(), Map.of("a", Double.NaN)));
    assertThrows(LoraGraphException.class, () -> new LoraRanks(8, 8, Map.of("(", 4), Map.of()));
  }
}
