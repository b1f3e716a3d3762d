package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.check.Oracle;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.evaluation.Evaluator;
import io.github.loragraph.evaluation.ModelSession;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ClassificationHead;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.training.EncoderHead;
import io.github.loragraph.training.EvaluationGraph;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Classifiers taken apart at their heads: the two parts one after the other are the whole. */
class EncoderHeadTest {
  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 1);
  private static final ShapeInference SHAPES =
      new SessionShapeInference(OrtRuntime.ofThisProcess());

  static Stream<String> fixtures() {
    return Oracle.FIXTURES.stream();
  }

  private static Set<String> head(OnnxModel model) {
    return TrainableSelection.of(Method.HEAD).values(model);
  }

  private static EncoderHead parts(OnnxModel model) {
    return EncoderHead.of(Answer.of(model, List.of(), SHAPES).answering(), head(model), SHAPES);
  }

  private static float[][] answers(OnnxModel model, List<Example> examples) {
    try (Weights weights = new Weights();
        ModelSession session =
            new ModelSession(EvaluationGraph.of(model, Set.of()), SESSIONS, weights, Map::of)) {
      return new Evaluator(model.graph().requiredInputs(), 1).logits(session, examples);
    }
  }

  private static List<Example> texts(OnnxModel model) {
    Random random = new Random(3);
    List<Example> texts = new ArrayList<>();
    for (int length : new int[] {3, 7, 5}) {
      Map<String, Values> inputs = new HashMap<>();
      for (ValueInfo input : model.graph().requiredInputs()) {
        inputs.put(
            input.name(),
            switch (input.name()) {
              case "input_ids" -> Values.of(random.ints(length, 3, 60).toArray());
              case "attention_mask" -> Values.ones(length);
              default -> Values.zeros(length);
            });
      }
      texts.add(new Example(inputs, null));
    }
    return texts;
  }

  private static void assertWhole(OnnxModel model) {
    EncoderHead parts = parts(model);
    List<Example> texts = texts(model);
    float[][] vectors = answers(parts.encoder(), texts);
    assertEquals(parts.size(), vectors[0].length);
    List<Example> rows = new ArrayList<>();
    for (float[] vector : vectors) {
      rows.add(new Example(Map.of(parts.value(), Values.of(vector)), null));
    }
    float[][] whole = answers(Answer.of(model, List.of(), SHAPES).answering(), texts);
    float[][] after = answers(parts.head(), rows);
    for (int i = 0; i < whole.length; i++) {
      assertArrayEquals(whole[i], after[i], 1e-5f);
    }
    Set<String> all = TrainableSelection.of(Method.FULL).values(model);
    assertEquals(head(model), parts.ofHead(all));
    assertEquals(all.size(), parts.ofEncoder(all).size() + parts.ofHead(all).size());
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void theTwoPartsAreTheWhole(String fixture) {
    assertWhole(Oracle.of(fixture).model());
  }

  @Test
  void ofAHeadThatWasPutOnTheMeanOfTheTokensEnters() {
    OnnxModel encoder = Encoders.of(Oracle.of("tiny-roberta-opset17").model(), 32);
    OnnxModel model =
        ClassificationHead.add(encoder, 4, ClassificationHead.Pooling.MEAN, 1, SHAPES);
    assertWhole(model);
    assertEquals("/pooling/Div_output_0", parts(model).value());
    assertFalse(parts(model).ofEncoder(head(model)).contains("classifier.dense.weight"));
  }

  private static void refused(String words, OnnxModel model) {
    String message = assertThrows(LoraGraphException.class, () -> parts(model)).getMessage();
    assertTrue(message.contains(words), message);
  }

  @Test
  void whatHasNoVectorForEachTextIsRefused() {
    OnnxModel encoder = Encoders.of(Oracle.of("tiny-roberta-opset17").model(), 32);
    refused(
        "and pairs of texts need one vector for each",
        ClassificationHead.addToTokens(encoder, 4, 1, SHAPES));
    OnnxModel model =
        ClassificationHead.add(encoder, 4, ClassificationHead.Pooling.MEAN, 1, SHAPES);
    Graph graph = model.graph().copy();
    Node tanh = graph.requireProducer("/classifier/Tanh_output_0");
    graph.insertAfter(
        tanh,
        Node.of(
            "/skip",
            "Mul",
            List.of("/classifier/Tanh_output_0", "/pooling/ReduceSum_output_0"),
            List.of("/skip")));
    Node last = graph.requireProducer("logits");
    graph.replace(last, last.withInput(0, "/skip"));
    refused(
        "2 values enter the head ('/pooling/Div_output_0', '/pooling/ReduceSum_output_0'), and pairs of texts are compared by one",
        model.withGraph(graph));
  }
}
