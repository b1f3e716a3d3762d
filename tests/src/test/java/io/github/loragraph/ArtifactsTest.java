package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtTrainingSession;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.CheckpointFile;
import io.github.loragraph.artifacts.TrainingArtifacts;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.check.OrtRun;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.engine.Engines;
import io.github.loragraph.evaluation.ProbeInput;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ClassificationHead;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.OrtTensors;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.task.LossOptions;
import io.github.loragraph.task.Task;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Optimization;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code artifacts} writes, as a program that trains by ONNX Runtime's own API sees it. */
@Tag("training-api")
class ArtifactsTest {
  private static final Sessions SESSIONS =
      new Sessions(OrtRuntime.open(OrtRuntime.Build.TRAINING), 1);

  @TempDir Path folder;

  /** A model with the oracle's adapters, and its configuration, in a folder. */
  private Path injected(Oracle oracle) throws Exception {
    Path model = folder.resolve("model").resolve("model.lora.onnx");
    OnnxFile.write(TrainingApiTest.injected(oracle), model, false);
    Files.copy(Fixtures.file("tiny-roberta/config.json"), model.resolveSibling("config.json"));
    return model;
  }

  /** Trains on one batch as any program would, and saves. */
  private double[] train(Path artifacts, Oracle oracle, double rate, int steps, Path saved)
      throws OrtException {
    double[] losses = new double[steps];
    try (OrtTrainingSession session = SESSIONS.createTraining(artifacts)) {
      session.setLearningRate((float) rate);
      for (int step = 0; step < steps; step++) {
        try (OrtSession.Result result = session.trainStep(inputs(oracle))) {
          losses[step] = OrtTensors.scalar(result, "loss");
        }
        session.optimizerStep();
        session.lazyResetGrad();
      }
      session.saveCheckpoint(saved, true);
    }
    return losses;
  }

  private static Map<String, OnnxTensorLike> inputs(Oracle oracle) throws OrtException {
    Map<String, OnnxTensorLike> inputs = new LinkedHashMap<>();
    for (HostTensor tensor : TrainingApiTest.batch(oracle)) {
      inputs.put(tensor.name(), SESSIONS.runtime().tensor(tensor));
    }
    return inputs;
  }

