package io.github.loragraph.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PredictionTest {
  private static final List<String> NAMES = List.of("a", "b", "c");

  @Test
  void ofEachTask() {
    Prediction one = Tasks.CLASSIFICATION.prediction(new float[] {0, 1, 0}, NAMES, 2, "x:1");
    assertEquals(Optional.of("b"), one.label());
    assertEquals(Math.E / (Math.E + 2), one.probability("b"), 1e-12);
    assertEquals(NAMES, List.copyOf(one.probabilities().keySet()));
    assertEquals(
        List.of("a", "c"),
        Tasks.MULTILABEL.prediction(new float[] {0, -1, 2}, NAMES, 2, "x:1").labels());
    assertEquals(
        1.5,
        Tasks.REGRESSION
            .prediction(new float[] {1.5f}, List.of("v"), 2, "x:1")
            .value()
            .getAsDouble());
    assertEquals(
        List.of("c", "a"),
        Tasks.TOKEN_CLASSIFICATION
            .prediction(new float[] {0, 1, 2, 3, 2, 1}, NAMES, 2, "x:1")
            .tokens()
            .stream()
            .map(token -> token.label().orElseThrow())
            .toList());
  }

  @Test
  void onlyAnAnswerThatIsAlwaysOneClassHasTheOneLabel() {
    for (float[] logits : new float[][] {{-1, -1, -1}, {-1, 1, -1}, {1, 1, -1}}) {
      assertEquals(Optional.empty(), Tasks.MULTILABEL.prediction(logits, NAMES, 2, "x:1").label());
      assertTrue(Tasks.CLASSIFICATION.prediction(logits, NAMES, 2, "x:1").label().isPresent());
      assertTrue(Tasks.CLASSIFICATION.prediction(logits, NAMES, 2, "x:1").value().isEmpty());
    }
  }

  @Test
  void tokensThatOnlyPadABatchHaveNoAnswers() {
    float[] logits = {0, 1, 0, Float.NaN, Float.NaN, Float.NaN};
    Prediction padded = Tasks.TOKEN_CLASSIFICATION.prediction(logits, NAMES, 1, "x:1");
    assertEquals(
        List.of("b"), padded.tokens().stream().map(token -> token.label().orElseThrow()).toList());
  }

  @Test
  void whatIsNoNumberIsRefusedWithItsRow() {
    for (float wrong : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      LoraGraphException e =
          assertThrows(
              LoraGraphException.class,
              () -> Tasks.REGRESSION.prediction(new float[] {wrong}, List.of("v"), 2, "x:7"));
      assertEquals(0, e.getMessage().indexOf("x:7: the model answers "), e.getMessage());
    }
  }

  @Test
  void mistakesWorstFirst() {
    float[][] logits = {{3, 0, 0}, {0, 1, 0}, {0, 0, 9}, {5, 0, 0}};
    List<Example> examples =
        List.of(
            example(Values.scalar(1)),
            example(Values.scalar(1)),
            example(Values.scalar(0)),
            example(Values.scalar(-100)));
    List<Mistake> mistakes = Tasks.CLASSIFICATION.mistakes(logits, examples, NAMES);
    assertEquals(List.of(2, 0), mistakes.stream().map(Mistake::example).toList());
    assertEquals(Math.log(Math.exp(9) + 2), mistakes.get(0).loss(), 1e-9);
    assertEquals("a", mistakes.get(0).label());
    assertEquals("c", mistakes.get(0).answer());

    mistakes =
        Tasks.REGRESSION.mistakes(
            new float[][] {{1}, {2}, {5}},
            List.of(
                example(Values.scalar(1f)), example(Values.scalar(4f)), example(Values.scalar(4f))),
            List.of("v"));
    assertEquals(List.of(1, 2), mistakes.stream().map(Mistake::example).toList());
    assertEquals(4, mistakes.get(0).loss());

    mistakes =
        Tasks.MULTILABEL.mistakes(
            new float[][] {{2, -2, -2}, {2, 2, -2}},
            List.of(example(Values.of(1f, 0f, 0f)), example(Values.of(1f, 0f, 1f))),
            NAMES);
    assertEquals(1, mistakes.size());
    assertEquals("a,c", mistakes.get(0).label());
    assertEquals("a,b", mistakes.get(0).answer());

    mistakes =
        Tasks.TOKEN_CLASSIFICATION.mistakes(
            new float[][] {{1, 0, 0, 0, 1, 0}}, List.of(example(Values.of(-100, 2))), NAMES);
    assertEquals(1, mistakes.get(0).token());
    assertEquals("c", mistakes.get(0).label());
  }

  private static Example example(Values target) {
    return new Example(Map.of(), target);
  }
}
