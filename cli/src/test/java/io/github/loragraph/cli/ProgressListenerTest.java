package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.StepMetrics;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ProgressListenerTest {
  private static final Pattern LEFT = Pattern.compile("/ (\\d+):(\\d\\d):(\\d\\d)\\)");

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
}
