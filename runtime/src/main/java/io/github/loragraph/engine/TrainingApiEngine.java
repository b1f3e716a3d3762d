package io.github.loragraph.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtTrainingSession;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.CheckpointFile;
import io.github.loragraph.artifacts.TrainingArtifacts;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.Classifier;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.TemporaryFolder;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.OrtFailure;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.OrtTensors;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.TrainingGraph;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Runs training artifacts by ONNX Runtime's own training API ({@link OrtTrainingSession}), which
 * updates parameters in place. Needs the training build of the native library. The artifacts stand
 * in a folder for temporary files as long as the engine is open.
 */
public final class TrainingApiEngine implements Engine {
  /** The name by which it is chosen. */
  public static final String NAME = "training-api";

  private static final String SAVED = "saved";

  private final TrainingArtifacts artifacts;
  private final TemporaryFolder folder;
  private final OrtRuntime runtime;
  private final OrtTrainingSession session;
  private final int accumulation;

  /** What is said of each batch, in memory that is written anew; the graph takes what it wants. */
  private final HostTensor seedNumber = number(LoraDropout.SEED, ElementType.INT64);

  private final HostTensor share = number(TrainingGraph.SHARE, ElementType.FLOAT);
  private final HostTensor decayRate = number(TrainingArtifacts.DECAY_RATE, ElementType.FLOAT);

  /** Labels for evaluation, which nobody reads. */
  private ByteBuffer zeros = direct(0);

  private final long seed;

  /** Batches that were begun since the last update. */
  private int gathered;

  private long steps;

