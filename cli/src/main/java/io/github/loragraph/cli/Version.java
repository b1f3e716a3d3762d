package io.github.loragraph.cli;

import picocli.CommandLine.IVersionProvider;

/** The version out of the jar's manifest. */
public final class Version implements IVersionProvider {
  /** The version of this build. */
  static String current() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  @Override
  public String[] getVersion() {
    return new String[] {
      "lora-graph " + current(), "Java ${java.version} (${java.vendor}), ${os.name} ${os.arch}"
    };
  }
}
