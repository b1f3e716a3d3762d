package io.github.loragraph.ort;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtProvider;
import io.github.loragraph.LoraGraphException;
import io.github.loragraph.cache.CachedResource;
import io.github.loragraph.cache.ToolCache;
import io.github.loragraph.cuda.Cuda;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Chooses and loads ONNX Runtime's native library. A process has one: the stock build, which runs
 * ordinary sessions and comes with the Java API, or a build of the same release that has the
 * training API, too, or one that also runs sessions on NVIDIA's GPUs.
 *
 * <p>Left alone, the Java API unpacks its library into the folder for temporary files at each start
 * and leaves it there when the process is killed; here it is unpacked into the tool's cache once.
 * Whoever sets {@code onnxruntime.native.path} or {@code onnxruntime.native.onnxruntime.path} gets
 * the library that those name, as the Java API documents them.
 */
public final class NativeLibrary {
  private static final String FOLDER_PROPERTY = "onnxruntime.native.path";
  private static final String FILE_PROPERTY = "onnxruntime.native.onnxruntime.path";

  /** The build without GPU has only the first; a provider has to lie beside the library. */
  private static final List<String> PROVIDERS =
      List.of("onnxruntime_providers_shared", "onnxruntime_providers_cuda");

  private static Build chosen;

  /** What was chosen here is not what the user asked for. */
  private static String folderSetHere;

  private static OrtEnvironment environment;

  /** The builds of ONNX Runtime. */
  public enum Build {
    STOCK,
    TRAINING,
    /** For NVIDIA's GPUs and the CPU: what {@link Cuda} finds installed. */
    CUDA
  }

  private NativeLibrary() {}

  /**
   * Chooses the build; before the first use of ONNX Runtime.
   *
   * @throws LoraGraphException if another is in use already, or there is no such build for this
   *     machine
   */
  public static synchronized void use(Build build) {
    if (chosen == build) {
      return;
    }
    if (chosen != null) {
      throw new LoraGraphException(
          "ONNX Runtime's %s build is in use already, and a process can load one only: start another process for the %s build"
              .formatted(name(chosen), name(build)));
    }
    boolean given = !given().isEmpty();
    Platform platform = Platform.current();
    if (!given) {
      switch (build) {
        case STOCK -> unpackStock(platform);
        case TRAINING -> unpackTraining(platform);
        case CUDA -> chooseCuda(Cuda.ofThisMachine());
      }
    }
    if (build == Build.CUDA) {
      load();
      if (!OrtEnvironment.getAvailableProviders().contains(OrtProvider.CUDA)) {
        throw new LoraGraphException(
            given
                ? "the ONNX Runtime that %s or %s names cannot run on a GPU: do not set them"
                    .formatted(FOLDER_PROPERTY, FILE_PROPERTY)
                : "ONNX Runtime's stock build is in use already, and a process can load one only: start another process for the cuda build");
      }
    }
    if (build == Build.TRAINING && !load().isTrainingEnabled()) {
      throw new LoraGraphException(
          given
              ? "the ONNX Runtime that %s or %s names has no training API: do not set them"
                  .formatted(FOLDER_PROPERTY, FILE_PROPERTY)
              : "ONNX Runtime's stock build is in use already, and a process can load one only: start another process for the training build");
    }
    chosen = build;
  }

  /**
   * Whether a build can be chosen: no other is in use, and there is one for this machine. That of
   * CUDA can be chosen where nothing that it needs is missing.
   */
  public static synchronized boolean canUse(Build build) {
    if (chosen != null) {
      return chosen == build;
    }
    boolean given = !given().isEmpty();
    return given
        || switch (build) {
          case STOCK -> true;
          case TRAINING -> Platform.current().trainingResource() != null;
          case CUDA -> Cuda.ofThisMachine().missing().isEmpty();
        };
  }

  /**
   * ONNX Runtime, of the build that was chosen, else of the stock build. Errors are logged, nothing
   * less.
   *
   * @throws LoraGraphException if the library cannot be loaded
   */
  public static synchronized OrtEnvironment environment() {
    if (chosen == null) {
      use(Build.STOCK);
    }
    return load();
  }

