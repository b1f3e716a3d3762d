package io.github.loragraph.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.Sentence;
import io.github.loragraph.data.Values;
import io.github.loragraph.data.WordWindow;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EntityReportTest {
  private static final List<String> NAMES = List.of("O", "B-MISC", "I-MISC", "B-PER", "I-PER");

  private static float[] logits(List<String> tags) {
    float[] logits = new float[tags.size() * NAMES.size()];
    for (int t = 0; t < tags.size(); t++) {
      logits[t * NAMES.size() + NAMES.indexOf(tags.get(t))] = 4;
    }
    return logits;
  }

  private static int[] classes(List<String> tags) {
    return tags.stream().mapToInt(NAMES::indexOf).toArray();
  }

  private static final List<List<String>> TRUE =
      List.of(
          List.of("O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"),
          List.of("B-PER", "I-PER", "O"));
  private static final List<List<String>> ANSWERS =
      List.of(
          List.of("O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"),
          List.of("B-PER", "I-PER", "O"));

  private static void assertAsSeqevalSays(Report report) {
    assertEquals("f1", report.scoreName());
    assertEquals(0.5, report.figures().get("precision"));
    assertEquals(0.5, report.figures().get("recall"));
    assertEquals(0.5, report.figures().get("f1"));
    assertEquals(0.5, report.score());
    assertEquals(0.8, report.figures().get("accuracy"), 1e-12);
    assertEquals(
        List.of(
            Map.of("type", "MISC", "precision", 0.0, "recall", 0.0, "f1", 0.0, "support", 1L),
            Map.of("type", "PER", "precision", 1.0, "recall", 1.0, "f1", 1.0, "support", 1L)),
        report.details(NAMES).get("entities"));
    assertEquals(3, report.tables(NAMES).get(0).rows().size());
  }

  /** The example of seqeval's README: F1 0.50, accuracy 0.80, MISC 0, PER 1. */
  @Test
  void theFiguresOfSeqevalsExample() {
    List<Example> examples =
        TRUE.stream().map(tags -> new Example(Map.of(), Values.of(classes(tags)))).toList();
    float[][] logits = ANSWERS.stream().map(EntityReportTest::logits).toArray(float[][]::new);
    assertAsSeqevalSays(Tasks.TOKEN_CLASSIFICATION.report(logits, examples, NAMES));
    assertTrue(
        Tasks.TOKEN_CLASSIFICATION.report(logits, examples, List.of("a", "b", "c", "d", "e"))
            instanceof ClassificationReport);
  }

  /** A sentence in two windows, between them the entity, whose tokens are padded. */
  @Test
  void windowsOfASentenceAreOne() {
    List<Example> examples = new ArrayList<>();
    List<float[]> logits = new ArrayList<>();
    for (int s = 0; s < TRUE.size(); s++) {
      List<String> tags = TRUE.get(s);
      int size = tags.size();
      int[] places = IntStream.range(0, size).toArray();
      Sentence sentence = new Sentence("", 0, new int[size], new int[size], true, classes(tags));
      int half = size / 2 + 1;
      int[][] parts = {IntStream.range(0, half).toArray(), IntStream.range(half, size).toArray()};
      for (int w = 0; w < 2; w++) {
        int[] target = new int[size];
        for (int t = 0; t < size; t++) {
          int token = t;
          boolean counts = IntStream.of(parts[w]).anyMatch(word -> word == token);
          target[t] = counts ? NAMES.indexOf(tags.get(t)) : -100;
        }
        int[] tokens = IntStream.of(parts[w]).map(word -> places[word]).toArray();
        examples.add(
            new Example(
                Map.of(), Values.of(target), new WordWindow(sentence, w, tokens, parts[w])));
        float[] padded = new float[(size + 3) * NAMES.size()];
        System.arraycopy(logits(ANSWERS.get(s)), 0, padded, 0, size * NAMES.size());
        logits.add(padded);
      }
    }
    assertAsSeqevalSays(
        Tasks.TOKEN_CLASSIFICATION.report(logits.toArray(float[][]::new), examples, NAMES));
  }

  /** A word that no token answers is there all the same: it is missed, and parts nothing. */
  @Test
  void aWordWithoutATokenIsOutside() {
    List<String> tags = List.of("B-PER", "I-PER");
    Sentence sentence = new Sentence("", 0, new int[2], new int[2], true, classes(tags));
    Example example =
        new Example(
            Map.of(),
            Values.of(NAMES.indexOf("B-PER")),
            new WordWindow(sentence, 0, new int[] {0}, new int[] {0}));
    Report report =
        Tasks.TOKEN_CLASSIFICATION.report(
            new float[][] {logits(List.of("B-PER"))}, List.of(example), NAMES);
    assertEquals(0.0, report.score());
    assertEquals(1, report.examples());
  }
}