  /** There and back: written, trained elsewhere, applied, merged, and it answers as it should. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void trainedElsewhereAndMergedHere(boolean external) throws Exception {
    Oracle oracle = Oracle.of("tiny-roberta");
    Path model = injected(oracle);
    Path artifacts = folder.resolve("artifacts");
    List<Object> command =
        new ArrayList<>(List.of("artifacts", model, "-o", artifacts, "--weight-decay", 0.01));
    if (external) {
      command.add("--external-data");
    }
    JsonNode written = Cli.json(command.toArray());
    List<String> files = new ArrayList<>();
    written.get("files").forEach(file -> files.add(file.asText()));
    assertEquals(external, files.contains("weights.data"));
    assertEquals(external, Files.exists(artifacts.resolve("weights.data")));
    assertTrue(files.contains("config.json"), files.toString());
    for (String file : files) {
      assertTrue(Files.isRegularFile(artifacts.resolve(file)), file);
    }
    assertEquals("[\"input_ids\",\"attention_mask\",\"labels\"]", written.get("inputs").toString());

    Path saved = folder.resolve("trained.ckpt");
    double[] expected = oracle.numbers("/adamw/losses");
    assertArrayEquals(expected, train(artifacts, oracle, 1e-3, expected.length, saved), 1e-4);

    Path trained = folder.resolve("model").resolve("trained.lora.onnx");
    JsonNode applied = Cli.json("artifacts", "apply", saved, model, "-o", trained);
    assertEquals(20, applied.get("steps").asInt());
    assertEquals(written.get("trainable").size(), applied.get("applied").size());
    Path merged = folder.resolve("merged.onnx");
    assertEquals(6, Cli.json("merge", trained, "-o", merged).get("merged").asInt());
    float[] logits = OrtRun.run(OnnxFile.read(merged), oracle.inputs(), SESSIONS).get("logits");
    double[] answers = oracle.numbers("/merged_final/logits");
    for (int i = 0; i < answers.length; i++) {
      assertEquals(answers[i], logits[i], 1e-4);
    }
  }

  @Test
  void whatIsSaid() throws Exception {
    Path model = injected(Oracle.of("tiny-roberta"));
    Path artifacts = folder.resolve("artifacts");
    Cli run = Cli.run("artifacts", model, "-o", artifacts, "--optimizer", "sgd");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("loss cross-entropy, optimizer sgd"), run.out());
    assertTrue(run.out().contains("written: " + artifacts.resolve("config.json")), run.out());
  }

  @Test
  void nominalCheckpointsAreLoadedAndDoNotTrain() throws Exception {
    Oracle oracle = Oracle.of("tiny-roberta");
    Path artifacts = folder.resolve("artifacts");
    Path model = injected(oracle);
    Cli.json("artifacts", model, "-o", artifacts, "--nominal-checkpoint");
    Path nominal = artifacts.resolve("nominal_checkpoint");
    Files.move(nominal, artifacts.resolve("checkpoint"), StandardCopyOption.REPLACE_EXISTING);
    try (OrtTrainingSession session = SESSIONS.createTraining(artifacts)) {
      assertThrows(OrtException.class, () -> session.trainStep(inputs(oracle)));
    }
    Cli apply = Cli.run("artifacts", "apply", artifacts.resolve("checkpoint"), model);
    assertEquals(1, apply.exitCode());
    assertTrue(apply.err().contains("nominal"), apply.err());
  }

  private static OnnxModel modelFor(Task task) {
    int outputs = task.fixedLabels().isPresent() ? 1 : 3;
    OnnxModel classifier = new ReferenceArchitecture(32, 2, 2, 64, 40, 40, outputs).model(0);
    if (!task.answersTokens()) {
      return classifier;
    }
    return ClassificationHead.addToTokens(
        Encoders.of(classifier, 32),
        outputs,
        0,
        new SessionShapeInference(OrtRuntime.ofThisProcess()));
  }

  private static List<HostTensor> batch(OnnxModel model, Task task, int step) {
    List<HostTensor> batch = new ArrayList<>(ProbeInput.of(model.graph(), 4, 7, step));
    Random random = new Random(step);
    batch.add(
        switch (task.name()) {
          case "classification" -> Gradients.longs("labels", random.longs(4, 0, 3).toArray(), 4);
          case "token-classification", "masked-lm" -> {
            long[] classes = random.longs(28, 0, 3).toArray();
            classes[5] = -100;
            yield Gradients.longs("labels", classes, 4, 7);
          }
          case "regression" -> Gradients.floats("labels", floats(random, 4), 4);
          case "multioutput-regression" -> Gradients.floats("labels", floats(random, 12), 4, 3);
          case "multilabel" -> Gradients.floats("labels", floats(random, 12), 4, 3);
          case "rerank" -> Gradients.floats("labels", new float[] {0, 1, 1, 0, 0, 0, 1, 1}, 4, 2);
          default -> throw new AssertionError("no labels for " + task);
        });
    return batch;
  }

  private static float[] floats(Random random, int count) {
    float[] floats = new float[count];
    for (int i = 0; i < count; i++) {
      floats[i] = random.nextInt(2);
    }
    return floats;
  }

  @ParameterizedTest
  @FieldSource("io.github.loragraph.task.Tasks#ALL")
  void everyLossInBothEngines(Task task) {
    for (String loss : task.lossNames()) {
      List<double[]> curves = new ArrayList<>();
      for (EngineKind kind : List.of(EngineKind.GRAPH, EngineKind.TRAINING_API)) {
        curves.add(curve(task, loss, kind));
      }
      assertArrayEquals(curves.get(0), curves.get(1), 1e-5, loss);
    }
  }

  private static double[] curve(Task task, String loss, EngineKind kind) {
    OnnxModel model = modelFor(task);
    Engines engines =
        new Engines(
            model,
            TrainableSelection.of(Method.FULL).values(model),
            task.loss(new LossOptions(0, List.of(), loss), List.of()),
            new Optimization(AdamW.defaults(), 0, LoraDropout.NONE),
            1,
            1,
            0,
            SESSIONS);
    double[] losses = new double[10];
    try (Engines.Opened opened = engines.open(kind, null, 1, null, line -> {})) {
      for (int step = 0; step < losses.length; step++) {
        losses[step] = opened.engine().step(batch(model, task, step), 1e-3).loss();
      }
    }
    return losses;
  }

  /** An embedded model needs nothing beside it. */
  @Test
  void anEmbeddedModelStandsAlone() throws Exception {
    Oracle oracle = Oracle.of("tiny-bert");
    Path artifacts = folder.resolve("embedded");
    TrainingApiTest.artifacts(oracle, Kernels.STANDARD).write(artifacts, false, false, false);
    assertFalse(Files.exists(artifacts.resolve(TrainingArtifacts.WEIGHTS)));
    Path saved = folder.resolve("saved");
    double[] expected = oracle.numbers("/adamw/losses");
    assertArrayEquals(expected, train(artifacts, oracle, 1e-3, expected.length, saved), 1e-4);
    Checkpoint checkpoint = CheckpointFile.read(saved);
    assertEquals(20, checkpoint.group(Checkpoint.GROUP).orElseThrow().step());
    assertTrue(checkpoint.trainable().stream().map(Tensor::name).anyMatch(n -> n.contains("lora")));
  }
}
