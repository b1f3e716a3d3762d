package io.github.loragraph.ort;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtEpDevice;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.providers.OrtCUDAProviderOptions;
import io.github.loragraph.cuda.Cuda;
import io.github.loragraph.cuda.Natives;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * ONNX Runtime's provider for NVIDIA's GPUs, given to a session.
 *
 * <p>The build for CUDA 12 brings a binding to Java of its own, which can ask for the provider by
 * name. That for CUDA 13 has none, and the stock binding beside it refuses to; it does know the
 * interface for providers in libraries of their own, which the provider has, too.
 */
final class CudaProvider {
  /** The provider's name for itself. */
  private static final String NAME = "CUDAExecutionProvider";

  private static final String LIBRARY = "lora-graph.cuda";

  /** What the stock binding says of a provider that it was not compiled for. */
  private static final String NOT_BOUND = "not compiled with CUDA support";

  /** Whether the library is known to the environment, of which a process has one. */
  private static boolean registered;

  private CudaProvider() {}

  /**
   * @param index the GPU's, from 0
   * @param settings of the provider, by ONNX Runtime's names
   * @throws OrtException if the provider cannot be had; says why
   */
  static void add(
      OrtSession.SessionOptions options,
      OrtEnvironment environment,
      int index,
      Map<String, String> settings)
      throws OrtException {
    try (OrtCUDAProviderOptions cuda = new OrtCUDAProviderOptions(index)) {
      for (Map.Entry<String, String> setting : settings.entrySet()) {
        cuda.add(setting.getKey(), setting.getValue());
      }
      options.addCUDA(cuda);
    } catch (OrtException e) {
      if (e.getMessage() == null || !e.getMessage().contains(NOT_BOUND)) {
        throw e;
      }
      addFromLibrary(options, environment, index, settings);
    }
  }

  private static void addFromLibrary(
      OrtSession.SessionOptions options,
      OrtEnvironment environment,
      int index,
      Map<String, String> settings)
      throws OrtException {
    register(environment);
    List<OrtEpDevice> devices =
        environment.getEpDevices().stream()
            .filter(device -> device.getEpName().equals(NAME))
            .toList();
    if (index >= devices.size()) {
      throw new OrtException(
          OrtException.OrtErrorCode.ORT_FAIL,
          "its provider finds %d GPUs".formatted(devices.size()));
    }
    Map<String, String> all = new HashMap<>(settings);
    all.put("device_id", Integer.toString(index));
    options.addExecutionProvider(List.of(devices.get(index)), all);
  }

  private static synchronized void register(OrtEnvironment environment) throws OrtException {
    if (!registered) {
      Natives natives = Cuda.ofThisMachine().require();
      environment.registerExecutionProviderLibrary(LIBRARY, natives.provider().toString());
      registered = true;
    }
  }
}
