package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A wish to stop is heard at whichever of its questions it comes, and nothing trained is lost. */
@Timeout(300)
class StopAtAnyMomentTest {
  @TempDir Path folder;

  /** Wants to stop from one of the questions on. */
  private static final class StopsAt implements TrainingListener {
    private final int question;
    private int asked;

    StopsAt(int question) {
      this.question = question;
    }

    @Override
    public boolean shouldTrainingStop() {
      return ++asked >= question;
    }
  }

  @Test
  void whatWasTrainedIsKept() throws IOException {
    Path place = folder.resolve("base");
    DataCommandsTest.makeModel(place);
    Cli.json("inject", place, "--match", "query", "--rank", 2);
    Model model = Model.open(place.resolve("model.lora.onnx")).withNotes(line -> {});
    StringBuilder rows = new StringBuilder("text\tlabel\n");
    for (int i = 0; i < 14; i++) {
      rows.append(i % 2 == 0 ? "good film\tpos\n" : "the bad\tneg\n");
    }
    Dataset data = Dataset.file(Files.writeString(folder.resolve("train.tsv"), rows));
    Path straight = folder.resolve("straight");
    StopsAt never = new StopsAt(Integer.MAX_VALUE);
    model.train(data, data, arguments(straight).build(), never);
    assertTrue(never.asked > 20, never.asked + " questions");

    for (int question = 1; question <= never.asked; question++) {
      Path run = folder.resolve("stopped-" + question);
      long step;
      try {
        model.train(data, data, arguments(run).build(), new StopsAt(question));
        continue; // Too late: there was nothing left to stop.
      } catch (TrainingCancelledException e) {
        step = e.step();
      }
      String when = "stopped at question %d, after step %d".formatted(question, step);
      assertEquals(step > 0 ? RunState.STOPPED : RunState.of(run), RunState.of(run), when);
      boolean kept = RunState.of(run) == RunState.STOPPED;
      model.train(data, data, arguments(run).resumeFromCheckpoint(kept).build());
      assertArrayEquals(Runs.learned(straight), Runs.learned(run), when);
      assertEquals(Trainings.figures(straight), Trainings.figures(run), when);
    }
  }

  private static TrainingArguments.Builder arguments(Path run) {
    return TrainingArguments.builder()
        .trainBatchSize(2)
        .gradientAccumulationSteps(2)
        .numTrainEpochs(3)
        .learningRate(1e-2)
        .loggingSteps(1)
        .evalSteps(2)
        .saveSteps(0)
        .engine(TrainingArguments.Engine.GRAPH)
        .outputDir(run);
  }
}
