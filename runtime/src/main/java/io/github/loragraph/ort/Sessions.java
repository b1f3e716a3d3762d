package io.github.loragraph.ort;

import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtTrainingSession;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import io.github.loragraph.LoraGraphException;
import io.github.loragraph.artifacts.TrainingArtifacts;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;

/** Makes sessions on one device from models in memory. */
public final class Sessions {
  private final int threads;
  private final Device device;
  private final boolean tf32;
  private final OrtSession.SessionOptions.OptLevel optimization;
  private final Path profile;

  /**
   * Sessions on the CPU.
   *
   * @param threads that compute one operator; 0 for as many as the machine has cores
   */
  public Sessions(int threads) {
    this(threads, Device.CPU, true, OrtSession.SessionOptions.OptLevel.ALL_OPT, null);
  }

  private Sessions(
      int threads,
      Device device,
      boolean tf32,
      OrtSession.SessionOptions.OptLevel optimization,
      Path profile) {
    if (threads < 0) {
      throw new LoraGraphException(threads + " threads are not possible: 0 takes all cores");
    }
    this.threads = threads;
    this.device = device;
    this.tf32 = tf32;
    this.optimization = optimization;
    this.profile = profile;
  }

  /**
   * Sessions on another device. Weights are copied to a GPU once for each session; inputs and
   * outputs stay in the memory of the process.
   *
   * @param tf32 whether a GPU may round the factors of single-precision products to 10 bits of
   *     fraction (TensorFloat-32), which is several times faster
   */
  public Sessions on(Device other, boolean tf32) {
    return new Sessions(threads, other, tf32, optimization, profile);
  }

  /** Where the sessions compute. */
  public Device device() {
    return device;
  }

  /**
   * Sessions that keep a record of what each node did, until {@link OrtSession#endProfiling}.
   *
   * @param prefix of the file that the record is written to
   */
  public Sessions withProfile(Path prefix) {
    return new Sessions(threads, device, tf32, optimization, prefix);
  }

  /**
   * Sessions that run each node as it stands: two models that differ in one place then differ in
   * their outputs only because of it, not because their nodes were fused differently.
   */
  public Sessions withoutOptimization() {
    return new Sessions(threads, device, tf32, OrtSession.SessionOptions.OptLevel.NO_OPT, profile);
  }

  /**
   * A session over a model whose large weights are shared, not copied.
   *
   * @param weights must stay open for as long as the session
   * @throws LoraGraphException if ONNX Runtime refuses the model
   */
  public OrtSession create(OnnxModel model, Weights weights) {
    try (OrtSession.SessionOptions options = options()) {
      Map<String, OnnxTensorLike> large = weights.of(model.graph().initializers().values());
      // ONNX Runtime drops initializers that nothing reads, and then misses them here.
      large.keySet().removeIf(name -> !model.graph().isRead(name));
      if (device.isGpu()) {
        // Copied to the device; what is shared is read where it lies, which no GPU could.
        options.addExternalInitializers(large);
      } else {
        share(large, options);
      }
      byte[] bytes = OnnxFile.serialize(model, Weights::isWeight);
      return NativeLibrary.environment().createSession(bytes, options);
    } catch (OrtException e) {
      throw new LoraGraphException("ONNX Runtime refuses the model: " + firstLine(e), e);
    }
  }

  /**
   * A training session over the artifacts in a folder.
   *
   * @throws LoraGraphException if ONNX Runtime refuses them
   */
  public OrtTrainingSession createTraining(Path folder) {
    try (OrtSession.SessionOptions options = options()) {
      return NativeLibrary.environment()
          .createTrainingSession(
              folder.resolve(TrainingArtifacts.CHECKPOINT).toString(),
              folder.resolve(TrainingArtifacts.TRAINING).toString(),
              folder.resolve(TrainingArtifacts.EVALUATION).toString(),
              folder.resolve(TrainingArtifacts.OPTIMIZER).toString(),
              options);
    } catch (OrtException e) {
      throw new LoraGraphException(
          "ONNX Runtime refuses the training artifacts: " + firstLine(e), e);
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
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
    options.setIntraOpNumThreads(threads);
    options.setOptimizationLevel(optimization);
    if (profile != null) {
      options.enableProfiling(profile.toString());
    }
    if (device.isGpu()) {
      addCuda(options);
    }
    return options;
  }

  private void addCuda(OrtSession.SessionOptions options) throws OrtException {
    try (OrtCUDAProviderOptions cuda = new OrtCUDAProviderOptions(device.index())) {
      cuda.add("use_tf32", tf32 ? "1" : "0");
      options.addCUDA(cuda);
    } catch (OrtException e) {
      throw new LoraGraphException(
          "ONNX Runtime cannot use %s: %s ('lora-graph doctor' says what is missing)"
              .formatted(device, firstLine(e)),
          e);
    }
  }

  /** Where in ONNX Runtime's sources a failure was noticed. */
  private static final Pattern SOURCE =
      Pattern.compile("/\\S+\\.(cc|h):\\d+ .*?\\[ONNXRuntimeError\\] : \\d+ : \\w+ : ");

  /** ONNX Runtime's messages name its sources and end in a stack of their own. */
  public static String firstLine(OrtException e) {
    String line = e.getMessage().lines().findFirst().orElse("no reason given");
    return SOURCE.matcher(line).replaceAll("");
  }
}
