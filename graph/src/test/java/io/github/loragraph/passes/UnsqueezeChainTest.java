package io.github.loragraph.passes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.shape.ValueTypes;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class UnsqueezeChainTest {
  private final TestGraph g = new TestGraph(20);
  private final String x = g.dynamicInput("x", 2, 3);

  private Graph rewritten(int times) {
    Pass.Result result = g.apply(new Rewriter(new UnsqueezeChain()));
    assertEquals(Map.of("UnsqueezeChain", times), result.recognised());
    g.assertSame(result.model().model(), 0);
    return result.model().graph();
  }

  /** One node is left, with these axes. */
  private void joined(String y, long... axes) {
    g.output(y);
    Graph graph = rewritten(1);
    assertEquals(Map.of("Unsqueeze", 1), Runs.operators(graph));
    assertEquals(x, graph.producer(y).input(0));
    assertArrayEquals(axes, graph.constant(graph.producer(y).input(1)).toLongs());
  }

  @Test
  void aMaskAsExportersWriteIt() {
    joined(g.unsqueeze(g.unsqueeze(x, 1), 2), 1, 2);
  }

  @Test
  void theSecondAxisGoesBeforeTheFirst() {
    joined(g.unsqueeze(g.unsqueeze(x, 1), 0), 0, 2);
  }

  @Test
  void axesCountedFromTheEnd() {
    joined(g.unsqueeze(g.unsqueeze(x, -1), -2), 2, 3);
  }

  @Test
  void severalAxesAtOnceInAnyOrder() {
    joined(g.unsqueeze(g.unsqueeze(x, 3, 0), -1, 1), 0, 1, 4, 5);
  }

  @Test
  void threeInARowBecomeOne() {
    String y = g.unsqueeze(g.unsqueeze(g.unsqueeze(x, 0), 0), 4);
    g.output(y);
    Pass.Result result = g.apply(new Rewriter(new UnsqueezeChain()));
    assertEquals(Map.of("Unsqueeze", 1), Runs.operators(result.model().graph()));
    g.assertSame(result.model().model(), 0);
  }

  @Test
  void theInnerOneStaysWhereSomethingElseReadsIt() {
    String inner = g.unsqueeze(x, 1);
    g.output(g.neg(inner));
    g.output(g.unsqueeze(inner, 0));
    assertEquals(Map.of("Neg", 1, "Unsqueeze", 2), Runs.operators(rewritten(1)));
  }

  @Test
  void axesThatAreComputedAreLeft() {
    String axes = g.input(Tensor.ofLongs("axes", new long[] {0}, 1), Shape.of(1));
    g.output(g.op("Unsqueeze", g.unsqueeze(x, 1), axes));
    rewritten(0);
  }

  @Test
  void anotherOperatorBetweenThemIsLeft() {
    g.output(g.unsqueeze(g.neg(g.unsqueeze(x, 1)), 0));
    rewritten(0);
  }

  @Test
  void withoutARankOnlyAxesFromTheFrontAreJoined() {
    String front = g.unsqueeze(g.unsqueeze(x, 1), 0);
    String end = g.unsqueeze(g.unsqueeze(x, -1), 0);
    g.output(front);
    g.output(end);
    TypedModel blind = TypedModel.of(g.model(), new ValueTypes(Map.of()));
    Pass.Result result = new Rewriter(List.of(new UnsqueezeChain())).apply(blind, Set.of());
    assertEquals(Map.of("UnsqueezeChain", 1), result.recognised());
    g.assertSame(result.model().model(), 0);
  }
}
