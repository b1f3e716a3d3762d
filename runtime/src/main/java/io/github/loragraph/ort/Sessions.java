package io.github.loragraph.ort;

import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtTrainingSession;
import io.github.loragraph.artifacts.TrainingArtifacts;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.WeightsInFiles;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Makes sessions on one device from models in memory. */
public final class Sessions {
  /** More than any machine has cores that one operator gains by. */
  public static final int MOST_THREADS = 1024;

  /** What the locations of external data are relative to, in a model that is in no file itself. */
  private static final String FOLDER_OF_WEIGHTS =
      "session.model_external_initializers_file_folder_path";

  private final OrtRuntime runtime;
  private final int threads;
  private final Device device;
  private final GpuKernels kernels;
  private final OrtSession.SessionOptions.OptLevel optimization;
  private final @Nullable Path profile;
  private final boolean packs;

  /**
   * Sessions on the CPU.
   *
   * @param runtime of any build
   * @param threads that compute one operator; 0 for as many as the machine has cores
   */
  public Sessions(OrtRuntime runtime, int threads) {
    this(
        runtime,
        threads,
        Device.CPU,
        GpuKernels.DEFAULTS,
        OrtSession.SessionOptions.OptLevel.ALL_OPT,
        null,
        true);
  }

  private Sessions(
      OrtRuntime runtime,
      int threads,
      Device device,
      GpuKernels kernels,
      OrtSession.SessionOptions.OptLevel optimization,
      @Nullable Path profile,
      boolean packs) {
    requireThreads(threads);
    if (device.isGpu()) {
      runtime.require(OrtRuntime.Build.CUDA);
    }
    this.runtime = runtime;
    this.threads = threads;
    this.device = device;
    this.kernels = kernels;
    this.optimization = optimization;
    this.profile = profile;
    this.packs = packs;
  }

  /**
   * Refuses a number of threads that is none, or that would take the memory of a machine before
   * anything is computed.
   *
   * @throws LoraGraphException if it is below 0 or above {@link #MOST_THREADS}
   */
  public static void requireThreads(int threads) {
    if (threads < 0 || threads > MOST_THREADS) {
      throw new LoraGraphException(
          "%d threads are not possible: give 1 to %,d, or 0 for one for each core"
              .formatted(threads, MOST_THREADS));
    }
  }

  /**
   * Sessions on another device. Weights are copied to a GPU once for each session; inputs and
   * outputs stay in the memory of the process.
   *
   * @param kernels of a GPU
   * @throws LoraGraphException if the build that is loaded cannot compute there
   */
  public Sessions on(Device other, GpuKernels kernels) {
    return new Sessions(runtime, threads, other, kernels, optimization, profile, packs);
  }

  /** The same that round no factor of a product: for differences in the last digits. */
  public Sessions withoutTf32() {
    return on(device, kernels.withoutTf32());
  }

  /** What they are made with. */
  public OrtRuntime runtime() {
    return runtime;
  }

  /** Whether the sessions record what their nodes do. */
  public boolean isProfiling() {
    return profile != null;
  }

  /** Where the sessions compute. */
  public Device device() {
    return device;
  }

  /**
   * Sessions that record what {@link SessionProfile} reads, until {@link OrtSession#endProfiling}
   * or until they are closed.
   *
   * @param prefix of the file: ONNX Runtime adds the time and {@code .json}
   */
  public Sessions withProfile(Path prefix) {
    return new Sessions(runtime, threads, device, kernels, optimization, prefix, packs);
  }

  /**
   * Sessions that run each node as it stands: two models that differ in one place then differ in
   * their outputs only because of it, not because their nodes were fused differently.
   */
  public Sessions withoutOptimization() {
    return new Sessions(
        runtime,
        threads,
        device,
        kernels,
        OrtSession.SessionOptions.OptLevel.NO_OPT,
        profile,
        packs);
  }

  /**
   * The same; for a model of more than 2 GB ones that pack no weight for products. All sessions
   * over one {@link Weights} then read the one map of its file: a training would have each weight
   * packed three times, forward, for the gradient and for evaluations. The sums of products are
   * rounded in another order, and take longer.
   */
  public Sessions sparing(OnnxModel model) {
    return OnnxFile.isTooLargeForOneFile(model) ? unpacked() : this;
  }

  Sessions unpacked() {
    return new Sessions(runtime, threads, device, kernels, optimization, profile, false);
  }

  /**
   * A session over a model whose large weights are read in their file, or shared, and not copied.
   * Who asks for it closes it.
   *
   * @param weights must stay open for as long as the session
   * @throws LoraGraphException if ONNX Runtime refuses the model
   */
  public OrtSession create(OnnxModel model, Weights weights) {
    return model.namingFile(() -> created(model, weights, Map.of()));
  }

  /**
   * The same for training steps, which several in one call (the body of a {@code Loop}) must equal
   * to the last bit: ONNX Runtime fuses a sum with the LayerNormalization after it only where it
   * knows the sum's rank, which it does not in a body, and the fused kernel rounds otherwise.
   *
   * @throws LoraGraphException as {@link #create} does
   */
  public OrtSession createForSteps(OnnxModel model, Weights weights) {
    return model.namingFile(
        () ->
            created(
                model,
                weights,
                Map.of("optimization.disable_specified_optimizers", "SkipLayerNormFusion")));
  }

