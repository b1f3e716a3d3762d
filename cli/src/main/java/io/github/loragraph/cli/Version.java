package io.github.loragraph.cli;

import io.github.loragraph.ort.OrtRuntime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.IVersionProvider;

/** The version out of the jar's manifest. */
public final class Version implements IVersionProvider {
  /** Whose versions decide a run's numbers. */
  static final List<String> NAMES = List.of("loraGraph", "onnxRuntime", "java", "system");

  /** The version of this build. */
  static String current() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  /** The versions that decide a run's numbers. */
  static Map<String, String> ofEverything(OrtRuntime runtime) {
    Map<String, String> versions = new LinkedHashMap<>();
    versions.put("loraGraph", current());
    versions.put("onnxRuntime", runtime.version());
    versions.put("java", System.getProperty("java.version"));
    versions.put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    return versions;
  }

  @Override
  public String[] getVersion() {
    return new String[] {
      "lora-graph " + current(), "Java ${java.version} (${java.vendor}), ${os.name} ${os.arch}"
    };
  }
}
