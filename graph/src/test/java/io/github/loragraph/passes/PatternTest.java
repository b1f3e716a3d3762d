package io.github.loragraph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.ValueInfo;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The machinery, shown on a small pattern: x * x + 3 becomes {@code Sum(x, x)}. */
class PatternTest {
  /** What it puts down is wrong on purpose, so that it cannot be overlooked. */
  private static final class Square extends Pattern {
    Square() {
      super(op("Add", op("Mul", any("x"), any("x")), number(3)));
    }

    @Override
    boolean accepts(Match match, MatchContext subject) {
      return true;
    }

    @Override
    void replace(Match match, RewriteBuilder rewriting) {
      rewriting.replace(match.root(), "Sum", n -> n, match.value("x"), match.value("x"));
    }
  }

  private static Pass.Result rewrite(TestGraph g, RewriteRule... rules) {
    Pass.Result result = g.apply(new Rewriter(rules));
    Runs.assertOrdered(result.model().graph());
    return result;
  }

  private static int squares(TestGraph g) {
    return rewrite(g, new Square()).recognised().get("Square");
  }

  @Test
  void operandsStandInEitherOrder() {
    TestGraph g = new TestGraph(20);
    String x = g.input("x", 2, 3);
    g.output(g.add(g.mul(x, x), g.number(3)));
    g.output(g.add(g.number(3), g.mul(x, x)));
    Pass.Result result = rewrite(g, new Square());
    assertEquals(Map.of("Square", 2), result.recognised());
    assertEquals(Map.of("Sum", 2), Runs.operators(result.model().graph()));
  }

  @Test
  void aVariableIsOneValue() {
    TestGraph g = new TestGraph(20);
    g.output(g.add(g.mul(g.input("x", 2, 3), g.input("y", 2, 3)), g.number(3)));
    assertEquals(0, squares(g));
  }

  @Test
  void numbersAreComparedWithinTheirPrecision() {
    TestGraph g = new TestGraph(20);
    String x = g.input("x", 2, 3);
    g.output(g.add(g.mul(x, x), g.number(3 + 1e-6)));
    assertEquals(1, squares(g));
    g = new TestGraph(20);
    x = g.input("x", 2, 3);
    g.output(g.add(g.mul(x, x), g.number(3 + 1e-4)));
    assertEquals(0, squares(g));
  }

  @Test
  void aTrainableNumberIsNoConstant() {
    TestGraph g = new TestGraph(20);
    String x = g.input("x", 2, 3);
    String three = g.number(3);
    g.output(g.add(g.mul(x, x), g.op("Identity", three)));
    Node root = g.graph().nodes().get(2);
    assertNull(new Square().match(root, g.context(three)));
  }

  @Test
  void innerValuesThatAreReadElsewhereStay() {
    TestGraph g = new TestGraph(20);
    String x = g.input("x", 2, 3);
    String square = g.mul(x, x);
    g.output(g.add(square, g.number(3)));
    g.output(g.neg(square));
    Graph result = rewrite(g, new Square()).model().graph();
    assertEquals(Map.of("Sum", 1, "Mul", 1, "Neg", 1), Runs.operators(result));
  }

  @Test
  void innerValuesThatAreGraphOutputsStay() {
    TestGraph g = new TestGraph(20);
    String x = g.input("x", 2, 3);
    String square = g.mul(x, x);
    g.output(square);
    g.output(g.add(square, g.number(3)));
    Graph result = rewrite(g, new Square()).model().graph();
    assertEquals("Mul", result.producer(square).opType());
    assertEquals(2, result.nodes().size());
  }

  @Test
  void theOutputKeepsItsName() {
    TestGraph g = new TestGraph(20);
    String x = g.input("x", 2, 3);
    String y = g.add(g.mul(x, x), g.number(3));
    g.output(y);
    Graph result = rewrite(g, new Square()).model().graph();
    assertEquals("Sum", result.producer(y).opType());
    assertTrue(result.isOutput(y));
  }

  @Test
  void theGraphGivenIsNotChanged() {
    TestGraph g = new TestGraph(20);
    String x = g.input("x", 2, 3);
    g.output(g.add(g.mul(x, x), g.number(3)));
    List<Node> before = List.copyOf(g.graph().nodes());
    rewrite(g, new Square());
    assertEquals(before, g.graph().nodes());
  }

  @Test
  void rulesRunUntilNoneApplies() {
    TestGraph g = new TestGraph(20);
    String x = g.input("x", 2, 3);
    // 3 is hidden behind arithmetic, which is behind an Identity.
    String three = g.op("Identity", g.add(g.number(1), g.number(2)));
    g.output(g.add(g.mul(x, x), three));
    Pass.Result result = rewrite(g, new Square(), new IdentityRemoval(), new ScalarFolding());
    assertEquals(
        Map.of("Square", 1, "IdentityRemoval", 1, "ScalarFolding", 1), result.recognised());
  }

  @Test
  void anInitializerThatGoesTakesItsInputWithIt() {
    TestGraph g = new TestGraph(20);
    String x = g.input("x", 2, 3);
    Tensor unused = Tensor.scalar("unused", ElementType.FLOAT, 1);
    g.initializer(unused);
    g.graph().addInput(ValueInfo.of("unused", unused.type()));
    g.output(g.add(g.mul(x, x), g.number(3)));
    Graph result = rewrite(g, new Square()).model().graph();
    assertEquals(List.of("x"), result.inputs().stream().map(ValueInfo::name).toList());
    assertNull(result.initializer("unused"));
  }
}
