package io.github.loragraph.ort;

import io.github.loragraph.cache.CachedFile;
import io.github.loragraph.cache.ToolCache;
import io.github.loragraph.cuda.Cuda;
import io.github.loragraph.cuda.Natives;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import java.io.IOException;
import java.lang.reflect.Field;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The files of a build of ONNX Runtime, ready to be loaded.
 *
 * <p>Left alone, the Java API unpacks its library into the folder for temporary files at each start
 * and leaves it there when the process is killed; here it is unpacked into the tool's cache once.
 *
 * @param folder that the library and its binding lie in; null where the Java API is to search
 * @param preload what is loaded before, in this order
 */
record NativeLibrary(@Nullable Path folder, List<Path> preload) {
  private static final String FOLDER_PROPERTY = "onnxruntime.native.path";
  private static final String FILE_PROPERTY = "onnxruntime.native.onnxruntime.path";

  /** The build without GPU has only the first; a provider has to lie beside the library. */
  private static final List<String> PROVIDERS =
      List.of("onnxruntime_providers_shared", "onnxruntime_providers_cuda");

  /**
   * Finds a build, and unpacks it where that has not been done.
   *
   * @throws LoraGraphException if there is none for this machine
   */
  static NativeLibrary find(OrtRuntime.Build build) {
    if (!given().isEmpty()) {
      return new NativeLibrary(null, List.of());
    }
    Platform platform = Platform.current();
    return switch (build) {
      case STOCK -> new NativeLibrary(unpackStock(platform), List.of());
      case TRAINING -> new NativeLibrary(unpackTraining(platform), List.of());
      case CUDA -> {
        Cuda cuda = Cuda.ofThisMachine();
        Path folder = cuda.require().folder();
        requireAsInstalled(folder);
        yield new NativeLibrary(folder, cuda.preload());
      }
    };
  }

  /** What the installer wrote has to be what is there; of other files nobody knows. */
  private static void requireAsInstalled(Path folder) {
    for (String file : Natives.FILES) {
      Path path = folder.resolve(file);
      if (!new CachedFile(path).isAsNoted()) {
        throw new LoraGraphException(
            path + " is not as it was installed", Remedy.REINSTALL_CUDA_BUILD);
      }
    }
  }

  /** The system properties by which the user names a library. */
  static Map<String, String> given() {
    Map<String, String> given = new LinkedHashMap<>();
    for (String property : List.of(FOLDER_PROPERTY, FILE_PROPERTY)) {
      String value = System.getProperty(property);
      if (value != null) {
        given.put(property, value);
      }
    }
    return given;
  }

  /**
   * Loads what the dynamic linker would not find: it asks for none that is there already under the
   * name.
   *
   * @throws LoraGraphException if something that loading needs is missing
   */
  void prepare() {
    requireTemporaryFolder();
    for (Path library : preload) {
      try {
        System.load(library.toAbsolutePath().toString());
      } catch (UnsatisfiedLinkError e) {
        throw new LoraGraphException(
            "cannot load %s: %s".formatted(library, LoadFailure.of(e)),
            Remedy.REINSTALL_OR_USE_CPU.with(),
            e);
      }
    }
  }

  /**
   * Loads it; a process can try that once.
   *
   * @param firstUse of the Java API, which loads what a system property says at that moment
   * @throws LoraGraphException if it cannot be loaded: in one line why, and what to do
   */
  <T> T load(Supplier<T> firstUse) {
    Set<String> given = given().keySet();
    if (folder != null) {
      System.setProperty(FOLDER_PROPERTY, folder.toString());
    }
    try {
      T loaded = firstUse.get();
      if (folder != null) {
        deleteEmptyFolder();
      }
      return loaded;
    } catch (LinkageError | RuntimeException e) {
      String reason = LoadFailure.of(e);
      throw new LoraGraphException(
          "cannot load ONNX Runtime's native library: %s (%s)"
              .formatted(reason, LoadFailure.remedy(reason, folder, given)),
          e);
    } finally {
      if (folder != null) {
        System.clearProperty(FOLDER_PROPERTY);
      }
    }
  }

  /**
   * The Java API keeps an empty folder in the one for temporary files until an orderly end; a
   * process that is killed would leave it.
   */
  private static void deleteEmptyFolder() {
    try {
      Field field = Class.forName("ai.onnxruntime.OnnxRuntime").getDeclaredField("tempDirectory");
      field.setAccessible(true);
      if (field.get(null) instanceof Path empty) {
        Files.deleteIfExists(empty);
      }
    } catch (ReflectiveOperationException | IOException | RuntimeException e) {
      // Another release keeps it elsewhere: it then goes when the process ends.
    }
  }

  /** The Java API makes an empty folder there, whether it needs one or not. */
  private static void requireTemporaryFolder() {
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    if (!Files.isDirectory(temporary) || !Files.isWritable(temporary)) {
      throw new LoraGraphException(
          "the folder for temporary files, %s, %s: mend that, or name another with JDK_JAVA_OPTIONS=-Djava.io.tmpdir=FOLDER"
              .formatted(
                  temporary, Files.exists(temporary) ? "cannot be written" : "is not there"));
    }
  }

  /** Where the class path has none for this platform, the Java API's own search goes on. */
  private static @Nullable Path unpackStock(Platform platform) {
    List<URL> resources = new ArrayList<>();
    resources.add(platform.stockResource("onnxruntime"));
    resources.add(platform.stockResource("onnxruntime4j_jni"));
    if (resources.contains(null)) {
      return null;
    }
    String origin = origin(resources.get(0));
    for (String provider : PROVIDERS) {
      URL resource = platform.stockResource(provider);
      if (resource != null && origin(resource).equals(origin)) {
        resources.add(resource);
      }
    }
    Map<String, URL> files = new LinkedHashMap<>();
    resources.forEach(resource -> files.put(fileName(resource), resource));
    return unpack("stock", platform, files);
  }

  private static Path unpackTraining(Platform platform) {
    URL library = platform.trainingResource();
    URL binding = platform.stockResource("onnxruntime4j_jni");
    if (library == null || binding == null) {
      throw new LoraGraphException(
          "the class path has no ONNX Runtime with the training API for %s: use the graph engine"
              .formatted(platform.trainingName()));
    }
    Map<String, URL> files = new LinkedHashMap<>();
    files.put(platform.fileName("onnxruntime"), library);
    files.put(fileName(binding), binding);
    return unpack("training", platform, files);
  }

  /** Into a folder for just these files: another content gets another folder. */
  private static Path unpack(String build, Platform platform, Map<String, URL> files) {
    return ToolCache.ofThisUser()
        .unpack("native/%s-%s".formatted(build, platform.trainingName()), files);
  }

  private static String fileName(URL resource) {
    return resource.getPath().substring(resource.getPath().lastIndexOf('/') + 1);
  }

  /** The jar or folder that a resource stands in. */
  private static String origin(URL resource) {
    return resource.toString().substring(0, resource.toString().lastIndexOf('/'));
  }
}
