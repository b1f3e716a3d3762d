package io.github.loragraph.ort;

import ai.onnxruntime.OrtEnvironment;
import java.net.URL;
import java.util.Locale;

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
  URL stockResource(String library) {
    return OrtEnvironment.class.getResource(
        "/ai/onnxruntime/native/" + stockName + "/" + fileName(library));
  }

  /** The training build's library, or null where the class path has none. */
  URL trainingResource() {
    return Platform.class.getResource(
        "/org/bytedeco/onnxruntime/" + trainingName + "/" + trainingFile);
  }
}