  /**
   * Makes the session.
   *
   * @param start the state to go on from; null to begin
   * @param accumulation the most batches of a step
   * @param seed decides what is dropped, where the artifacts have dropout
   * @throws LoraGraphException if the training build is not to be had, or refuses the artifacts
   */
  public TrainingApiEngine(
      TrainingArtifacts artifacts,
      Sessions sessions,
      @Nullable Checkpoint start,
      int accumulation,
      long seed) {
    this.runtime = sessions.runtime();
    this.artifacts = artifacts;
    this.seed = seed;
    this.accumulation = accumulation;
    this.folder = TemporaryFolder.create("lora-graph-artifacts-");
    artifacts.write(folder.path(), true, false, false);
    if (start != null) {
      CheckpointFile.write(start, folder.path().resolve(TrainingArtifacts.CHECKPOINT), true);
      steps = start.step();
    }
    try {
      session = sessions.createTraining(folder.path());
    } catch (RuntimeException | Error e) {
      folder.close();
      throw e;
    }
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public List<StepResult> steps(List<StepInput> inputs) {
    if (inputs.size() != 1) {
      throw new IllegalArgumentException(inputs.size() + " batches in a call of 1");
    }
    return List.of(run(inputs.get(0)));
  }

  private StepResult run(StepInput input) {
    gathered += input.piece() == 0 ? 1 : 0;
    seedNumber
        .data()
        .putLong(0, LoraDropout.seedOf(seed, steps * accumulation + gathered, input.piece()));
    share.data().putFloat(0, (float) input.share());
    decayRate.data().putFloat(0, input.update() ? (float) input.learningRate() : 0);
    List<HostTensor> given = new ArrayList<>(input.batch());
    given.addAll(List.of(seedNumber, share, decayRate));
    List<OnnxTensor> owned = new ArrayList<>();
    try {
      Map<String, OnnxTensorLike> feeds = inputs(artifacts.training(), given, owned);
      double loss;
      try (OrtSession.Result result = session.trainStep(feeds)) {
        loss = OrtTensors.scalar(result, artifacts.loss());
      }
      if (input.update()) {
        session.setLearningRate((float) input.learningRate());
        session.optimizerStep();
        session.lazyResetGrad();
        steps++;
        gathered = 0;
      }
      return new StepResult(loss, Double.NaN);
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime failed at step %d".formatted(steps + 1), e);
    } finally {
      owned.forEach(OnnxTensor::close);
    }
  }

  @Override
  public void forget() {
    try {
      session.lazyResetGrad();
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime cannot forget gradients", e);
    }
    gathered = 0;
  }

  /** In the order of the graph: the Java API passes them on without their names. */
  private Map<String, OnnxTensorLike> inputs(
      OnnxModel model, List<HostTensor> given, List<OnnxTensor> owned) throws OrtException {
    Map<String, HostTensor> byName = new HashMap<>();
    given.forEach(tensor -> byName.put(tensor.name(), tensor));
    Map<String, OnnxTensorLike> inputs = new LinkedHashMap<>();
    for (ValueInfo input : model.graph().inputs()) {
      HostTensor tensor = byName.get(input.name());
      if (tensor != null) {
        OnnxTensor value = runtime.tensor(tensor);
        owned.add(value);
        inputs.put(input.name(), value);
      }
    }
    return inputs;
  }

  private static HostTensor number(String name, ElementType type) {
    return new HostTensor(name, type, new long[0], direct(type.bytes()));
  }

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  /** By the evaluation model, which wants labels: any will do, since only the logits are read. */
  @Override
  public Classifier classifier() {
    return batch -> {
      List<OnnxTensor> owned = new ArrayList<>();
      try {
        Map<String, OnnxTensorLike> inputs =
            inputs(artifacts.evaluation(), withoutMeaning(batch), owned);
        try (OrtSession.Result result = session.evalStep(inputs)) {
          return OrtTensors.rows((OnnxTensor) result.get(artifacts.logits()).orElseThrow());
        }
      } catch (OrtException e) {
        throw OrtFailure.of("ONNX Runtime cannot run the evaluation model", e);
      } finally {
        owned.forEach(OnnxTensor::close);
      }
    };
  }

  private List<HostTensor> withoutMeaning(List<HostTensor> batch) {
    TensorType labels = artifacts.labels().requireType();
    Shape declared = labels.requireShape();
    ElementType type = labels.elementType();
    long[] first = batch.get(0).shape();
    long[] shape = new long[declared.rank()];
    long count = 1;
    for (int axis = 0; axis < shape.length; axis++) {
      Shape.Dimension d = declared.dimension(axis);
      shape[axis] = d.isKnown() ? d.size() : first[axis];
      count *= shape[axis];
    }
    List<HostTensor> all = new ArrayList<>(batch);
    int bytes = Math.toIntExact(count * type.bytes());
    if (zeros.capacity() < bytes) {
      zeros = direct(bytes + bytes / 2);
    }
    ByteBuffer data = zeros.duplicate().order(ByteOrder.nativeOrder()).limit(bytes);
    all.add(new HostTensor(artifacts.labels().name(), type, shape, data));
    return all;
  }

  @Override
  public long steps() {
    return steps;
  }

  @Override
  public Map<String, Tensor> parameters() {
    Map<String, Tensor> values = new LinkedHashMap<>();
    checkpoint().trainable().forEach(t -> values.put(t.name(), t));
    return values;
  }

  /**
   * ONNX Runtime writes over its target in place, so this file is the engine's own. It is as large
   * as all that is trained three times over, and gone when it has been read.
   */
  @Override
  public Checkpoint checkpoint() {
    Path saved = folder.path().resolve(SAVED);
    Path file = saved.resolve(TrainingArtifacts.CHECKPOINT);
    try {
      try {
        Files.createDirectories(saved);
        session.saveCheckpoint(file, true);
        return CheckpointFile.readCopied(file);
      } finally {
        TemporaryFolder.delete(saved);
      }
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime cannot save its checkpoint", e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot write " + saved + ": " + AtomicFile.reason(e), e);
    }
  }

  @Override
  public void close() {
    try {
      session.close();
    } finally {
      folder.close();
    }
  }
}
