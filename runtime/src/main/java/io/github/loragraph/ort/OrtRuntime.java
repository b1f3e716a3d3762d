package io.github.loragraph.ort;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.cuda.Cuda;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * ONNX Runtime, loaded. A process can load one of its builds; whoever wants a session, a tensor or
 * the shapes of a model has to hold this object, and there is none before a build is loaded.
 *
 * <p>Whoever sets the system property {@code onnxruntime.native.path} or {@code
 * onnxruntime.native.onnxruntime.path} gets the library that those name, as the Java API documents
 * them; what a build promises is checked of it, too.
 */
public final class OrtRuntime {
  private static @Nullable OrtRuntime opened;

  /** Why loading failed: the Java API cannot try a second time in a process. */
  private static @Nullable LoraGraphException failure;

  private final Build build;
  private final OrtEnvironment environment;

  /** The builds of ONNX Runtime. All run ordinary sessions on the CPU. */
  public enum Build {
    /** The one that comes with the Java API. */
    STOCK,
    /** Has the training API, too. */
    TRAINING,
    /** For NVIDIA's GPUs and the CPU: what {@link Cuda} finds installed. */
    CUDA;

    /**
     * What a loaded library is for who asked for a build: that, where it can do what is promised of
     * it. A library may be able to do both, as the build for CUDA 13 is.
     */
    static Build asked(Build build, boolean trains, boolean runsOnGpus) {
      boolean fits =
          switch (build) {
            case STOCK -> !trains && !runsOnGpus;
            case TRAINING -> trains;
            case CUDA -> runsOnGpus;
          };
      if (fits) {
        return build;
      }
      return trains ? TRAINING : runsOnGpus ? CUDA : STOCK;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private OrtRuntime(Build build, OrtEnvironment environment) {
    this.build = build;
    this.environment = environment;
  }

  /**
   * Loads a build, or gives the one that is loaded.
   *
   * @throws LoraGraphException if another is loaded already, there is no such build for this
   *     machine, or it cannot be loaded
   */
  public static synchronized OrtRuntime open(Build build) {
    if (opened == null) {
      if (failure != null) {
        throw failure;
      }
      opened = load(build);
    }
    if (opened.build != build) {
      throw refusal(opened.build, build);
    }
    return opened;
  }

  /**
   * The build that this process has loaded, else the stock build: for sessions on the CPU, which
   * all builds run.
   *
   * @throws LoraGraphException if it cannot be loaded
   */
  public static synchronized OrtRuntime ofThisProcess() {
    return opened == null ? open(Build.STOCK) : opened;
  }

  /**
   * A build that computes on a device.
   *
   * @throws LoraGraphException as {@link #open} does
   */
  public static OrtRuntime on(Device device) {
    return device.isGpu() ? open(Build.CUDA) : ofThisProcess();
  }

  /**
   * Whether a build can be opened: no other is loaded, and there is one for this machine. That of
   * CUDA can be where nothing that it needs is missing.
   */
  public static synchronized boolean canOpen(Build build) {
    if (opened != null) {
      return opened.build == build;
    }
    return failure == null
        && (!NativeLibrary.given().isEmpty()
            || switch (build) {
              case STOCK -> true;
              case TRAINING -> Platform.current().trainingResource() != null;
              case CUDA -> Cuda.ofThisMachine().missing().isEmpty();
            });
  }

  /**
   * The system properties by which the user names a library: another process has to be given them
   * to load the same.
   */
  public static Map<String, String> given() {
    return NativeLibrary.given();
  }

  // Loading cannot be tried twice: later calls fail with the first one's reason.
  @SuppressWarnings("StaticAssignmentOfThrowable")
  private static OrtRuntime load(Build build) {
    boolean given = !NativeLibrary.given().isEmpty();
    NativeLibrary library = NativeLibrary.find(build);
    library.prepare();
    OrtEnvironment environment;
    try {
      // What goes wrong comes as an exception as well; its own lines are no user's language.
      environment =
          library.load(
              () -> OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL));
    } catch (LoraGraphException e) {
      failure = e;
      throw e;
    }
    Build loaded =
        Build.asked(
            build,
            environment.isTrainingEnabled(),
            OrtEnvironment.getAvailableProviders().contains(OrtProvider.CUDA));
    if (loaded != build && build != Build.STOCK) {
      if (!given) {
        throw refusal(loaded, build);
      }
      throw new LoraGraphException(
          "the ONNX Runtime that %s names %s: do not set it"
              .formatted(
                  String.join(", ", NativeLibrary.given().keySet()),
                  build == Build.CUDA ? "cannot run on a GPU" : "has no training API"));
    }
    return new OrtRuntime(build, environment);
  }