  /**
   * The system properties by which the user names a library: another process has to be given them
   * to load the same.
   */
  public static synchronized Map<String, String> given() {
    Map<String, String> given = new LinkedHashMap<>();
    for (String property : List.of(FOLDER_PROPERTY, FILE_PROPERTY)) {
      String value = System.getProperty(property);
      if (value != null && !(property.equals(FOLDER_PROPERTY) && value.equals(folderSetHere))) {
        given.put(property, value);
      }
    }
    return given;
  }

  private static void setFolder(Path folder) {
    folderSetHere = folder.toString();
    System.setProperty(FOLDER_PROPERTY, folderSetHere);
  }

  private static OrtEnvironment load() {
    if (environment == null) {
      try {
        environment = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
      } catch (LinkageError | RuntimeException e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
          cause = cause.getCause();
        }
        String unpacked = System.getProperty(FOLDER_PROPERTY, "");
        throw new LoraGraphException(
            "cannot load ONNX Runtime's native library: %s (%s)"
                .formatted(
                    String.valueOf(cause.getMessage()).lines().findFirst().orElse(""),
                    unpacked.startsWith(ToolCache.folder().toString())
                        ? "delete %s, which is then made anew; if its file system forbids programs, set LORA_GRAPH_CACHE to a folder elsewhere"
                            .formatted(unpacked)
                        : "%s and %s can name another".formatted(FOLDER_PROPERTY, FILE_PROPERTY)),
            e);
      }
    }
    return environment;
  }

  private static String name(Build build) {
    return build.name().toLowerCase(Locale.ROOT);
  }

  /** Where the class path has none for this platform, the Java API's own search goes on. */
  private static void unpackStock(Platform platform) {
    List<URL> resources = new ArrayList<>();
    resources.add(platform.stockResource("onnxruntime"));
    resources.add(platform.stockResource("onnxruntime4j_jni"));
    if (resources.contains(null)) {
      return;
    }
    String origin = origin(resources.get(0));
    for (String provider : PROVIDERS) {
      URL resource = platform.stockResource(provider);
      if (resource != null && origin(resource).equals(origin)) {
        resources.add(resource);
      }
    }
    Path folder = folder("stock", platform, resources);
    for (URL resource : resources) {
      CachedResource.unpack(resource, folder.resolve(fileName(resource)));
    }
    setFolder(folder);
  }

  private static void unpackTraining(Platform platform) {
    URL library = platform.trainingResource();
    URL binding = platform.stockResource("onnxruntime4j_jni");
    if (library == null || binding == null) {
      throw new LoraGraphException(
          "the class path has no ONNX Runtime with the training API for %s: use the graph engine"
              .formatted(platform.trainingName()));
    }
    Path folder = folder("training", platform, List.of(library, binding));
    CachedResource.unpack(library, folder.resolve(platform.fileName("onnxruntime")));
    CachedResource.unpack(binding, folder.resolve(fileName(binding)));
    setFolder(folder);
  }

  /**
   * Libraries are loaded by their paths where the dynamic linker would not find them: it asks for
   * none that is there already under the name.
   */
  private static void chooseCuda(Cuda cuda) {
    Path folder = cuda.require().folder();
    for (Path library : cuda.preload()) {
      try {
        System.load(library.toAbsolutePath().toString());
      } catch (UnsatisfiedLinkError e) {
        throw new LoraGraphException(
            "cannot load %s: %s: install it again, or use --device cpu; 'lora-graph doctor' says more"
                .formatted(library, String.valueOf(e.getMessage()).lines().findFirst().orElse("")),
            e);
      }
    }
    setFolder(folder);
  }

  /** A folder for just these files: another content gets another folder. */
  private static Path folder(String build, Platform platform, List<URL> resources) {
    StringBuilder name = new StringBuilder(build).append('-').append(platform.trainingName());
    resources.forEach(resource -> name.append('-').append(CachedResource.checksum(resource)));
    return ToolCache.folder().resolve("native").resolve(name.toString());
  }

  private static String fileName(URL resource) {
    return resource.getPath().substring(resource.getPath().lastIndexOf('/') + 1);
  }

  /** The jar or folder that a resource stands in. */
  private static String origin(URL resource) {
    return resource.toString().substring(0, resource.toString().lastIndexOf('/'));
  }
}
