package io.github.loragraph.ort;

import ai.onnxruntime.OrtEnvironment;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReader;
import java.lang.module.ModuleReference;
import java.net.URI;
import java.net.URL;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Operating system and processor, and under which names the jars carry ONNX Runtime for them.
 *
 * @param stockName as the official jar names the platform
 * @param trainingName as the jar of the training build names it
 * @param prefix of a library's file name
 * @param suffix of a library's file name
 * @param trainingFile the name of the training build's library
 */
record Platform(
    String stockName, String trainingName, String prefix, String suffix, String trainingFile) {

  static Platform current() {
    return of(System.getProperty("os.name"), System.getProperty("os.arch"));
  }

  /**
   * @param system as the system property {@code os.name} says it
   * @param processor as the system property {@code os.arch} says it
   */
  static Platform of(String system, String processor) {
    String name = system.toLowerCase(Locale.ROOT);
    boolean arm = processor.equals("aarch64") || processor.equals("arm64");
    if (name.contains("windows")) {
      return new Platform(
          arm ? "win-aarch64" : "win-x64",
          arm ? "windows-arm64" : "windows-x86_64",
          "",
          ".dll",
          "onnxruntime.dll");
    }
    if (name.contains("mac")) {
      return new Platform(
          arm ? "osx-aarch64" : "osx-x64",
          arm ? "macosx-arm64" : "macosx-x86_64",
          "lib",
          ".dylib",
          "libonnxruntime.1.dylib");
    }
    return new Platform(
        arm ? "linux-aarch64" : "linux-x64",
        arm ? "linux-arm64" : "linux-x86_64",
        "lib",
        ".so",
        "libonnxruntime.so.1");
  }

  String fileName(String library) {
    return prefix + library + suffix;
  }

  /** A library of the official jar, or null where the class path has none. */
  @Nullable URL stockResource(String library) {
    return OrtEnvironment.class.getResource(
        "/ai/onnxruntime/native/" + stockName + "/" + fileName(library));
  }

  /** The training build's library, or null where neither class path nor module path has one. */
  @Nullable URL trainingResource() {
    String library = "org/bytedeco/onnxruntime/" + trainingName + "/" + trainingFile;
    URL resource = Platform.class.getClassLoader().getResource(library);
    return resource == null ? onModulePath(library) : resource;
  }

  /**
   * A file of the training build's jar where that lies on the module path. It says that it is a
   * module and requires another, whose classes nobody needs here: so the JVM never takes it for
   * one.
   */
  private @Nullable URL onModulePath(String library) {
    Path[] path =
        Stream.of(System.getProperty("jdk.module.path", "").split(File.pathSeparator))
            .filter(entry -> !entry.isEmpty())
            .map(Path::of)
            .toArray(Path[]::new);
    Optional<ModuleReference> jar =
        ModuleFinder.of(path).find("org.bytedeco.onnxruntime." + trainingName.replace('-', '.'));
    if (jar.isEmpty()) {
      return null;
    }
    try (ModuleReader reader = jar.get().open()) {
      Optional<URI> file = reader.find(library);
      return file.isEmpty() ? null : file.get().toURL();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