  /** A session that reads by itself what lies in files, where it does and they stay as they are. */
  private OrtSession created(OnnxModel model, Weights weights, Map<String, String> entries) {
    WeightsInFiles inFiles =
        device.isGpu()
            ? WeightsInFiles.none()
            : WeightsInFiles.of(model, tensor -> !isDefault(model, tensor.name()));
    if (!inFiles.isEmpty()) {
      try {
        OrtSession session = created(model, weights, inFiles, entries);
        if (inFiles.areUnchanged()) {
          return session;
        }
        session.close();
      } catch (OrtException e) {
        // It may be the file that is refused (one with several names, say), and not the model.
      }
    }
    try {
      return created(model, weights, WeightsInFiles.none(), entries);
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime refuses the model", e);
    }
  }

  private OrtSession created(
      OnnxModel model, Weights weights, WeightsInFiles inFiles, Map<String, String> entries)
      throws OrtException {
    try (OrtSession.SessionOptions options = options()) {
      for (Map.Entry<String, String> entry : entries.entrySet()) {
        options.addConfigEntry(entry.getKey(), entry.getValue());
      }
      if (!inFiles.isEmpty()) {
        options.addConfigEntry(FOLDER_OF_WEIGHTS, inFiles.root().toString());
      }
      Map<String, OnnxTensorLike> large = given(model, weights, tensor -> !inFiles.has(tensor));
      if (device.isGpu()) {
        // Copied to the device; what is shared is read where it lies, which no GPU could.
        options.addExternalInitializers(large);
      } else {
        share(large, options);
      }
      if (!packs) {
        // What stays as it is, all sessions read in one map; ONNX Runtime then makes none.
        Map<String, OnnxTensorLike> maps =
            given(model, weights, tensor -> inFiles.has(tensor) && !WeightCopies.isNeeded(tensor));
        for (Map.Entry<String, OnnxTensorLike> map : maps.entrySet()) {
          options.addInitializer(map.getKey(), map.getValue());
        }
      }
      byte[] bytes =
          OnnxFile.serialize(
              model,
              tensor -> Weights.isWeight(tensor) && !isDefault(model, tensor.name()),
              inFiles);
      return OrtRuntime.told(runtime.environment().createSession(bytes, options));
    }
  }

  /** Weights to hand over, by name. */
  private Map<String, OnnxTensorLike> given(
      OnnxModel model, Weights weights, Predicate<Tensor> wanted) throws OrtException {
    // ONNX Runtime drops initializers that nothing reads, and then misses them here.
    return weights.of(
        runtime,
        model.graph().initializers().values().stream()
            .filter(tensor -> model.graph().isRead(tensor.name()))
            .filter(tensor -> !isDefault(model, tensor.name()))
            .filter(wanted)
            .toList());
  }

  /** What a caller may hand in, too, is no constant, and ONNX Runtime shares only those. */
  private static boolean isDefault(OnnxModel model, String initializer) {
    return model.graph().isInput(initializer);
  }

  /**
   * A training session over the artifacts in a folder.
   *
   * @throws LoraGraphException if ONNX Runtime refuses them, or is of another build than that for
   *     training
   */
  public OrtTrainingSession createTraining(Path folder) {
    runtime.require(OrtRuntime.Build.TRAINING);
    try (OrtSession.SessionOptions options = options()) {
      OrtTrainingSession session =
          runtime
              .environment()
              .createTrainingSession(
                  folder.resolve(TrainingArtifacts.CHECKPOINT).toString(),
                  folder.resolve(TrainingArtifacts.TRAINING).toString(),
                  folder.resolve(TrainingArtifacts.EVALUATION).toString(),
                  folder.resolve(TrainingArtifacts.OPTIMIZER).toString(),
                  options);
      NativeOwners.made("training session", () -> isClosed(session));
      return session;
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime refuses the training artifacts", e);
    }
  }

  /** A closed session refuses to be asked anything. */
  private static boolean isClosed(OrtTrainingSession session) {
    try {
      session.getLearningRate();
      return false;
    } catch (IllegalStateException e) {
      return true;
    } catch (OrtException e) {
      return false;
    }
  }

  /**
   * Lets a session use tensors in the place of initializers whose content is not in the model. The
   * first call makes them known, and ONNX Runtime copies them; because of the others the session
   * takes the given memory, and the copy is freed before it is ready.
   */
  static void share(Map<String, OnnxTensorLike> weights, OrtSession.SessionOptions options)
      throws OrtException {
    options.addExternalInitializers(weights);
    for (Map.Entry<String, OnnxTensorLike> weight : weights.entrySet()) {
      options.addInitializer(weight.getKey(), weight.getValue());
    }
  }

  private OrtSession.SessionOptions options() throws OrtException {
    OrtSession.SessionOptions options = runtime.options();
    options.setIntraOpNumThreads(threads);
    options.setOptimizationLevel(optimization);
    // A plan of the memory of one shape of batches is a second set of all activations beside those
    // that the first call of that shape allocated one by one, and no step is faster by it.
    options.setMemoryPatternOptimization(false);
    if (!packs) {
      options.addConfigEntry("session.disable_prepacking", "1");
    }
    if (profile != null) {
      options.enableProfiling(profile.toString());
    }
    if (device.isGpu()) {
      addCuda(options);
    }
    return options;
  }

  private void addCuda(OrtSession.SessionOptions options) throws OrtException {
    try {
      options.setDeterministicCompute(kernels.deterministic());
      CudaProvider.add(
          options,
          runtime.environment(),
          device.index(),
          Map.of("use_tf32", kernels.tf32() ? "1" : "0"));
    } catch (OrtException e) {
      throw new LoraGraphException(
          "ONNX Runtime cannot use %s: %s".formatted(device, OrtFailure.reason(e)),
          Remedy.SEE_WHAT_GPU_LACKS.with(),
          e);
    }
  }
}
