package io.github.loragraph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is computed in blocks is the same to the last bit. */
class AttentionBlocksTest {
  private static final long WIDTH = 4;
  private static final UnaryOperator<String> NO_MASK = scores -> scores;

  private final TestGraph g = new TestGraph(20);
  private final Random random = new Random(5);

  private String input(String name, List<Dimension> shape, long... dims) {
    return g.input(Runs.normal(name, random, dims), new Shape(shape));
  }

  private static Dimension named(String symbol) {
    return Dimension.named(symbol);
  }

  /** Heads of queries, keys or values, as their gradients are. */
  private String heads(String name, long batch, long heads, long length) {
    return input(
        name,
        List.of(named("batch"), Dimension.of(heads), named("length"), Dimension.of(WIDTH)),
        batch,
        heads,
        length,
        WIDTH);
  }

  /** An attention and its gradients as the CPU's form has them. */
  private void attention(long batch, long heads, long length, UnaryOperator<String> masked) {
    String q = heads("q", batch, heads, length);
    String k = heads("k", batch, heads, length);
    String v = heads("v", batch, heads, length);
    String keys = g.transpose(k, 0, 1, 3, 2);
    String scores = masked.apply(g.div(g.matMul(q, keys), g.number(2)));
    String weights = g.op("Softmax", n -> n.with("axis", -1), scores);
    String z = g.matMul(weights, v);
    g.output(z);
    String dz = g.mul(g.add(z, q), v);
    String sum = g.reduceSum(g.mul(dz, z), true, -1);
    String dWeights = g.matMul(dz, g.transpose(v, 0, 1, 3, 2));
    String dScores = g.div(g.mul(weights, g.sub(dWeights, sum)), g.number(2));
    g.output(g.matMul(dScores, k));
    g.output(g.matMul(g.transpose(q, 0, 1, 3, 2), dScores));
    g.output(
        g.matMul(g.op("Transpose", n -> n.with("perm", new long[] {0, 1, 3, 2}), weights), dz));
  }

  private Graph inBlocks() {
    TypedModel typed = g.typed();
    Graph graph = g.graph().copy();
    AttentionBlocks.in(graph, typed.types(), Set.of());
    g.assertSame(g.model().withGraph(graph), 0);
    return graph;
  }

  /** Forward and backward pass are one group each, and nothing of the scores' size is around. */
  private void isInBlocks() {
    Graph graph = inBlocks();
    Map<String, Integer> operators = Runs.operators(graph);
    assertEquals(2, operators.get("If"));
    assertFalse(operators.containsKey("Softmax"), operators.toString());
    assertFalse(operators.containsKey("MatMul"), operators.toString());
    for (Node node : graph.nodes()) {
      if (node.is("If")) {
        assertTrue(node.innerOperators().containsAll(Set.of("Scan", "MatMul")), node.toString());
      }
    }
  }

  /**
   * Scores of more and of fewer bytes than are worth it, and numbers of heads that do not halve.
   */
  @ParameterizedTest
  @CsvSource({"1,5,470", "2,3,430", "3,1,600", "1,1,1030", "2,3,7", "1,1,1"})
  void isTheSameToTheLastBit(long batch, long heads, long length) {
    attention(batch, heads, length, NO_MASK);
    isInBlocks();
  }

