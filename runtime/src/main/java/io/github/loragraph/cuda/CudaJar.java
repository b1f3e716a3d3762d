package io.github.loragraph.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Properties;

/**
 * The jar that has ONNX Runtime's build for a release of CUDA, for Linux on x86-64.
 *
 * @param artifact its coordinates, as Maven's dependency plugin reads them
 * @param megabytes the size of the download, about
 * @param files the names of the libraries, each with the jar's entry that holds it
 */
record CudaJar(String artifact, String version, int megabytes, Map<String, String> files) {
  private static final Properties PROPERTIES = load();

  static CudaJar of(CudaVersion version) {
    String artifact = PROPERTIES.getProperty(version.number() + ".artifact");
    String release = PROPERTIES.getProperty(version.number() + ".version");
    return switch (version) {
      case CUDA_12 ->
          new CudaJar(artifact, release, 742, official("ai/onnxruntime/native/linux-x64/"));
      // It has no binding to the official Java API: the one on the class path is of the same
      // release and fits.
      case CUDA_13 ->
          new CudaJar(
              artifact, release, 165, presets("org/bytedeco/onnxruntime/linux-x86_64-gpu/"));
    };
  }

  private static Map<String, String> official(String folder) {
    return Map.of(
        "libonnxruntime.so",
        folder + "libonnxruntime.so",
        Natives.BINDING,
        folder + Natives.BINDING,
        "libonnxruntime_providers_shared.so",
        folder + "libonnxruntime_providers_shared.so",
        Natives.PROVIDER,
        folder + Natives.PROVIDER);
  }

  private static Map<String, String> presets(String folder) {
    return Map.of(
        "libonnxruntime.so",
        folder + "libonnxruntime.so.1",
        "libonnxruntime_providers_shared.so",
        folder + "libonnxruntime_providers_shared.so",
        Natives.PROVIDER,
        folder + Natives.PROVIDER);
  }

  /** The Maven plugin that fetches a jar. */
  static String plugin() {
    return PROPERTIES.getProperty("plugin");
  }

  /** The official jar, which has the binding to Java. */
  static String bindingArtifact() {
    return PROPERTIES.getProperty("binding");
  }

  private static Properties load() {
    Properties properties = new Properties();
    try (InputStream in = CudaJar.class.getResourceAsStream("jars.properties")) {
      properties.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return properties;
  }
}
