package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Texts are read and made into tokens beside the answering, and nobody sees a difference. */
class PredictAheadTest {
  private static final int CHUNK = 1024;

  @TempDir Path folder;

  @BeforeEach
  void makeModel() throws Exception {
    DataCommandsTest.makeModel(folder.resolve("model"));
  }

  private Predictor predictor() {
    return Model.open(folder.resolve("model"))
        .predictor(InferenceArguments.builder().threads(1).build());
  }

  private static String text(int i) {
    return "good film ".repeat(1 + i * 7 % 5) + (i % 3 == 0 ? "bad" : "");
  }

  private Path file(int rows, int bad, String line) throws Exception {
    StringBuilder lines = new StringBuilder();
    for (int i = 1; i <= rows; i++) {
      lines.append(i == bad ? line : "{\"text\": \"%s\"}".formatted(text(i))).append('\n');
    }
    return Files.writeString(folder.resolve("data.jsonl"), lines);
  }

  private static String shown(Prediction answer) {
    return answer.label() + " " + answer.probabilities();
  }

  private List<String> plain(Predictor predictor, int rows) {
    List<String> answers = new ArrayList<>();
    for (int first = 1; first <= rows; first += CHUNK) {
      List<Example> some = new ArrayList<>();
      for (int i = first; i < first + CHUNK && i <= rows; i++) {
        some.add(Example.of(text(i)));
      }
      predictor.predict(some).forEach(answer -> answers.add(shown(answer)));
    }
    return answers;
  }

  @Test
  void answersOfAFileAreThoseOfItsPartsInTheirOrder() throws Exception {
    Path data = file(2 * CHUNK + 100, 0, "");
    try (Predictor predictor = predictor()) {
      List<String> texts = new ArrayList<>();
      List<String> answers = new ArrayList<>();
      predictor.predict(
          Dataset.file(data),
          (example, answer) -> {
            texts.add(example.text().orElseThrow());
            answers.add(shown(answer));
          });
      assertEquals(plain(predictor, 2 * CHUNK + 100), answers);
      assertEquals(text(CHUNK + 5).strip(), texts.get(CHUNK + 4));
    }
  }

  /** A row that cannot be read, and two that cannot be encoded. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "1500 | {\"text\":",
        "1500 | {\"input_ids\": [2, 5, 3]}",
        "1024 | {\"input_ids\": [2, 5, 3]}",
        "1026 | {\"text\": \"good\", \"text_pair\": \"bad\"}",
      })
  void aRowThatFailsDoesSoAfterTheAnswersBeforeIt(int bad, String line) throws Exception {
    Path data = file(3000, bad, line);
    try (Predictor predictor = predictor()) {
      List<String> answers = new ArrayList<>();
      LoraGraphException failure =
          assertThrows(
              LoraGraphException.class,
              () ->
                  predictor.predict(
                      Dataset.file(data), (example, answer) -> answers.add(shown(answer))));
      assertTrue(failure.getMessage().contains("data.jsonl:" + bad), failure.getMessage());
      assertEquals(plain(predictor, bad - 1), answers);
    }
  }

  @Test
  void theCommandPrintsTheAnswersBeforeAFailure() throws Exception {
    Path data = file(1500, 1200, "{\"text\":");
    Cli run = Cli.run("predict", folder.resolve("model"), "--data", data);
    assertEquals(1, run.exitCode());
    assertEquals(1199, run.out().lines().count());
    assertTrue(run.err().startsWith("lora-graph: "), run.err());
    Cli whole = Cli.run("predict", folder.resolve("model"), "--data", file(1199, 0, ""));
    assertEquals(whole.out(), run.out());
  }

  @Test
  void aLineThatFailsDoesSoAfterTheAnswersBeforeIt() {
    InputStream before = System.in;
    try {
      System.setIn(
          new ByteArrayInputStream(
              "good\nbad film\nfilm\na\tb\tc\ngood\n".getBytes(StandardCharsets.UTF_8)));
      Cli run = Cli.run("predict", folder.resolve("model"));
      assertEquals(1, run.exitCode());
      assertEquals(3, run.out().lines().count(), run.out());
      assertTrue(run.err().startsWith("lora-graph: standard input:4 has 2 tabs"), run.err());
    } finally {
      System.setIn(before);
    }
  }

  @Test
  void anExampleIsAnsweredBeforeTheNextOneComes() {
    try (Predictor predictor = predictor()) {
      AtomicInteger asked = new AtomicInteger();
      CountDownLatch[] answered = {new CountDownLatch(2), new CountDownLatch(1)};
      List<String> answers = new ArrayList<>();
      predictor.predict(
          () -> {
            int number = asked.getAndIncrement();
            try {
              assertTrue(number == 0 || answered[number - 1].await(60, TimeUnit.SECONDS));
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
            return List.of(
                    List.of(Example.of("good film"), Example.of("bad")),
                    List.of(Example.of("film")),
                    List.<Example>of())
                .get(number);
          },
          (example, answer) -> {
            answers.add(example.text().orElseThrow());
            answered[answers.size() < 3 ? 0 : 1].countDown();
          });
      assertEquals(List.of("good film", "bad", "film"), answers);
    }
  }

  @Test
  void whoeverStopsTakingIsHeard() throws Exception {
    Path data = file(5000, 0, "");
    List<Example> taken = new ArrayList<>();
    try (Predictor predictor = predictor()) {
      IllegalStateException stop = new IllegalStateException("enough");
      IllegalStateException thrown =
          assertThrows(
              IllegalStateException.class,
              () ->
                  predictor.predict(
                      Dataset.file(data),
                      (example, answer) -> {
                        taken.add(example);
                        throw stop;
                      }));
      assertEquals(stop, thrown);
      assertEquals(1, taken.size());
      assertFalse(predictor.predict("good").probabilities().isEmpty());
    }
  }

  /** It is opened beside the session. */
  @Test
  void aTokenizerThatIsNoneIsToldToWhoeverGivesText() throws Exception {
    Files.writeString(folder.resolve("model/tokenizer.json"), "{\"model\": 1}");
    try (Predictor predictor = predictor()) {
      for (int i = 0; i < 2; i++) {
        LoraGraphException failure =
            assertThrows(LoraGraphException.class, () -> predictor.predict("good"));
        assertTrue(failure.getMessage().contains("tokenizer.json"), failure.getMessage());
      }
      assertFalse(predictor.predict(List.of(Example.ofTokens(2, 5, 3))).isEmpty());
    }
  }
}
