package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.ort.NativeMemory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several trainings in one process over one base: they share its weights and nothing else. */
class ConcurrentTrainingsTest {
  private static final int JOBS = 4;

  @TempDir Path folder;

  private static List<Example> examples() {
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < 22; i++) {
      int[] ids = new int[3 + i % 5];
      for (int k = 0; k < ids.length; k++) {
        ids[k] = 5 + (7 * i + 3 * k) % 50;
      }
      examples.add(Example.ofTokens(ids).withLabel(i % 2 == 0 ? "pos" : "neg"));
    }
    return examples;
  }

  /** One job of several: rank, rate and seed are its own. */
  private byte[] train(Model base, int job, String where) throws Exception {
    Path run = folder.resolve(where + job);
    TrainingResult result =
        base.inject(
                LoraConfig.builder().targetModules("query|value").rank(2 + job).seed(job).build())
            .train(
                Dataset.of(examples()),
                Dataset.of(examples()),
                TrainingArguments.builder()
                    .engine(TrainingArguments.Engine.GRAPH)
                    .device(Device.CPU)
                    .threads(1)
                    .numTrainEpochs(3)
                    .trainBatchSize(4)
                    .learningRate(5e-3 * (1 + job))
                    .loraDropout(job == 2 ? 0.1 : 0)
                    .evalSteps(4)
                    .saveSteps(5)
                    .seed(job)
                    .outputDir(run)
                    .build());
    return Files.readAllBytes(result.model().save(run.resolve("saved.onnx")));
  }

  @Test
  void trainingsAtOnceGiveTheBytesThatEachGivesAlone() throws Throwable {
    Path files = folder.resolve("base");
    DataCommandsTest.makeModel(files);
    Model base = Model.open(files).withNotes(line -> {});
    List<byte[]> alone = new ArrayList<>();
    for (int job = 0; job < JOBS; job++) {
      alone.add(train(base, job, "alone"));
    }
    NativeMemory.assertAllClosed(
        () -> {
          ExecutorService pool = Executors.newFixedThreadPool(JOBS);
          try {
            CyclicBarrier start = new CyclicBarrier(JOBS);
            List<Future<byte[]>> jobs = new ArrayList<>();
            for (int i = 0; i < JOBS; i++) {
              int job = i;
              jobs.add(
                  pool.submit(
                      () -> {
                        start.await();
                        return train(base, job, "at-once");
                      }));
            }
            for (int job = 0; job < JOBS; job++) {
              assertArrayEquals(alone.get(job), jobs.get(job).get(), "job " + job);
            }
          } finally {
            pool.shutdown();
          }
        });
    assertEquals(0, NativeMemory.bytesOfSharedWeights());
  }

  /** What one training leaves while another goes on is not taken from it. */
  @Test
  void aTrainingThatEndsOrFailsLeavesTheOthersTheirWeights() throws Throwable {
    Path files = folder.resolve("base");
    DataCommandsTest.makeModel(files);
    Model base = Model.open(files).withNotes(line -> {});
    NativeMemory.assertAllClosed(
        () -> {
          try (Predictor predictor =
              base.predictor(InferenceArguments.builder().device(Device.CPU).threads(1).build())) {
            List<Example> texts = List.of(Example.ofTokens(5, 6, 7));
            List<Prediction> before = predictor.predict(texts);
            train(base, 1, "between");
            assertEquals(before.toString(), predictor.predict(texts).toString());
          }
        });
    assertEquals(0, NativeMemory.bytesOfSharedWeights());
  }
}
