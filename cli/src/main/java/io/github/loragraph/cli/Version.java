package io.github.loragraph.cli;

import io.github.loragraph.ort.OrtRuntime;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** Versions: that of the jar's manifest, the commit, and what a run's numbers hang on. */
public final class Version implements IVersionProvider {
  /** Written by the build: the commit. */
  private static final String BUILD = "build.properties";

  /** The version of this build. */
  static String current() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  /** The commit that was built, as {@code git describe} has it; empty outside a git checkout. */
  static Optional<String> commit() {
    Properties build = new Properties();
    try (InputStream in = Version.class.getResourceAsStream(BUILD)) {
      if (in != null) {
        build.load(in);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return Optional.ofNullable(build.getProperty("commit")).filter(commit -> !commit.isBlank());
  }

  @Override
  public String[] getVersion() {
    return new String[] {
      "lora-graph " + current() + commit().map(" (commit %s)"::formatted).orElse(""),
      "ONNX Runtime " + OrtRuntime.packagedVersion(),
      "Java ${java.version} (${java.vendor})",
      "${os.name} ${os.arch}"
    };
  }
}