  private String mask(long... dims) {
    Random random = new Random(9);
    float[] numbers = new float[(int) (dims[0] * dims[1] * dims[2] * dims[3])];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = random.nextInt(3) == 0 ? -3.4028235e38f : 0;
    }
    List<Dimension> shape =
        List.of(
            dims[0] == 1 ? Dimension.of(1) : named("batch"),
            Dimension.of(dims[1]),
            dims[2] == 1 ? Dimension.of(1) : named("length"),
            named("length"));
    return g.input(Tensor.ofFloats("mask", numbers, dims), new Shape(shape));
  }

  /** For each text, for all, for each head, and for each pair of a query and a key of a text. */
  @ParameterizedTest
  @CsvSource({"2,1,1", "1,1,430", "1,3,430", "2,1,430", "2,3,1"})
  void withAMask(long batch, long heads, long rows) {
    String mask = mask(batch, heads, rows, 430);
    attention(2, 3, 430, scores -> g.add(scores, mask));
    isInBlocks();
  }

  @Test
  void withAMaskOfFewerAxes() {
    String mask = input("mask", List.of(named("length"), named("length")), 430, 430);
    attention(2, 3, 430, scores -> g.add(mask, scores));
    isInBlocks();
  }

  @Test
  void withTruthValues() {
    ByteBuffer bits = ByteBuffer.allocate(2 * 430);
    for (int i = 0; i < bits.capacity(); i++) {
      bits.put(i, (byte) (i % 5 == 0 ? 1 : 0));
    }
    String mask =
        g.input(
            Tensor.of("mask", ElementType.BOOL, bits, 2, 1, 1, 430),
            new Shape(List.of(named("batch"), Dimension.of(1), Dimension.of(1), named("length"))));
    attention(2, 3, 430, scores -> g.where(mask, g.number(-1e9), scores));
    isInBlocks();
  }

  /** What changes the scores, or is read of them, elsewhere. */
  @Test
  void whatIsReadElsewhereStaysAValue() {
    String[] inner = new String[1];
    attention(1, 5, 470, scores -> inner[0] = g.op("Tanh", scores));
    g.output(g.op("Identity", inner[0]));
    g.output(inner[0]);
    assertEquals(2, Runs.operators(inBlocks()).get("If"));
  }

  @Test
  void matricesOfOneAxisBefore() {
    String q = input("q", List.of(named("b"), named("l"), Dimension.of(WIDTH)), 5, 470, WIDTH);
    String scores = g.matMul(q, g.transpose(q, 0, 2, 1));
    String weights = g.op("Softmax", scores);
    String z = g.matMul(weights, q);
    g.output(z);
    String dWeights = g.matMul(g.mul(z, z), g.transpose(q, 0, 2, 1));
    g.output(g.matMul(g.mul(weights, g.sub(dWeights, g.reduceSum(z, true, -1))), q));
    assertEquals(2, Runs.operators(inBlocks()).get("If"));
  }

  /** The second group makes one value alone of the scores, and so stays as it is. */
  @Test
  void theOneGroupAlone() {
    String q = heads("q", 1, 5, 470);
    String weights = g.op("Softmax", g.matMul(q, g.transpose(q, 0, 1, 3, 2)));
    String z = g.matMul(weights, q);
    g.output(z);
    g.output(g.reduceSum(g.mul(weights, g.reduceSum(z, true, -1)), true, -1));
    assertEquals(1, Runs.operators(inBlocks()).get("If"));
  }

  @Test
  void smallForEver() {
    String q = g.input("q", 2, 3, 8, WIDTH);
    g.output(g.matMul(g.op("Softmax", g.matMul(q, g.transpose(q, 0, 1, 3, 2))), q));
    assertFalse(Runs.operators(inBlocks()).containsKey("If"));
  }

  @Test
  void noMatricesAtAll() {
    String x = g.dynamicInput("x", 3, 5);
    g.output(g.op("Softmax", x));
    assertFalse(Runs.operators(inBlocks()).containsKey("If"));
  }

  @Test
  void overAnotherAxis() {
    String q = heads("q", 1, 5, 470);
    String scores = g.matMul(q, g.transpose(q, 0, 1, 3, 2));
    g.output(g.matMul(g.op("Softmax", n -> n.with("axis", 1), scores), q));
    assertFalse(Runs.operators(inBlocks()).containsKey("If"));
  }

  /** Keys of another text: as many as there are, not as many as queries. */
  @Test
  void acrossTexts() {
    String q = heads("q", 1, 5, 470);
    String k =
        input(
            "k",
            List.of(named("batch"), Dimension.of(5), named("other"), Dimension.of(WIDTH)),
            1,
            5,
            480,
            WIDTH);
    g.output(g.matMul(g.op("Softmax", g.matMul(q, g.transpose(k, 0, 1, 3, 2))), k));
    assertEquals(1, Runs.operators(inBlocks()).get("If"));
  }
}
