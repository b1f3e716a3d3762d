package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.Evaluation;
import io.github.loragraph.StepMetrics;
import io.github.loragraph.Task;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

class ProgressListenerTest {
  private static final Pattern LEFT = Pattern.compile("(\\d+):(\\d\\d):(\\d\\d) left");

  private static final Evaluation MEASURED =
      new Evaluation(
          Task.CLASSIFICATION,
          8,
          Map.of("accuracy", 0.9123),
          "accuracy",
          List.of(),
          Map.of(),
          List.of(),
          List.of(),
          List.of(),
          0,
          128);

  private final PrintStream before = System.err;

  @AfterEach
  void restore() {
    System.clearProperty("lora-graph.progress");
    System.clearProperty("lora-graph.columns");
    System.setErr(before);
  }

  private static StepMetrics step(long number) {
    return new StepMetrics(number, 1000, 1, 0.5, 1e-3, 1, 0, Double.NaN, 8);
  }

  /**
   * Of a run that was stopped after 900 steps 98 are left, each of 0.7 seconds like the two before.
   */
  @Test
  void theTimeLeftIsThatOfTheStepsOfThisProcess() throws InterruptedException {
    System.setProperty("lora-graph.progress", "true");
    System.setProperty("lora-graph.columns", "140");
    ByteArrayOutputStream shown = new ByteArrayOutputStream();
    System.setErr(new PrintStream(shown, true, StandardCharsets.UTF_8));
    try (ProgressListener progress = new ProgressListener(new ResultOutput(), false)) {
      progress.onResume(900);
      progress.onTrainBegin(1000);
      TimeUnit.MILLISECONDS.sleep(700);
      progress.onStepEnd(step(901));
      TimeUnit.MILLISECONDS.sleep(700);
      progress.onStepEnd(step(902));
    }
    String text = shown.toString(StandardCharsets.UTF_8);
    Matcher left = LEFT.matcher(text);
    int seconds = -1;
    while (left.find()) {
      seconds =
          3600 * Integer.parseInt(left.group(1))
              + 60 * Integer.parseInt(left.group(2))
              + Integer.parseInt(left.group(3));
    }
    assertTrue(seconds >= 60, text);
  }

  @Command(name = "shows")
  private static final class Shows {
    @Mixin private ResultOutput output;
  }

  /** What stands on a terminal after each thing that was printed there, line by line. */
  private static List<List<String>> screens(String printed) {
    List<List<String>> screens = new ArrayList<>();
    List<StringBuilder> lines = new ArrayList<>(List.of(new StringBuilder()));
    int at = 0;
    for (int i = 0; i < printed.length(); i++) {
      char c = printed.charAt(i);
      StringBuilder line = lines.get(lines.size() - 1);
      if (c == '\n') {
        lines.add(new StringBuilder());
      } else if (c == '\r') {
        screens.add(lines.stream().map(one -> one.toString().stripTrailing()).toList());
      } else {
        line.replace(at, Math.min(at + 1, line.length()), Character.toString(c));
      }
      at = c == '\n' || c == '\r' ? 0 : at + 1;
    }
    screens.add(lines.stream().map(one -> one.toString().stripTrailing()).toList());
    return screens;
  }

  private static List<List<String>> shown(int columns, Consumer<ResultOutput> between) {
    System.setProperty("lora-graph.progress", "true");
    System.setProperty("lora-graph.columns", Integer.toString(columns));
    ByteArrayOutputStream shown = new ByteArrayOutputStream();
    System.setErr(new PrintStream(shown, true, StandardCharsets.UTF_8));
    Shows command = new Shows();
    CommandLine line = new CommandLine(command);
    line.setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
    line.setOut(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
    try (ProgressListener progress = new ProgressListener(command.output, false)) {
      progress.onTrainBegin(1000);
      progress.onStepEnd(step(1));
      progress.onEvaluate(1, MEASURED);
      progress.onStepEnd(step(2));
      between.accept(command.output);
      progress.onStepEnd(step(500));
      progress.onTrainEnd();
      command.output.print(Map.of(), out -> out.println("written: run"));
    }
    return screens(shown.toString(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @CsvSource({
    "40, '500/1000 steps  loss 0.5000'",
    "60, '500/1000 steps  0:00:00 left  loss 0.5000  accuracy 0.9123'",
    "80, ' 50%  500/1000 steps  0:00:00  0:00:00 left  loss 0.5000  accuracy 0.9123'",
    "100, 'training   50%  500/1000 steps  0:00:00  0:00:00 left  loss 0.5000  accuracy 0.9123  lr 0.0010'",
    "120, 'training   50%  500/1000 steps  0:00:00  0:00:00 left  loss 0.5000  accuracy 0.9123  lr 0.0010  8.0 samples/s'",
    "160, 'training   50%  |████████████████████                    |  500/1000 steps  0:00:00  0:00:00 left  loss 0.5000  accuracy 0.9123  lr 0.0010  8.0 samples/s'"
  })
  void partsAreLeftOutAsAWholeWhereTheLineIsNarrow(int columns, String last) {
    List<List<String>> screens = shown(columns, output -> {});
    List<String> end = screens.get(screens.size() - 1);
    assertEquals(List.of(last, "written: run", ""), end.subList(end.size() - 3, end.size()));
    screens.forEach(
        lines -> lines.forEach(line -> assertTrue(line.length() < columns, () -> line)));
  }

  @Test
  void whatIsPrintedMeanwhileStandsAboveTheBar() {
    List<List<String>> screens =
        shown(
            80,
            output -> {
              output.status().accept("a bar");
              output.say("a note");
              output.print(Map.of(), out -> out.println("a result"));
            });
    List<String> end = screens.get(screens.size() - 1);
    assertEquals(
        List.of("a note", "a result"),
        end.subList(end.indexOf("a note"), end.indexOf("a note") + 2),
        end::toString);
    assertFalse(end.contains("a bar"), end::toString);
    assertEquals("written: run", end.get(end.size() - 2));
    assertEquals(1, end.stream().filter(line -> line.contains(" steps")).count(), end::toString);
  }
}
