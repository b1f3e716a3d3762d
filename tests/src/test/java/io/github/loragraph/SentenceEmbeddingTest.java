package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.check.Oracle;
import io.github.loragraph.check.OrtRun;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.training.EvaluationGraph;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Pooling;
import io.github.loragraph.training.SentenceEmbedding;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Embeddings out of encoders: which output, pooled how, normalized or not. */
class SentenceEmbeddingTest {
  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 2);
  private static final ShapeInference INFERENCE =
      new SessionShapeInference(OrtRuntime.ofThisProcess());
  private static final int HIDDEN = 32;
  private static final int ROWS = 4;
  private static final int TOKENS = 5;

  /** The third row is padded on the left, the last one has no tokens. */
  private static final long[] MASK = {
    1, 1, 1, 1, 1,
    1, 1, 0, 0, 0,
    0, 0, 1, 1, 1,
    0, 0, 0, 0, 0
  };

  private static List<HostTensor> batch() {
    long[] ids = new long[ROWS * TOKENS];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = 5 + (i * 37L) % 150;
    }
    return List.of(
        Gradients.longs("input_ids", ids, ROWS, TOKENS),
        Gradients.longs("attention_mask", MASK, ROWS, TOKENS));
  }

  /** What the head of a classifier is on, under the name that Hugging Face has for it. */
  private static OnnxModel encoder(String fixture) {
    OnnxModel classifier = Oracle.of(fixture).model();
    Graph graph = classifier.graph().copy();
    String tokens = tokens(graph);
    Node last = graph.requireProducer(tokens);
    String named = "last_hidden_state";
    graph.redirectConsumers(tokens, named);
    graph.replace(last, last.withOutput(0, named));
    graph.clearOutputs();
    graph.addOutput(ValueInfo.of(named, TensorType.of(ElementType.FLOAT, -1, -1, HIDDEN)));
    graph.removeDeadNodes();
    return classifier.withGraph(graph);
  }

  /** The head reads the first of them. */
  private static String tokens(Graph graph) {
    return graph.nodes().stream()
        .filter(n -> n.is("Gather") && n.attribute("axis", 0L) == 1)
        .reduce((first, second) -> second)
        .orElseThrow()
        .input(0);
  }

  static Stream<Arguments> ways() {
    return Stream.of("tiny-roberta", "tiny-roberta-opset17")
        .flatMap(
            fixture ->
                Stream.of(Pooling.values())
                    .flatMap(
                        pooling ->
                            Stream.of(true, false)
                                .map(normalize -> Arguments.of(fixture, pooling, normalize))));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void poolsAsSentenceTransformersDoes(String fixture, Pooling pooling, boolean normalize) {
    OnnxModel encoder = encoder(fixture);
    int before = encoder.graph().nodes().size();
    SentenceEmbedding made = SentenceEmbedding.of(encoder, pooling, normalize, INFERENCE);
    assertEquals(before, encoder.graph().nodes().size());
    assertEquals(Optional.of(pooling), made.pooling());
    assertEquals(normalize, made.normalized());
    assertFalse(made.normalizedInFile());
    assertEquals(HIDDEN, made.dimension());
    assertEquals("last_hidden_state", made.output());
    assertEquals(List.of(), made.notes());
    float[] states = run(encoder, "last_hidden_state");
    for (OnnxModel model :
        List.of(made.model(), EvaluationGraph.of(made.model(), Set.of()).model())) {
      float[] actual = run(model, "sentence_embedding");
      assertArrayEquals(expected(states, pooling, normalize), actual, 2e-6f);
    }
  }

  /** In double precision, from the definitions. */
  private static float[] expected(float[] states, Pooling pooling, boolean normalize) {
    float[] out = new float[ROWS * HIDDEN];
    for (int row = 0; row < ROWS; row++) {
      double[] vector = new double[HIDDEN];
      for (int d = 0; d < HIDDEN; d++) {
        double sum = 0;
        double count = 0;
        double largest = -1e9;
        double last = 0;
        for (int t = 0; t < TOKENS; t++) {
          if (MASK[row * TOKENS + t] == 1) {
            double x = states[(row * TOKENS + t) * HIDDEN + d];
            sum += x;
            count++;
            largest = Math.max(largest, x);
            last = x;
          }
        }
        vector[d] =
            switch (pooling) {
              case MEAN -> sum / Math.max(count, 1e-9);
              case CLS -> states[row * TOKENS * HIDDEN + d];
              case LASTTOKEN -> last;
              case MAX -> largest;
            };
      }
      double length = 0;
      for (double x : vector) {
        length += x * x;
      }
      length = Math.max(Math.sqrt(length), 1e-12);
      for (int d = 0; d < HIDDEN; d++) {
        out[row * HIDDEN + d] = (float) (normalize ? vector[d] / length : vector[d]);
      }
    }
    return out;
  }

  private static float[] run(OnnxModel model, String output) {
    return OrtRun.run(model, batch(), SESSIONS).get(output);
  }

  @Test
  void whatTheFilePoolsAndNormalizesIsLeftAsItIs() {
    OnnxModel model = Oracle.of("sbert-cosine").model();
    SentenceEmbedding made = SentenceEmbedding.of(model, null, true, INFERENCE);
    assertEquals(Optional.empty(), made.pooling());
    assertTrue(made.normalized());
    assertTrue(made.normalizedInFile());
    assertEquals(16, made.dimension());
    assertEquals(model.graph().nodes().size(), made.model().graph().nodes().size());
    assertEquals(
        List.of("'sentence_embedding' is normalized by the model itself, so all embeddings are"),
        SentenceEmbedding.of(model, Pooling.MEAN, false, INFERENCE).notes());
    assertMessage(
        "'sentence_embedding' is pooled by the model itself: by mean, not by cls; and it has no output of tokens to pool otherwise: name another output, or export the model again",
        () -> SentenceEmbedding.of(model, Pooling.CLS, true, INFERENCE));
    SentenceEmbedding again = SentenceEmbedding.of(made.model(), null, null, INFERENCE);
    assertEquals(made.output(), again.output());
  }

  /** What exporters make of torch.nn.functional.normalize, in several versions of both. */
  @Test
  void aNormalizationIsFoundInItsForms() {
    for (String form : List.of("lp", "l2", "root", "pow", "sumsquare", "reciprocal", "max")) {
      OnnxModel model = encoder("tiny-roberta");
      Graph graph = model.graph();
      SentenceEmbedding pooled = SentenceEmbedding.of(model, Pooling.MEAN, false, INFERENCE);
      Graph normal = pooled.model().graph().copy();
      addNormalization(normal, "sentence_embedding", form);
      SentenceEmbedding found =
          SentenceEmbedding.of(
              model.withGraph(normal).withMetadata("lora_graph_logits", null),
              null,
              true,
              INFERENCE);
      assertTrue(found.normalizedInFile(), form);
      assertEquals("unit", found.output(), form);
      float[] states = run(model, "last_hidden_state");
      float[] expected = expected(states, Pooling.MEAN, true);
      float[] actual = run(found.model(), "unit");
      for (int i = 0; i < (ROWS - 1) * HIDDEN; i++) {
        assertEquals(expected[i], actual[i], 2e-6f, form);
      }
      assertEquals(1, graph.outputs().size());
    }
  }

  private static void addNormalization(Graph graph, String x, String form) {
    graph.putInitializer(Tensor.scalar("eps", ElementType.FLOAT, 1e-12));
    graph.putInitializer(Tensor.scalar("two", ElementType.FLOAT, 2));
    graph.putInitializer(Tensor.ofLongs("last", new long[] {-1}, 1));
    switch (form) {
      case "lp" -> add(graph, Node.of("lp", "LpNormalization", List.of(x), List.of("unit")));
      case "l2" -> {
        add(graph, axes(Node.of("l2", "ReduceL2", List.of(x), List.of("length"))));
        add(graph, Node.of("clip", "Clip", List.of("length", "eps"), List.of("bounded")));
        add(graph, Node.of("shape", "Shape", List.of(x), List.of("shape")));
        add(graph, Node.of("expand", "Expand", List.of("bounded", "shape"), List.of("wide")));
        add(graph, Node.of("div", "Div", List.of(x, "wide"), List.of("unit")));
      }
      default -> {
        if (form.equals("sumsquare")) {
          add(graph, axes(Node.of("ss", "ReduceSumSquare", List.of(x), List.of("sum"))));
        } else {
          add(
              graph,
              form.equals("pow")
                  ? Node.of("square", "Pow", List.of(x, "two"), List.of("square"))
                  : Node.of("square", "Mul", List.of(x, x), List.of("square")));
          add(graph, Node.of("s", "ReduceSum", List.of("square", "last"), List.of("sum")));
        }
        add(graph, Node.of("sqrt", "Sqrt", List.of("sum"), List.of("length")));
        add(graph, Node.of("max", "Max", List.of("length", "eps"), List.of("bounded")));
        if (form.equals("reciprocal")) {
          add(graph, Node.of("r", "Reciprocal", List.of("bounded"), List.of("inverse")));
          add(graph, Node.of("mul", "Mul", List.of("inverse", x), List.of("unit")));
        } else {
          add(graph, Node.of("div", "Div", List.of(x, "bounded"), List.of("unit")));
        }
      }
    }
    graph.clearOutputs();
    graph.addOutput(ValueInfo.of("unit", TensorType.of(ElementType.FLOAT, -1, HIDDEN)));
  }

  private static Node axes(Node node) {
    return node.with("axes", new long[] {1});
  }

  private static void add(Graph graph, Node node) {
    graph.add(node);
  }

  @Test
  void tokensAreNotPooledByAGuess() {
    assertMessage(
        "'last_hidden_state' [?,?,32] has a vector for each token, and nothing says how they become one for a text: name the pooling, as the model's authors say it",
        () -> SentenceEmbedding.of(encoder("tiny-roberta"), null, true, INFERENCE));
  }

  /** BERT's pooler is none, and the head's logits are none either. */
  @Test
  void thePoolerIsTakenOnlyWhereThereIsNothingElse() {
    OnnxModel bert = Oracle.of("tiny-bert").model();
    assertTrue(
        assertThrows(
                LoraGraphException.class,
                () -> SentenceEmbedding.of(bert, Pooling.MEAN, true, INFERENCE))
            .getMessage()
            .contains("answers with what a head makes"));
    Graph graph = bert.graph().copy();
    String tanh =
        graph.nodes().stream().filter(n -> n.is("Tanh")).findFirst().orElseThrow().output(0);
    String tokens = tokens(graph);
    graph.addOutput(ValueInfo.of(tanh, TensorType.of(ElementType.FLOAT, -1, HIDDEN)));
    graph.addOutput(ValueInfo.of(tokens, TensorType.of(ElementType.FLOAT, -1, -1, HIDDEN)));
    OnnxModel both = bert.withGraph(graph);
    SentenceEmbedding made = SentenceEmbedding.of(both, Pooling.MEAN, true, INFERENCE);
    assertEquals(tokens, made.output());
    assertEquals(1, made.notes().size(), made.notes()::toString);
    assertTrue(made.notes().get(0).startsWith("of the model's 3 outputs"), made.notes()::toString);

    Graph alone = graph.copy();
    alone.clearOutputs();
    alone.addOutput(ValueInfo.of(tanh, TensorType.of(ElementType.FLOAT, -1, HIDDEN)));
    SentenceEmbedding pooler = SentenceEmbedding.of(bert.withGraph(alone), null, null, INFERENCE);
    assertEquals(tanh, pooler.output());
    assertTrue(pooler.notes().get(0).contains("rarely trained"), pooler.notes()::toString);
    assertEquals(
        tanh, SentenceEmbedding.of(Logits.choose(both, tanh), null, null, INFERENCE).output());
  }

  private static void assertMessage(String expected, Runnable work) {
    String message = assertThrows(LoraGraphException.class, work::run).getMessage();
    assertTrue(message.endsWith(".onnx: " + expected), message);
  }
}