  private static LoraGraphException refusal(Build loaded, Build build) {
    return new LoraGraphException(
        "ONNX Runtime's %s build is in use already, and a process can load one only: start another process for the %s build"
            .formatted(loaded, build));
  }

  /** The build that was opened. */
  public Build build() {
    return build;
  }

  /** The version of ONNX Runtime that comes with the tool; says so without loading it. */
  public static String packagedVersion() {
    String version = OrtEnvironment.class.getPackage().getImplementationVersion();
    return version == null ? "unknown" : version;
  }

  /** The version of ONNX Runtime. */
  public String version() {
    return environment.getVersion();
  }

  /**
   * Holds that this is a build.
   *
   * @throws LoraGraphException if it is another
   */
  void require(Build needed) {
    if (build != needed) {
      throw refusal(build, needed);
    }
  }

  OrtEnvironment environment() {
    return environment;
  }

  /** Options of a session that says nothing by itself; to be closed. */
  OrtSession.SessionOptions options() throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
    return options;
  }

  /**
   * A session over a model file with nothing set, as any program would open it.
   *
   * @throws OrtException if ONNX Runtime refuses the file
   */
  public OrtSession session(Path file) throws OrtException {
    return told(environment.createSession(file.toString()));
  }

  /** A session that whoever watches is told of. */
  static OrtSession told(OrtSession session) {
    NativeOwners.made("session", () -> isClosed(session));
    return session;
  }

  /** A closed session refuses to be asked anything. */
  private static boolean isClosed(OrtSession session) {
    try {
      session.getInputInfo();
      return false;
    } catch (IllegalStateException e) {
      return true;
    } catch (OrtException e) {
      return false;
    }
  }

  /** A tensor over the same memory, which must stay as it is while the tensor is in use. */
  public OnnxTensor tensor(HostTensor tensor) throws OrtException {
    return tensor(tensor.data(), tensor.shape(), tensor.type());
  }

  /**
   * The tensor over a parameter's own memory where its alignment allows, else over a copy. Who asks
   * for it closes it.
   */
  public OnnxTensor tensor(Tensor tensor) throws OrtException {
    ByteBuffer bytes = tensor.bytes();
    return tensor(
        WeightCopies.isNeeded(tensor) ? aligned(bytes) : bytes,
        tensor.dims(),
        tensor.elementType());
  }

  /** A copy outside of the heap, where any number may begin. */
  static ByteBuffer aligned(ByteBuffer bytes) {
    return ByteBuffer.allocateDirect(bytes.remaining())
        .order(ByteOrder.nativeOrder())
        .put(bytes.duplicate())
        .flip();
  }

  /**
   * A tensor over memory, which must stay as it is while the tensor is in use.
   *
   * @param data direct
   */
  public OnnxTensor tensor(ByteBuffer data, long[] shape, ElementType type) throws OrtException {
    OnnxTensor tensor =
        OnnxTensor.createTensor(environment, data, shape, OrtTensors.javaType(type));
    NativeOwners.made("tensor", tensor::isClosed);
    return tensor;
  }
}
