package io.github.loragraph.ort;

import io.github.loragraph.LoraGraphException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Chooses ONNX Runtime's native library. A process has one: the stock build, which runs ordinary
 * sessions and comes with the Java API, or a build of the same release that has the training API,
 * too.
 */
public final class NativeLibrary {
  private static final String PATH_PROPERTY = "onnxruntime.native.onnxruntime.path";
  private static final String RESOURCES = "/org/bytedeco/onnxruntime/";

  private static Build chosen;

  /** The builds of ONNX Runtime. */
  public enum Build {
    STOCK,
    TRAINING
  }

  private NativeLibrary() {}

  /** Makes sure that a library is chosen: the stock build unless another is already. */
  static synchronized void load() {
    if (chosen == null) {
      use(Build.STOCK);
    }
  }

  /**
   * Chooses the build; before the first use of ONNX Runtime.
   *
   * @throws LoraGraphException if another is in use already, or the class path has no such build
   *     for this platform
   */
  public static synchronized void use(Build build) {
    if (chosen == build) {
      return;
    }
    if (chosen != null) {
      throw new LoraGraphException(
          "ONNX Runtime's %s build is in use already: one process has one build"
              .formatted(chosen.name().toLowerCase(Locale.ROOT)));
    }
    if (build == Build.TRAINING) {
      System.setProperty(PATH_PROPERTY, trainingLibrary().toString());
    }
    chosen = build;
  }

  private static Path trainingLibrary() {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String processor = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    boolean arm = processor.equals("aarch64") || processor.equals("arm64");
    String platform;
    String resource;
    String file;
    if (system.contains("windows")) {
      platform = "windows-x86_64";
      resource = "onnxruntime.dll";
      file = "onnxruntime.dll";
    } else if (system.contains("mac")) {
      platform = arm ? "macosx-arm64" : "macosx-x86_64";
      resource = "libonnxruntime.1.dylib";
      file = "libonnxruntime.dylib";
    } else {
      platform = arm ? "linux-arm64" : "linux-x86_64";
      resource = "libonnxruntime.so.1";
      file = "libonnxruntime.so";
    }
    URL library = NativeLibrary.class.getResource(RESOURCES + platform + "/" + resource);
    if (library == null) {
      throw new LoraGraphException(
          "there is no ONNX Runtime with the training API for %s on the class path: use the graph engine"
              .formatted(platform));
    }
    Path folder = ToolCache.folder().resolve("native").resolve("training-" + platform);
    return CachedResource.unpack(library, folder.resolve(file));
  }
}
